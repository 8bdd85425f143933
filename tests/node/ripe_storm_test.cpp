// SPDX-License-Identifier: MIT
// RipeWatch against a model: whatever reorgs came, in the calm it knows what the chain holds.
#include <random>

#include "ripe_stage.h"

using namespace adit;
using namespace adit::test;
using namespace std::chrono_literals;

namespace {

/// Reorgs at random between branches that all reach the same height, and blocks found on them.
struct Storm {
  explicit Storm(unsigned seed) : random(seed) { stage.grow(1, 1'400), remember(); }
  std::mt19937 random;
  RipeStage stage{2};
  std::vector<std::map<std::uint32_t, BlockHash>> chains;
  std::vector<BlockHash> found;

  std::uint32_t chance(std::size_t below) { return static_cast<std::uint32_t>(random() % below); }
  void remember() { chains.push_back(stage.trees[0].chain); }
  void blow() {
    if (chance(2) == 0) {
      if (chance(2) == 0 || chains.size() > 20) {
        for (BlockTree& tree : stage.trees) tree.chain = chains[chance(chains.size())];
        stage.trees[1].chain = stage.trees[0].chain;
      } else {
        stage.reorg(1'000 + chance(250), 1'400, static_cast<std::uint32_t>(chains.size()));
        remember();
      }
    }
    const std::uint32_t at = 1'000 + chance(250);
    const BlockHash hash = stage.trees[0].chain.at(at);
    if (chance(2) == 0 && !stage.states.contains(hash)) {
      stage.watch.add(hash, at, RipeState::Ripe, stage.now);
      stage.states[hash] = RipeState::Ripe;
      found.push_back(hash);
    }
    stage.trees[1].down = chance(4) == 0;
    stage.tip();
    stage.run_for(chance(2) == 0 ? std::chrono::milliseconds(chance(20))
                                 : std::chrono::milliseconds(chance(6'000)));
  }
};

}  // namespace

TEST_CASE("ripe: random reorgs; when it is calm, the states are what the chain says") {
  for (const unsigned seed : {1u, 2u, 3u, 4u}) {
    Storm storm(seed);
    RipeStage& stage = storm.stage;
    for (int round = 0; round < 150; ++round) {
      for (std::uint32_t i = storm.chance(6); i > 0; --i) storm.blow();
      stage.run_for(9min);
      for (const BlockHash& hash : storm.found)
        REQUIRE(stage.states[hash] ==
                (stage.trees[0].holds(hash) ? RipeState::Ripe : RipeState::Lost));
    }
    CHECK(storm.found.size() > 50);
    CHECK(stage.events.size() > 100);
  }
}
