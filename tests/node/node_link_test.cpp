// SPDX-License-Identifier: MIT
// NodeLink against scripted nodes on a virtual clock: who brings the new tip, whose template is
// taken, failover, hints (D03, D09, D16; G-40), proposals. Faults are in node_fault_test.cpp.
#include <doctest/doctest.h>

#include "node/link_state.h"
#include "scripted_node.h"

using namespace adit;
using namespace adit::test;
using namespace std::chrono_literals;

TEST_CASE("start: checks, then a template at once and a long poll with its id") {
  Stage stage(regtest(), 1);
  stage.nodes[0].mine(100);
  stage.start();
  stage.run_for(50ms);
  REQUIRE(stage.count<TemplateReady>() == 1);
  CHECK(stage.all<TemplateReady>()[0].new_tip);
  CHECK(stage.all<TemplateReady>()[0].block_template->height == 101);
  CHECK(stage.link.status(NodeIndex(0)).version == "/Satoshi:28.1.0/");
  CHECK(stage.link.status(NodeIndex(0)).height == 100);
  CHECK(stage.asked["0 getblocktemplate"] == 1);
  CHECK(stage.asked["0 getblocktemplate longpoll"] == 1);
}

TEST_CASE("new tip: the long poll brings the template, no empty job is needed") {
  Stage stage = settled();
  stage.nodes[0].mine(101);
  stage.run_for(100ms);
  REQUIRE(stage.count<TemplateReady>() == 1);
  CHECK(stage.all<TemplateReady>()[0].new_tip);
  CHECK(stage.all<TemplateReady>()[0].block_template->height == 102);
  stage.run_for(2s);
  CHECK(stage.count<TipChanged>() == 0);
  CHECK(stage.count<TemplateReady>() == 1);
}

TEST_CASE("new tip by the poll: an empty job within a second, the template after the grace") {
  Stage stage = settled();
  stage.run_for(1s);
  stage.forget();
  stage.nodes[0].hold_templates = true;
  stage.nodes[0].mine(101);
  stage.run_for(1100ms);
  REQUIRE(stage.count<TipChanged>() == 1);
  const TipChanged changed = stage.all<TipChanged>()[0];
  CHECK(changed.tip.hex() == hash_number(101).hex());
  CHECK(changed.height == 101);
  REQUIRE(changed.empty);
  CHECK(changed.empty->height == 102);
  CHECK(changed.empty->prev == changed.tip);
  CHECK(changed.empty->bits.value() == kRegtestBits);
  CHECK(changed.empty->mintime == 1'700'000'001);
  CHECK(changed.empty->curtime >= 1'700'000'600);
  CHECK(changed.empty->version == 0x20000000);
  CHECK(changed.empty->coinbase_value.value() == 50 * kCoin);
  stage.run_for(300ms);
  CHECK(stage.asked["0 getblocktemplate"] == 1);
  stage.nodes[0].hold_templates = false;
  stage.run_for(10ms);
  REQUIRE(stage.count<TemplateReady>() >= 1);
  CHECK(!stage.all<TemplateReady>()[0].new_tip);
}

TEST_CASE("new tip by a hint: within milliseconds") {
  Stage stage = settled();
  stage.run_for(300ms);
  stage.forget();
  stage.nodes[0].hold_templates = true;
  stage.nodes[0].mine(101);
  stage.hint(0);
  stage.run_for(5ms);
  CHECK(stage.count<TipChanged>() == 1);
}

TEST_CASE("a flood of hints is one question") {
  Stage stage = settled();
  stage.run_for(300ms);
  stage.forget();
  for (int i = 0; i < 10'000; ++i) stage.hint(0);
  CHECK(stage.asked["0 getbestblockhash"] == 1);
  stage.run_for(100ms);
  CHECK(stage.asked["0 getbestblockhash"] == 2);
  stage.forget();
  for (int i = 0; i < 1'000; ++i) {
    stage.hint(0);
    stage.run_for(1ms);
  }
  CHECK(stage.asked["0 getbestblockhash"] <= 51);
}

TEST_CASE("no hint, no long poll: the poll alone finds the tip within a second") {
  Stage stage = settled();
  for (std::uint32_t i = 1; i <= 5; ++i) {
    stage.forget();
    stage.nodes[0].hold_templates = true;
    stage.nodes[0].mine(100 + i);
    stage.run_for(1010ms);
    CHECK(stage.count<TipChanged>() == 1);
  }
}

TEST_CASE("no empty job where the next bits are not certain") {
  CHECK(next_bits_certain(Network::Main, 2'014));
  CHECK(!next_bits_certain(Network::Main, 2'015));
  CHECK(next_bits_certain(Network::Main, 2'016));
  CHECK(!next_bits_certain(Network::Signet, 4'031));
  CHECK(!next_bits_certain(Network::Testnet4, 5));
  CHECK(next_bits_certain(Network::Regtest, 2'015));
  for (const std::uint32_t height : {2'013u, 2'014u}) {
    CAPTURE(height);
    Stage stage = settled(1, on(Network::Main), kMainBits, height);
    stage.nodes[0].hold_templates = true;
    stage.nodes[0].mine(101, kMainBits);
    stage.hint(0);
    stage.run_for(100ms);
    REQUIRE(stage.count<TipChanged>() == 1);
    CHECK((stage.all<TipChanged>()[0].empty != nullptr) == (height == 2'013));
    stage.nodes[0].hold_templates = false;
    stage.run_for(1s);
    REQUIRE(stage.count<TemplateReady>() >= 1);
    CHECK(stage.all<TemplateReady>()[0].new_tip == (height == 2'014));
  }
}

TEST_CASE("the template is refreshed while the long poll is silent") {
  Stage stage = settled();
  stage.nodes[0].fees = 700;
  stage.run_for(31s);
  REQUIRE(stage.count<TemplateReady>() == 1);
  CHECK(stage.all<TemplateReady>()[0].block_template->coinbase_value.value() == 50 * kCoin + 700);
  CHECK(!stage.all<TemplateReady>()[0].new_tip);
}

TEST_CASE("G-40: a long poll id for ever the same is no busy loop") {
  Stage stage = settled();
  stage.run_for(1s);
  stage.forget();
  stage.nodes[0].long_poll_loops = true;
  ++stage.nodes[0].version_of_mempool;
  stage.run_for(60s);
  CHECK(stage.template_times.size() <= 20);
  CHECK(stage.count<TemplateReady>() <= 4);
}

TEST_CASE("never more than two template requests a second and lane, whatever changes") {
  Stage stage = settled();
  for (int i = 0; i < 2'000; ++i) {
    ++stage.nodes[0].version_of_mempool;
    stage.run_for(5ms);
  }
  CHECK(stage.asked["0 getblocktemplate longpoll"] <= 21);
}

TEST_CASE("failover: the second node's template, and return to the first") {
  Stage stage = settled(2);
  stage.nodes[0].up = false;
  stage.nodes[1].mine(101);
  stage.run_for(1500ms);
  REQUIRE(stage.count<TemplateReady>() == 1);
  CHECK(stage.all<TemplateReady>()[0].node == NodeIndex(1));
  CHECK(stage.health(0) == NodeHealth::Down);
  CHECK(stage.reason(0) == "connection refused");
  stage.run_for(20s);
  CHECK(stage.count<TemplatesMissing>() == 0);
  stage.forget();
  stage.nodes[0].up = true;
  stage.nodes[0].mine(101);
  stage.run_for(1s);
  CHECK(stage.health(0) == NodeHealth::Ready);
  REQUIRE(stage.count<TemplateReady>() == 1);
  CHECK(stage.all<TemplateReady>()[0].node == NodeIndex(0));
  CHECK(!stage.all<TemplateReady>()[0].new_tip);
}

TEST_CASE("the more valuable template wins; a node that is behind does not move the tip back") {
  Stage stage = settled(2);
  stage.nodes[0].fees = 100;
  stage.nodes[1].fees = 900;
  for (ScriptedNode& node : stage.nodes) ++node.version_of_mempool;
  stage.run_for(1s);
  REQUIRE(stage.count<TemplateReady>() >= 1);
  CHECK(stage.all<TemplateReady>().back().node == NodeIndex(1));
  stage.forget();
  stage.nodes[0].mine(101);
  stage.run_for(70s);
  for (const TemplateReady& ready : stage.all<TemplateReady>()) {
    CHECK(ready.node == NodeIndex(0));
    CHECK(ready.block_template->height == 102);
  }
  CHECK(stage.count<TipChanged>() == 0);
  stage.nodes[0].up = false;  // a short absence is no reorg
  stage.run_for(3s);
  CHECK(stage.all<TemplateReady>().back().node == NodeIndex(0));
  stage.run_for(5s);
  CHECK(stage.all<TemplateReady>().back().node == NodeIndex(1));
  CHECK(stage.all<TemplateReady>().back().new_tip);
}

TEST_CASE("D03: a node that hangs holds nobody up") {
  Stage stage = settled(2);
  stage.nodes[0].hold_templates = true;
  for (ScriptedNode& node : stage.nodes) node.mine(101);
  stage.run_for(500ms);
  REQUIRE(stage.count<TemplateReady>() == 1);
  CHECK(stage.all<TemplateReady>()[0].node == NodeIndex(1));
}

TEST_CASE("a tip seen at one node makes the others be asked") {
  Stage stage = settled(2);
  stage.run_for(200ms);
  stage.forget();
  for (ScriptedNode& node : stage.nodes) node.mine(101);
  stage.nodes[1].hold_templates = true;
  stage.hint(0);
  stage.run_for(30ms);
  CHECK(stage.link.status(NodeIndex(1)).height == 101);
}

TEST_CASE("a reorg to the same height and back is followed") {
  Stage stage = settled();
  stage.nodes[0].mine(101);
  stage.run_for(2s);
  stage.forget();
  stage.nodes[0].blocks.back().hash = hash_number(201);
  stage.run_for(2s);
  CHECK(stage.link.status(NodeIndex(0)).tip.hex() == hash_number(201).hex());
  REQUIRE(stage.count<TemplateReady>() >= 1);
  CHECK(stage.all<TemplateReady>().back().block_template->prev.hex() == hash_number(201).hex());
  stage.nodes[0].blocks.back().hash = hash_number(101);
  stage.run_for(2s);
  CHECK(stage.all<TemplateReady>().back().block_template->prev.hex() == hash_number(101).hex());
}

TEST_CASE("an answer that a newer one overtook does not move the tip back") {
  Stage stage = settled();
  stage.nodes[0].answers_when_asked = true;
  stage.nodes[0].latency = 200ms;
  const auto all_on = [&](std::uint32_t number) {
    for (const auto& [at, event] : stage.events) {
      if (const auto* changed = std::get_if<TipChanged>(&event))
        CHECK(changed->tip.hex() == hash_number(number).hex());
      if (const auto* status = std::get_if<NodeChanged>(&event))
        CHECK(status->status.tip.hex() == hash_number(number).hex());
    }
  };
  SUBCASE("the best hash was asked for before the long poll told of the next block") {
    stage.hint(0);
    stage.run_for(10ms);
    REQUIRE(stage.asked["0 getbestblockhash"] == 1);
    stage.nodes[0].mine(101);
    stage.run_for(3s);
    REQUIRE(stage.count<TemplateReady>() == 1);
    all_on(101);
  }
  SUBCASE("the header was, and it was of the tip then") {
    stage.nodes[0].hold_templates = true;
    stage.nodes[0].mine(101);
    stage.hint(0);
    stage.run_for(210ms);
    REQUIRE(stage.asked["0 getblockheader"] == 1);
    stage.nodes[0].hold_templates = false;
    stage.nodes[0].mine(102);
    stage.run_for(3s);
    all_on(102);
  }
  SUBCASE("the header was asked for later, when another block stood on it") {
    stage.nodes[0].hold_templates = true;
    stage.nodes[0].mine(101);
    stage.hint(0);
    stage.run_for(10ms);
    REQUIRE(stage.asked["0 getbestblockhash"] == 1);
    stage.nodes[0].mine(102);
    stage.run_for(3s);
    CHECK(stage.count<TipChanged>() == 1);
    all_on(102);
  }
  CHECK(stage.link.status(NodeIndex(0)).height >= 101);
}

TEST_CASE("two tips of one height: the first seen stays") {
  Stage stage = settled(2);
  stage.nodes[0].mine(101);
  stage.run_for(10ms);
  stage.nodes[1].mine(201);
  stage.nodes[1].fees = 5'000;
  stage.run_for(100s);
  for (const TemplateReady& ready : stage.all<TemplateReady>())
    CHECK(ready.block_template->prev.hex() == hash_number(101).hex());
  stage.nodes[1].mine(202);
  stage.run_for(2s);
  CHECK(stage.all<TemplateReady>().back().block_template->prev.hex() == hash_number(202).hex());
}

TEST_CASE("the only teller of a tip dies: the other node's work is given back") {
  Stage stage = settled(2);
  stage.run_for(1s);
  stage.forget();
  stage.nodes[1].hold_templates = true;
  stage.nodes[1].mine(101);
  stage.hint(1);
  stage.run_for(50ms);
  REQUIRE(stage.count<TipChanged>() == 1);
  CHECK(stage.count<TemplateReady>() == 0);
  stage.nodes[1].up = false;
  stage.run_for(7s);
  REQUIRE(stage.count<TemplateReady>() == 1);
  CHECK(stage.all<TemplateReady>()[0].new_tip);
  CHECK(stage.all<TemplateReady>()[0].block_template->prev.hex() == hash_number(100).hex());
}

TEST_CASE("a tip comes and goes before its template: work returns to the old one") {
  Stage stage = settled();
  stage.run_for(1s);
  stage.forget();
  stage.nodes[0].hold_templates = true;
  const auto before = stage.nodes[0].blocks;
  stage.nodes[0].mine(101);
  stage.run_for(1100ms);
  REQUIRE(stage.count<TipChanged>() == 1);
  stage.nodes[0].blocks = before;
  stage.run_for(1100ms);
  REQUIRE(stage.count<TemplateReady>() == 1);
  CHECK(stage.all<TemplateReady>()[0].new_tip);
  CHECK(stage.all<TemplateReady>()[0].block_template->prev.hex() == hash_number(100).hex());
}

TEST_CASE("a template that a newer answer overtook is not taken") {
  Stage stage = settled();
  ScriptedNode& node = stage.nodes[0];
  node.answers_when_asked = true;
  const auto refresh_under_way = [&] {  // with what was known when it was asked for
    node.template_latency = 3s;
    stage.forget();
    for (int i = 0; i < 400 && stage.asked["0 getblocktemplate"] == 0; ++i) stage.run_for(100ms);
    REQUIRE(stage.asked["0 getblocktemplate"] == 1);
    stage.forget();
  };
  SUBCASE("on the same tip, by the long poll") {
    refresh_under_way();
    node.fees = 900;
    ++node.version_of_mempool;
    stage.run_for(100ms);
    REQUIRE(stage.count<TemplateReady>() == 1);
    stage.run_for(4s);
    REQUIRE(stage.count<TemplateReady>() == 1);
    CHECK(stage.all<TemplateReady>()[0].block_template->coinbase_value.value() == 50 * kCoin + 900);
  }
  SUBCASE("of a higher tip that is gone") {
    node.mine(101);
    node.mine(102);
    stage.run_for(3s);
    refresh_under_way();
    node.blocks.pop_back();
    node.blocks.back().hash = hash_number(201);
    stage.run_for(10s);
    for (const auto& [at, event] : stage.events)
      if (const auto* status = std::get_if<NodeChanged>(&event))
        CHECK(status->status.tip.hex() == hash_number(201).hex());
    CHECK(stage.all<TemplateReady>().back().block_template->prev.hex() == hash_number(201).hex());
  }
}

TEST_CASE(
    "where hints come, the first long poll waits, so that restarts do not use up RPC threads") {
  NodeOptions options = regtest();
  options.first_long_poll = std::chrono::seconds(60);
  Stage stage(options, 1);
  stage.nodes[0].mine(100);
  stage.start();
  stage.run_for(std::chrono::seconds(59));
  CHECK(stage.count<TemplateReady>() >= 1);
  CHECK(stage.asked["0 getblocktemplate longpoll"] == 0);
  stage.nodes[0].mine(101);
  stage.hint(0);
  stage.run_for(std::chrono::milliseconds(20));
  CHECK(stage.all<TemplateReady>().back().new_tip == false);  // the empty job came before
  CHECK(stage.all<TemplateReady>().back().block_template->prev.hex() == hash_number(101).hex());
  stage.run_for(std::chrono::seconds(2));
  CHECK(stage.asked["0 getblocktemplate longpoll"] == 1);
}
