// SPDX-License-Identifier: MIT
// The mean of recent fees: what is asked and when, reorgs, nodes that cannot tell, and a naive twin
// of the sum.
#include "adit/node/fee_watch.h"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <set>

#include "fixture.h"

using namespace adit;
using namespace adit::test;
using namespace std::chrono_literals;

namespace {

struct Chain {
  std::uint32_t height = 0;
  std::map<std::uint32_t, std::int64_t> fees;
  std::set<std::uint32_t> missing;  ///< "Block not available (pruned data)"
  bool unknown_method = false;
  std::optional<std::string> down;  ///< no answer at all
  std::optional<std::string> odd;   ///< this result, whatever was asked
  int error = 0;

  std::int64_t fee(std::uint32_t at) const {
    const auto found = fees.find(at);
    return found == fees.end() ? 1'000 + at : found->second;
  }
  std::int64_t mean() const {
    const std::uint32_t oldest = height >= 144 ? height - 143 : 1;
    std::int64_t sum = 0;
    for (std::uint32_t at = oldest; at <= height; ++at) sum += fee(at);
    return sum / (height - oldest + 1);
  }
};

struct Stage {
  explicit Stage(std::size_t nodes = 1) : chains(nodes) {}
  std::vector<Chain> chains;
  FeeWatch watch;
  Instant now{};
  std::optional<RpcRequest> pending;
  std::vector<std::uint32_t> asked;
  std::vector<std::string> warnings;
  Duration latency = 1ms;
  Instant due{};

  Chain& chain() { return chains[0]; }
  void tip(std::uint32_t height, std::uint32_t node = 0) {
    chains[node].height = height;
    watch.tip(NodeIndex(node), height, now);
    collect();
  }
  void collect() {
    for (RpcRequest& request : watch.take_requests()) {
      REQUIRE(!pending);
      REQUIRE(request.method == "getblockstats");
      REQUIRE(request.lane == RpcLane::Watch);
      REQUIRE(request.token > 1ull << 49);
      REQUIRE(request.token < 1ull << 50);
      const std::uint32_t height = height_in(request);
      REQUIRE(request.params == "[" + std::to_string(height) + R"(,["height","totalfee"]])");
      asked.push_back(height);
      pending = std::move(request);
      due = now + latency;
    }
    if (auto warning = watch.take_warning()) warnings.push_back(*warning);
  }
  static std::uint32_t height_in(const RpcRequest& request) {
    return static_cast<std::uint32_t>(std::stoul(request.params.substr(1)));
  }
  RpcAnswer answer_to(const RpcRequest& request) const {
    const Chain& chain = chains[request.node.value()];
    const std::uint32_t height = height_in(request);
    RpcAnswer answer;
    answer.token = request.token;
    answer.transport_error = chain.down;
    if (chain.down) return answer;
    answer.http_status = 200;
    int code = chain.error;
    if (code == 0 && chain.unknown_method) code = -32601;
    if (code == 0 && chain.missing.contains(height)) code = -1;
    if (code == 0 && height > chain.height) code = -8;
    if (code != 0) {
      answer.body =
          R"({"result":null,"error":{"code":)" + std::to_string(code) + R"(,"message":"told so"}})";
    } else {
      answer.body =
          R"({"result":)" +
          chain.odd.value_or(object_of({{"height", std::to_string(height)},
                                        {"totalfee", std::to_string(chain.fee(height))}})) +
          R"(,"error":null})";
    }
    return answer;
  }
  void run_for(Duration time) {
    const Instant end = now + time;
    for (;;) {
      Instant next = end;
      if (const auto at = watch.deadline()) {
        REQUIRE(!pending);
        REQUIRE(*at > now);
        next = std::min(next, *at);
      }
      if (pending) next = std::min(next, due);
      now = next;
      if (pending && due <= now) {
        const RpcRequest request = *pending;
        pending.reset();
        watch.answer(answer_to(request), now);
        collect();
      }
      watch.expire(now);
      collect();
      if (now >= end) return;
    }
  }
};

}  // namespace

TEST_CASE("fees: the newest first, 144 of them, one at a time") {
  Stage stage;
  CHECK(!stage.watch.mean());
  CHECK(!stage.watch.complete());
  stage.tip(1'000);
  CHECK(!stage.watch.settled());
  stage.run_for(1ms);
  CHECK(stage.watch.mean() == Satoshi(2'000));
  stage.run_for(1s);
  REQUIRE(stage.asked.size() == 144);
  for (std::uint32_t i = 0; i < 144; ++i) CHECK(stage.asked[i] == 1'000 - i);
  CHECK(stage.watch.complete());
  CHECK(stage.watch.settled());
  CHECK(stage.watch.mean() == Satoshi(stage.chain().mean()));
  CHECK(!stage.watch.deadline());
}

TEST_CASE("fees: a short chain is complete with what it has, without its genesis") {
  Stage stage;
  stage.tip(0);
  CHECK(stage.watch.settled());
  CHECK(!stage.watch.complete());
  stage.chain().fees = {{1, 10}, {2, 11}, {3, 12}, {4, 14}};
  stage.tip(4);
  stage.run_for(1s);
  CHECK(stage.asked == std::vector<std::uint32_t>{4, 3, 2, 1});
  CHECK(stage.watch.complete());
  CHECK(stage.watch.mean() == Satoshi(11));  // 11.75
}

TEST_CASE("fees: a new tip asks for its block and again for the five below") {
  Stage stage;
  stage.tip(500);
  stage.run_for(1s);
  stage.asked.clear();
  // A reorg: of the newest six five have other fees, and the tip stands one higher.
  for (std::uint32_t at = 496; at <= 501; ++at) stage.chain().fees[at] = 50'000 + at;
  stage.tip(501);
  CHECK(stage.watch.mean());  // by the last sums
  stage.run_for(1s);
  CHECK(stage.asked == std::vector<std::uint32_t>{501, 500, 499, 498, 497, 496});
  CHECK(stage.watch.mean() == Satoshi(stage.chain().mean()));
  // The same height again is another block.
  stage.chain().fees[501] = 7;
  stage.tip(501);
  stage.run_for(1s);
  CHECK(stage.watch.mean() == Satoshi(stage.chain().mean()));
}

TEST_CASE("fees: an answer that a new tip has overtaken is asked for again") {
  Stage stage;
  stage.tip(500);
  stage.run_for(1s);
  stage.latency = 100ms;
  stage.tip(501);
  const RpcAnswer old = stage.answer_to(*stage.pending);
  stage.run_for(50ms);
  stage.chain().fees[501] = 9'999'999;
  stage.tip(501);
  stage.pending.reset();
  stage.watch.answer(old, stage.now);
  stage.collect();
  stage.run_for(2s);
  CHECK(stage.watch.mean() == Satoshi(stage.chain().mean()));
}

TEST_CASE("fees: a naive twin, over tips and reorgs of up to six") {
  std::mt19937 random(11);
  const auto chance = [&random] { return static_cast<std::uint32_t>(random()); };
  Stage stage;
  std::uint32_t height = 100;
  for (int round = 0; round < 400; ++round) {
    const std::uint32_t gone = chance() % 6;
    // A longer branch, unless a tip was told twice.
    const std::uint32_t to = height + (chance() % 4 == 0 ? chance() % 200 : chance() % 2);
    for (std::uint32_t at = std::max(height, gone) - gone; at <= to; ++at)
      if (at + 6 > to || at > height) stage.chain().fees[at] = chance() % 100'000'000;
    height = to;
    stage.tip(height);
    stage.run_for(1s);
    REQUIRE(stage.watch.complete());
    REQUIRE(stage.watch.mean() == Satoshi(stage.chain().mean()));
  }
}

TEST_CASE("fees: pruned blocks are given up after three errors a minute apart, and told once") {
  Stage stage;
  for (std::uint32_t at = 1; at <= 950; ++at) stage.chain().missing.insert(at);
  stage.tip(1'000);
  stage.run_for(50s);
  CHECK(stage.asked.size() == 144);
  CHECK(!stage.watch.settled());
  CHECK(stage.warnings.empty());
  const auto mean = stage.watch.mean();
  stage.run_for(130s);
  CHECK(stage.asked.size() == 144 + 2 * 94);
  CHECK(stage.watch.settled());
  CHECK(!stage.watch.complete());
  CHECK(stage.watch.mean() == mean);
  REQUIRE(stage.warnings.size() == 1);
  CHECK(stage.warnings[0] ==
        "getblockstats 950: error -1: told so; its fees are left out of the mean");
  stage.asked.clear();
  stage.tip(1'001);
  stage.run_for(10min);
  CHECK(stage.asked.size() == 6);
  CHECK(stage.warnings.size() == 1);
}

TEST_CASE("fees: a node without getblockstats leaves the mean unknown and is not pestered") {
  Stage stage;
  stage.chain().unknown_method = true;
  stage.tip(1'000);
  stage.run_for(1h);
  CHECK(stage.asked.size() == 3 * 144);
  CHECK(!stage.watch.mean());
  CHECK(stage.watch.settled());
  CHECK(stage.warnings.size() == 1);
}

TEST_CASE("fees: odd answers are errors") {
  for (const char* odd : {"null", "[]", "{}", R"({"height":3})", R"({"height":4,"totalfee":1})",
                          R"({"height":3,"totalfee":-1})", R"({"height":3,"totalfee":1.5})",
                          R"({"height":3,"totalfee":2100000000000001})", R"("text")"}) {
    CAPTURE(odd);
    Stage stage;
    stage.chain().odd = odd;
    stage.tip(3);
    stage.run_for(30s);
    CHECK(stage.asked.size() == 3);
    stage.chain().odd.reset();
    stage.run_for(60s);
    CHECK(stage.watch.complete());
    CHECK(stage.warnings.empty());
  }
}

TEST_CASE("fees: a silent node is asked once a minute, for ever, and gives up nothing") {
  for (const int error : {0, -28}) {
    Stage stage;
    stage.chain().error = error;
    if (error == 0) stage.chain().down = "connection refused";
    stage.tip(1'000);
    stage.run_for(1h);
    CHECK(stage.asked.size() >= 58);
    CHECK(stage.asked.size() <= 61);
    CHECK(!stage.watch.settled());
    CHECK(stage.warnings.empty());
    stage.chain().error = 0;
    stage.chain().down.reset();
    stage.run_for(2min);
    CHECK(stage.watch.complete());
  }
}

TEST_CASE("fees: the node of the newest tip is asked, at once where another was silent") {
  Stage stage(2);
  stage.chains[0].down = "timed out";
  stage.tip(300);
  stage.run_for(10s);
  CHECK(stage.asked.size() == 1);
  stage.tip(301, 1);
  stage.run_for(1s);
  CHECK(stage.watch.complete());
  CHECK(stage.watch.mean() == Satoshi(stage.chains[1].mean()));
}

TEST_CASE("fees: a lower tip forgets what stands above it; the highest heights do no harm") {
  Stage stage;
  stage.tip(1'000);
  stage.run_for(1s);
  stage.tip(900);
  stage.run_for(1s);
  CHECK(stage.watch.mean() == Satoshi(stage.chain().mean()));
  stage.chain().fees.clear();
  stage.tip(0xffffffff);
  stage.run_for(1s);
  CHECK(stage.watch.complete());
  stage.tip(2);
  stage.run_for(1s);
  CHECK(stage.watch.mean() == Satoshi(stage.chain().mean()));
}
