// SPDX-License-Identifier: MIT
// Blocks that were buried and yet lost: what is asked while nothing happens, proofs, errors, nodes
// that disagree, and the way back.
#include "ripe_stage.h"

using namespace adit;
using namespace adit::test;
using namespace std::chrono_literals;

namespace {

/// Ripe blocks at 1,000, 1,020 and 1,050 under a tip of 1,200, all seen on the chain.
RipeStage three_ripe(std::size_t nodes = 1) {
  RipeStage stage(nodes);
  stage.grow(1, 1'200);
  for (const std::uint32_t at : {1'020u, 1'000u, 1'050u}) stage.add(at);
  stage.tip();
  stage.run_for(1s);
  REQUIRE(stage.questions() == 3);
  REQUIRE(stage.events.empty());
  return stage;
}

}  // namespace

TEST_CASE("ripe: nothing is asked before a tip, nor without blocks") {
  RipeStage stage;
  stage.grow(1, 1'200);
  stage.run_for(1h);
  stage.tip();
  stage.run_for(1h);
  CHECK(!stage.watch.deadline());
  stage.add(1'100);
  stage.run_for(1ms);
  CHECK(stage.questions() == 0);
  RipeStage early;
  early.grow(1, 1'200);
  early.add(1'100);
  early.run_for(1h);
  CHECK(early.questions() == 0);
}

TEST_CASE("ripe: one question a tip and each ten minutes, while all is well") {
  RipeStage stage = three_ripe();
  stage.tip();
  stage.run_for(1s);
  CHECK(stage.asked ==
        std::vector<std::string>{"0 getblockheader [\"" + block_hash(1'050, 0).hex() + "\"]"});
  stage.asked.clear();
  stage.run_for(1h);
  CHECK(stage.questions() == 6);
  // A newer block: it and the next one are seen together once.
  stage.add(1'090);
  stage.tip();
  stage.run_for(1s);
  CHECK(stage.questions() == 2);
  stage.tip();
  stage.run_for(1s);
  CHECK(stage.questions() == 1);
  CHECK(stage.events.empty());
}

TEST_CASE("ripe: a deep reorg is told after two proofs, five seconds apart") {
  RipeStage stage = three_ripe();
  stage.reorg(1'010, 1'201, 1);
  const Instant begun = stage.now;
  stage.tip();
  stage.run_for(4s);
  CHECK(stage.events.empty());
  // Down to the newest that is still on the chain.
  CHECK(stage.questions() == 3 + 3 + 1);
  stage.run_for(2s);
  REQUIRE(stage.events.size() == 2);
  for (const auto& [at, event] : stage.events) {
    CHECK(at >= begun + 5s);
    CHECK(event.state == RipeState::Lost);
    CHECK(event.confirmations == 0);
  }
  CHECK(stage.events[0].second.hash == block_hash(1'050, 0));
  CHECK(stage.events[1].second.hash == block_hash(1'020, 0));
  CHECK(stage.events[1].second.detail ==
        "node 0: buried at this height: " + block_hash(1'020, 1).hex());
  stage.run_for(1h);
  CHECK(stage.events.size() == 2);
}

TEST_CASE("ripe: a rival of six proves nothing, one of seven does") {
  for (const std::uint32_t height : {1'055u, 1'056u}) {
    RipeStage stage = three_ripe();
    stage.reorg(1'030, height, 1);
    stage.tip();
    stage.run_for(10s);
    CHECK(stage.events.size() == (height == 1'056 ? 1 : 0));
  }
}

TEST_CASE("ripe: no block at its height proves nothing, and hastes nothing") {
  RipeStage stage = three_ripe();
  stage.trees[0].cut(1'030);
  stage.tip();
  stage.run_for(29min);
  CHECK(stage.events.empty());
  // Three rounds: header and hash of the newest, and the header of the next.
  CHECK(stage.questions() == 3 * 3);
}

TEST_CASE("ripe: the row of proofs is broken by a look that proves nothing") {
  RipeStage stage = three_ripe();
  stage.reorg(1'030, 1'201, 1);
  stage.tip();
  stage.run_for(2s);
  stage.reorg(1'030, 1'202, 0);
  stage.run_for(10s);
  CHECK(stage.events.empty());
  stage.reorg(1'030, 1'203, 1);
  stage.tip();
  stage.run_for(4s);
  CHECK(stage.events.empty());
  stage.run_for(2s);
  CHECK(stage.events.size() == 1);
}

TEST_CASE("ripe: two looks in less than five seconds are one proof") {
  RipeStage stage = three_ripe();
  stage.reorg(1'030, 1'201, 1);
  for (int i = 0; i < 4; ++i) {
    stage.tip();
    stage.run_for(1s);
  }
  CHECK(stage.events.empty());
  stage.run_for(1100ms);
  CHECK(stage.events.size() == 1);
}

TEST_CASE("ripe: errors and silence prove nothing, and are no flood") {
  for (const int error : {-28, -1, -32601, 0}) {
    CAPTURE(error);
    RipeStage stage = three_ripe();
    stage.reorg(1'010, 1'201, 1);
    stage.trees[0].error = error;
    stage.trees[0].down = error == 0;
    stage.tip();
    stage.run_for(10min);
    CHECK(stage.events.empty());
    CHECK(stage.questions() <= 61);
    stage.trees[0].error = 0;
    stage.trees[0].down = false;
    stage.run_for(30s);
    CHECK(stage.events.size() == 2);
  }
}

TEST_CASE("ripe: odd answers prove nothing") {
  for (const char* odd : {"null", "[]", "{}", R"({"confirmations":"-1"})", R"("00")", "7"}) {
    CAPTURE(odd);
    RipeStage stage = three_ripe();
    stage.trees[0].odd = odd;
    stage.tip();
    stage.run_for(1h);
    CHECK(stage.events.empty());
    CHECK(stage.questions() <= 361);
  }
}

TEST_CASE("ripe: errors at each step of a look begin it anew") {
  for (int step = 0; step < 6; ++step) {
    CAPTURE(step);
    RipeStage stage = three_ripe();
    stage.reorg(1'030, 1'201, 1);
    stage.tip();
    int answered = 0;
    while (stage.events.empty() && stage.now < Instant{} + 1min) {
      stage.trees[0].error = answered == step ? -28 : 0;
      const std::size_t before = stage.asked.size();
      stage.run_for(stage.pending ? Duration(1ms) : Duration(100ms));
      if (stage.asked.size() != before || !stage.pending) ++answered;
    }
    CHECK(stage.events.size() == 1);
  }
}

TEST_CASE("ripe: a node that never had the block is believed like any other") {
  RipeStage stage(2);
  stage.grow(1, 1'200);
  const BlockHash ours = stage.add(1'100, 5);
  for (BlockTree& tree : stage.trees) CHECK(!tree.holds(ours));
  stage.tip();
  stage.run_for(10s);
  CHECK(stage.states[ours] == RipeState::Lost);
}

TEST_CASE("ripe: one node that has it on its chain is enough, whichever was asked first") {
  RipeStage stage = three_ripe(3);
  stage.reorg(1'030, 1'201, 1, 0);
  stage.reorg(1'030, 1'201, 1, 1);
  stage.tip();
  stage.run_for(1h);
  CHECK(stage.events.empty());
  CHECK(stage.questions() <= 7 * 8);  // a round and its second look, each ten minutes
  stage.reorg(1'030, 1'201, 1, 2);
  stage.tip();
  stage.run_for(10s);
  CHECK(stage.events.size() == 1);
}

TEST_CASE("ripe: other nodes that are down hold up nothing") {
  RipeStage stage = three_ripe(3);
  stage.reorg(1'030, 1'201, 1, 1);
  stage.trees[0].down = true;
  stage.trees[2].error = -28;
  stage.tip(1);
  stage.run_for(15s);
  CHECK(stage.events.size() == 1);
}

TEST_CASE("ripe: back on the chain, ripe at once or when it is 100 deep") {
  RipeStage stage = three_ripe();
  stage.reorg(1'040, 1'201, 1);
  stage.tip();
  stage.run_for(10s);
  const BlockHash ours = block_hash(1'050, 0);
  REQUIRE(stage.states[ours] == RipeState::Lost);
  stage.events.clear();

  SUBCASE("at once") {
    stage.reorg(1'040, 1'210, 0);
    stage.tip();
    stage.run_for(1s);
    REQUIRE(stage.events.size() == 2);
    CHECK(stage.events[0].second.state == RipeState::Unripe);
    CHECK(stage.events[0].second.confirmations == 161);
    CHECK(stage.events[1].second.state == RipeState::Ripe);
    CHECK(stage.events[1].second.confirmations == 161);
    // And lost again.
    stage.reorg(1'040, 1'211, 2);
    stage.tip();
    stage.run_for(10s);
    CHECK(stage.states[ours] == RipeState::Lost);
  }
  SUBCASE("by more work in fewer blocks") {
    stage.reorg(1'040, 1'148, 0);
    stage.tip();
    stage.run_for(1s);
    REQUIRE(stage.events.size() == 1);
    CHECK(stage.events[0].second.state == RipeState::Unripe);
    CHECK(stage.events[0].second.confirmations == 99);
    stage.run_for(1h);
    CHECK(stage.events.size() == 1);
    stage.grow(1'149, 1'149);
    stage.tip();
    stage.run_for(1s);
    CHECK(stage.states[ours] == RipeState::Ripe);
    CHECK(stage.depths[ours] == 100);
  }
}

TEST_CASE("ripe: lost and unripe ones are taken up after a restart") {
  RipeStage stage;
  stage.grow(1, 1'200);
  const BlockHash lost = stage.add(1'060, 3, RipeState::Lost);
  const BlockHash back = stage.add(1'070, 0, RipeState::Lost);
  const BlockHash young = stage.add(1'150, 0, RipeState::Unripe);
  const BlockHash gone = stage.add(1'140, 4, RipeState::Unripe);
  stage.tip();
  stage.run_for(10s);
  CHECK(stage.states[lost] == RipeState::Lost);
  CHECK(stage.states[back] == RipeState::Ripe);
  CHECK(stage.states[young] == RipeState::Unripe);
  CHECK(stage.states[gone] == RipeState::Lost);
  CHECK(stage.events.size() == 3);
}

TEST_CASE("ripe: watched for 1,008 heights and 2,000 blocks") {
  RipeStage stage;
  stage.grow(1, 3'000);
  for (std::uint32_t at = 3'000 - 1'009; at <= 3'000 - 1'007; ++at) stage.add(at);
  stage.add(2'000);
  stage.add(2'000);
  CHECK(stage.watch.blocks() == 4);
  stage.tip();
  CHECK(stage.watch.blocks() == 3);
  stage.run_for(1s);
  CHECK(stage.questions() == 3);
  for (std::uint32_t branch = 0; branch < 3'000; ++branch) stage.add(2'500, branch);
  CHECK(stage.watch.blocks() == 2'000);
  stage.tip();
  stage.run_for(30s);
  CHECK(stage.watch.blocks() == 2'000);
  stage.grow(3'001, 3'509);
  stage.tip();
  CHECK(stage.watch.blocks() == 0);
  stage.run_for(1h);
  CHECK(!stage.watch.deadline());
}

TEST_CASE("ripe: a block is not taken for an ancestor of one on another branch") {
  RipeStage stage = three_ripe();
  // Both upper ones are lost; a third is found on the new branch, and the chain comes back without
  // 1,050: nothing but looks can tell that 1,020 is there again.
  stage.reorg(1'010, 1'201, 1);
  stage.tip();
  stage.run_for(10s);
  CHECK(stage.states[block_hash(1'020, 0)] == RipeState::Lost);
  stage.add(1'090, 1);
  stage.tip();
  stage.run_for(10s);
  stage.trees[0].cut(1'010);
  stage.grow(1'010, 1'030, 0);
  stage.reorg(1'031, 1'205, 2);
  stage.tip();
  stage.run_for(10s);
  CHECK(stage.states[block_hash(1'000, 0)] == RipeState::Ripe);
  CHECK(stage.states[block_hash(1'020, 0)] == RipeState::Ripe);
  CHECK(stage.states[block_hash(1'050, 0)] == RipeState::Lost);
  CHECK(stage.states[block_hash(1'090, 1)] == RipeState::Lost);
}
