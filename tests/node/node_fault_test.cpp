// SPDX-License-Identifier: MIT
// NodeLink against faulty nodes on a virtual clock: down, syncing, on another chain, overloaded,
// talking nonsense (D01, D02, D04, D06, D12; G-18 to G-24, G-29), and all at random.
#include <doctest/doctest.h>

#include "node/link_state.h"
#include "scripted_node.h"

using namespace adit;
using namespace adit::test;
using namespace std::chrono_literals;

TEST_CASE("D01, D02: down at start, back, and dead while mining") {
  Stage stage(regtest(), 1);
  stage.nodes[0].mine(100);
  stage.nodes[0].up = false;
  stage.start();
  stage.run_for(4900ms);
  CHECK(stage.count<TemplatesMissing>() == 0);
  stage.run_for(200ms);
  REQUIRE(stage.count<TemplatesMissing>() == 1);
  CHECK(stage.all<TemplatesMissing>()[0].for_s == 5);
  stage.run_for(114s);
  CHECK(stage.count<TemplatesMissing>() == 1);
  stage.run_for(2s);
  CHECK(stage.count<TemplatesMissing>() == 2);
  CHECK(stage.all<TemplatesMissing>()[1].for_s == 120);
  stage.forget();
  stage.nodes[0].up = true;
  stage.run_for(600ms);
  CHECK(stage.count<TemplateReady>() == 1);
  REQUIRE(stage.count<TemplatesMissing>() == 1);
  CHECK(stage.all<TemplatesMissing>()[0].for_s == 0);

  stage.forget();
  SUBCASE("refused") { stage.nodes[0].up = false; }
  SUBCASE("hanging") { stage.nodes[0].hangs = true; }
  stage.run_for(7s);
  REQUIRE(stage.count<TemplatesMissing>() == 1);
  const auto alarm = std::find_if(stage.events.begin(), stage.events.end(), [](const auto& e) {
    return std::holds_alternative<TemplatesMissing>(e.second);
  });
  CHECK(stage.now - alarm->first < 3s);
  CHECK(stage.health(0) == NodeHealth::Down);
}

TEST_CASE("G-20 to G-22: not ready, with the node's own words, and back") {
  for (const int code : {-28, -9, -10}) {
    CAPTURE(code);
    Stage stage = settled();
    stage.nodes[0].error_code = code;
    stage.run_for(2s);
    CHECK(stage.health(0) == NodeHealth::NotReady);
    CHECK(stage.reason(0) == "error " + std::to_string(code) + ": told so");
    stage.nodes[0].error_code = 0;
    stage.run_for(1500ms);
    CHECK(stage.health(0) == NodeHealth::Ready);
  }
}

TEST_CASE("initial download and wrong chains are never mined on") {
  SUBCASE("main in initial download") {
    Stage stage(on(Network::Main), 1);
    stage.nodes[0].mine(100, kMainBits);
    stage.nodes[0].syncing = true;
    stage.start();
    stage.run_for(3s);
    CHECK(stage.health(0) == NodeHealth::NotReady);
    CHECK(stage.reason(0) == "initial block download, at height 100");
    CHECK(stage.template_times.empty());
    stage.nodes[0].syncing = false;
    stage.run_for(1100ms);
    CHECK(stage.count<TemplateReady>() == 1);
  }
  SUBCASE("regtest says so all the time") {
    Stage stage(regtest(), 1);
    stage.nodes[0].mine(100);
    stage.nodes[0].syncing = true;
    stage.start();
    stage.run_for(1s);
    CHECK(stage.count<TemplateReady>() == 1);
  }
  SUBCASE("G-23 genesis") {
    Stage stage(on(Network::Signet), 1);
    stage.nodes[0].mine(100);
    stage.nodes[0].genesis = genesis_hash(Network::Main).hex();
    stage.start();
    stage.run_for(60s);
    CHECK(stage.health(0) == NodeHealth::WrongChain);
    CHECK(stage.template_times.empty());
  }
  SUBCASE("chain name") {
    Stage stage(on(Network::Main), 1);
    stage.nodes[0].mine(100);
    stage.nodes[0].chain = "test";
    stage.start();
    stage.run_for(60s);
    CHECK(stage.health(0) == NodeHealth::WrongChain);
    CHECK(stage.reason(0) == "chain is test");
    CHECK(stage.template_times.empty());
  }
}

TEST_CASE("G-24: a node that fell back is not used") {
  Stage stage = settled();
  for (std::uint32_t i = 1; i <= 110; ++i) stage.nodes[0].mine(300 + i);
  stage.run_for(2s);
  CHECK(stage.link.status(NodeIndex(0)).height == 210);
  stage.forget();
  stage.nodes[0].blocks.resize(11);
  stage.run_for(3s);
  CHECK(stage.health(0) == NodeHealth::NotReady);
  CHECK(stage.reason(0) == "rolled back from height 210 to 110");
  // Until it has stood by it for ten minutes: then it is its chain.
  stage.run_for(9min);
  CHECK(stage.health(0) == NodeHealth::NotReady);
  CHECK(stage.count<TemplateReady>() == 0);
  stage.run_for(1min);
  CHECK(stage.health(0) == NodeHealth::Ready);
  REQUIRE(stage.count<TemplateReady>() >= 1);
  CHECK(stage.all<TemplateReady>()[0].block_template->height == 111);
}

TEST_CASE("D04: a full work queue is waited for, 50 to 400 ms each time") {
  Stage stage = settled();
  stage.nodes[0].http_status = 503;
  stage.run_for(3s);
  CHECK(stage.health(0) == NodeHealth::Ready);  // not at once
  CHECK(stage.asked["0 getbestblockhash"] >= 5);
  CHECK(stage.asked["0 getbestblockhash"] <= 20);
  stage.run_for(4s);
  CHECK(stage.health(0) == NodeHealth::NotReady);
  CHECK(stage.reason(0) == "HTTP 503: work queue full");
  stage.nodes[0].http_status = 200;
  stage.run_for(1s);
  CHECK(stage.health(0) == NodeHealth::Ready);
  for (unsigned failures = 1; failures < 20; ++failures) {
    const Duration wait = busy_backoff(failures, failures * 31);
    CHECK(wait >= 50ms);
    CHECK(wait <= 400ms);
  }
}

TEST_CASE("401 says what to look at") {
  Stage stage = settled();
  stage.nodes[0].http_status = 401;
  stage.run_for(2s);
  CHECK(stage.health(0) == NodeHealth::NotReady);
  CHECK(stage.reason(0) == "HTTP 401: user, password or cookie refused");
}

TEST_CASE("D06: a bad template is refused by name, the last good one kept, an alarm raised") {
  Stage stage = settled();
  stage.nodes[0].spoil = [](TemplateText& text) { text.fields["mintime"] = "1800000000"; };
  ++stage.nodes[0].version_of_mempool;
  stage.run_for(8s);
  REQUIRE(stage.count<TemplateRefused>() == 1);
  CHECK(stage.all<TemplateRefused>()[0].reason == "mintime: above curtime");
  CHECK(stage.count<TemplateReady>() == 0);
  REQUIRE(stage.count<TemplatesMissing>() == 1);
  CHECK(stage.template_times.size() < 20);
  stage.nodes[0].spoil = nullptr;
  stage.run_for(11s);
  CHECK(stage.count<TemplateReady>() >= 1);
  CHECK(stage.all<TemplatesMissing>().back().for_s == 0);
}

TEST_CASE("G-29, G-18: what contradicts the last good one is refused") {
  Stage stage = settled(1, on(Network::Main), kMainBits);
  const auto spoil = [&](const std::string& key, const std::string& raw) {
    stage.nodes[0].spoil = [=](TemplateText& text) {
      text.fields[key] = raw;
      if (key == "bits")
        text.fields["target"] = in_quotes(Target::from_compact(CompactTarget(0x1d00ffff))->hex());
    };
    ++stage.nodes[0].version_of_mempool;
    stage.run_for(2s);
  };
  SUBCASE("other bits") {
    spoil("bits", in_quotes("1d00ffff"));
    REQUIRE(stage.count<TemplateRefused>() == 1);
    CHECK(stage.all<TemplateRefused>()[0].reason == "bits: differ from the last on the same tip");
  }
  SUBCASE("other height") {
    spoil("height", "205");
    REQUIRE(stage.count<TemplateRefused>() == 1);
    CHECK(stage.all<TemplateRefused>()[0].reason ==
          "height: differs from the last on the same tip");
  }
  SUBCASE("years away") {
    spoil("curtime", "1900000000");
    REQUIRE(stage.count<TemplateRefused>() == 1);
    CHECK(stage.all<TemplateRefused>()[0].reason.starts_with("curtime: "));
  }
  CHECK(stage.count<TemplateReady>() == 0);
}

TEST_CASE("a thousand random faults: one question a lane, no busy loop, and it recovers") {
  Stage stage = settled(3);
  std::uint32_t seed = 12345;
  const auto random = [&seed](std::uint32_t below) {
    seed = seed * 1'664'525 + 1'013'904'223;
    return (seed >> 8) % below;
  };
  std::uint32_t number = 1'000;
  for (int i = 0; i < 1'000; ++i) {
    ScriptedNode& node = stage.nodes[random(3)];
    switch (random(10)) {
      case 0:
        node.up = !node.up;
        break;
      case 1:
        node.hangs = !node.hangs;
        break;
      case 2:
        node.http_status = random(2) ? 503 : 200;
        break;
      case 3:
        node.error_code = random(2) ? -28 : 0;
        break;
      case 4:
        node.hold_templates = !node.hold_templates;
        break;
      case 5:
        node.latency = std::chrono::milliseconds(1 + random(900));
        break;
      case 6:
        node.long_poll_loops = !node.long_poll_loops;
        break;
      case 7:
        ++node.version_of_mempool;
        break;
      default:
        ++number;
        for (ScriptedNode& each : stage.nodes) each.mine(number);
    }
    stage.hint(random(3));
    stage.run_for(std::chrono::milliseconds(random(700)));
    stage.events.clear();
  }
  for (ScriptedNode& node : stage.nodes) {
    ScriptedNode healthy;
    healthy.blocks = node.blocks;
    node = healthy;
  }
  stage.run_for(70s);
  stage.forget();
  for (ScriptedNode& node : stage.nodes) node.mine(9'999'999);
  stage.run_for(2s);
  REQUIRE(stage.count<TemplateReady>() >= 1);
  CHECK(stage.all<TemplateReady>().back().block_template->prev.hex() ==
        hash_number(9'999'999).hex());
  for (std::uint32_t node = 0; node < 3; ++node) CHECK(stage.health(node) == NodeHealth::Ready);
}

TEST_CASE("D11: no block for 90 minutes is an alarm, each 90 minutes, until there is one") {
  Stage stage = settled(2, on(Network::Main), kMainBits, 850'000);
  stage.run_for(std::chrono::minutes(89));
  CHECK(stage.count<TipStale>() == 0);
  stage.run_for(std::chrono::minutes(2));
  REQUIRE(stage.count<TipStale>() == 1);
  CHECK(stage.all<TipStale>()[0].for_min == 90);
  CHECK(stage.count<TemplatesMissing>() == 0);
  stage.run_for(std::chrono::minutes(90));
  CHECK(stage.count<TipStale>() == 2);
  for (ScriptedNode& node : stage.nodes) node.mine(777, kMainBits);
  stage.run_for(std::chrono::seconds(3));
  REQUIRE(stage.count<TipStale>() == 3);
  CHECK(stage.all<TipStale>()[2].for_min == 0);
}

TEST_CASE("D11: an idle regtest chain is no alarm") {
  Stage stage = settled();
  stage.run_for(std::chrono::hours(4));
  CHECK(stage.count<TipStale>() == 0);
}

TEST_CASE("D11: a node without peers is told within half a minute, and when it has some again") {
  Stage stage = settled(2, on(Network::Main), kMainBits, 850'000);
  stage.nodes[1].peers = 0;
  stage.run_for(std::chrono::seconds(35));
  REQUIRE(stage.count<NodeAlone>() == 1);
  CHECK(stage.all<NodeAlone>()[0].node == NodeIndex(1));
  CHECK(stage.all<NodeAlone>()[0].alone);
  CHECK(stage.health(1) == NodeHealth::Ready);
  CHECK(stage.link.status(NodeIndex(1)).peers == 0u);
  stage.nodes[1].peers = 3;
  stage.run_for(std::chrono::seconds(35));
  REQUIRE(stage.count<NodeAlone>() == 2);
  CHECK_FALSE(stage.all<NodeAlone>()[1].alone);
}
