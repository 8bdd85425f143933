// SPDX-License-Identifier: MIT
// Proposals: a fault of ours is known before a block is found, and what is in doubt is proven
// before it is worked on again (D07).
#include <doctest/doctest.h>

#include "node/link_state.h"
#include "scripted_node.h"

using namespace adit;
using namespace adit::test;
using namespace std::chrono_literals;

namespace {

/// Nodes with a transaction to mine, each template given out being proposed.
Stage proposing(std::size_t count = 1) {
  Stage stage = settled(count);
  stage.proposes = true;
  for (ScriptedNode& node : stage.nodes) {
    node.fees = 700;
    node.mine(101);
  }
  stage.run_for(1s);
  REQUIRE(stage.count<ProposalFailed>() == 0);
  REQUIRE(stage.asked["0 getblocktemplate proposal"] > 0);
  stage.forget();
  return stage;
}

void mine(Stage& stage, std::uint32_t number) {
  for (ScriptedNode& node : stage.nodes) node.mine(number);
  stage.hint(0);
}

}  // namespace

TEST_CASE("proposals: good, and no verdict") {
  Stage stage = settled();
  const TemplatePtr made = std::make_shared<BlockTemplate>();
  // A block was found since, so the node's tip is another one, which each kind of node says in its
  // own way: work must go on.
  const auto words = {"null",
                      "\"inconclusive-not-best-prevblk\"",
                      "\"duplicate\"",
                      "\"bad-prevblk\"",
                      "\"inconclusive-not-best-prvblk\"",
                      "\"inconclusive\"",
                      "\"inconclusive-of-another-kind\""};
  for (const char* answer : words) {
    stage.nodes[0].proposal = answer;
    stage.propose(made);
    stage.run_for(100ms);
  }
  CHECK(stage.asked["0 getblocktemplate proposal"] == int(words.size()));
  CHECK(stage.count<ProposalFailed>() == 0);
  CHECK(stage.count<WorkRevoked>() == 0);
}

TEST_CASE("a proposal fails: the other node's template takes the place") {
  Stage stage = proposing(2);
  stage.nodes[0].proposal = "\"bad-cb-amount\"";
  mine(stage, 102);
  stage.run_for(100ms);
  REQUIRE(stage.count<ProposalFailed>() == 1);
  CHECK(stage.all<ProposalFailed>()[0].reason == "bad-cb-amount");
  REQUIRE(stage.count<WorkRevoked>() == 1);
  CHECK(stage.all<WorkRevoked>()[0].instead->coinbase_value.value() == 50 * kCoin + 700);
  CHECK(stage.all<WorkRevoked>()[0].instead != stage.all<ProposalFailed>()[0].block_template);
  stage.forget();
  stage.run_for(40s);
  for (const TemplateReady& ready : stage.all<TemplateReady>()) CHECK(ready.node == NodeIndex(1));
}

TEST_CASE("every proposal fails: one full template goes out, and work is coinbase-only after it") {
  Stage stage = proposing();
  stage.nodes[0].proposal = "\"bad-cb-amount\"";
  mine(stage, 102);
  stage.run_for(60s);
  CHECK(stage.count<TemplateReady>() == 1);
  REQUIRE(stage.count<WorkRevoked>() == 1);
  CHECK(stage.all<WorkRevoked>()[0].instead->transactions.empty());
  CHECK(stage.all<WorkRevoked>()[0].instead->coinbase_value.value() == 50 * kCoin);
  CHECK(stage.all<WorkRevoked>()[0].instead->prev.hex() == hash_number(102).hex());
  CHECK(stage.count<ProposalFailed>() >= 5);
  CHECK(stage.count<ProposalFailed>() <= 7);  // 1, 2, 4 ... 30 s apart
  stage.forget();
  for (std::uint32_t number = 103; number < 108; ++number) {
    mine(stage, number);
    stage.run_for(5s);
  }
  CHECK(stage.count<TemplateReady>() == 0);
  CHECK(stage.count<TipChanged>() == 5);
  int given = stage.count<WorkRevoked>();
  for (const TipChanged& changed : stage.all<TipChanged>()) given += changed.empty != nullptr;
  CHECK(given == 5);
  CHECK(stage.count<ProposalFailed>() == 5);  // a new tip is tried at once
  stage.forget();
  stage.nodes[0].proposal = "null";
  stage.run_for(31s);
  REQUIRE(stage.count<TemplateReady>() >= 1);
  CHECK(stage.all<TemplateReady>()[0].proven);
  CHECK(!stage.all<TemplateReady>()[0].new_tip);
  CHECK(stage.all<TemplateReady>()[0].block_template->transactions.size() == 1);
  stage.forget();
  mine(stage, 108);
  stage.run_for(1s);
  REQUIRE(stage.count<TemplateReady>() == 1);  // trusted again: the work comes first
  CHECK(!stage.all<TemplateReady>()[0].proven);
}

TEST_CASE("in doubt, on a tip whose bits only a template tells: coinbase-only work all the same") {
  Stage stage = settled(1, on(Network::Testnet4), kMainBits);
  stage.proposes = true;
  stage.nodes[0].fees = 700;
  stage.nodes[0].proposal = "\"bad-cb-amount\"";
  for (std::uint32_t number = 101; number < 104; ++number) {
    stage.nodes[0].mine(number, kMainBits);
    stage.run_for(2s);
    REQUIRE(stage.count<WorkRevoked>() == 1);
    const TemplatePtr bare = stage.all<WorkRevoked>()[0].instead;
    CHECK(bare->prev.hex() == hash_number(number).hex());
    CHECK(bare->transactions.empty());
    CHECK(stage.count<TemplateReady>() == (number == 101 ? 1 : 0));
    stage.forget();
  }
}

TEST_CASE("an older proposal fails, the newer one passes: its work comes back at once") {
  Stage stage = proposing();
  stage.nodes[0].proposal = "\"bad-txns\"";
  stage.nodes[0].proposal_latency = 600ms;
  stage.nodes[0].fees = 800;
  ++stage.nodes[0].version_of_mempool;
  stage.run_for(510ms);  // under way
  stage.nodes[0].fees = 900;
  ++stage.nodes[0].version_of_mempool;
  stage.run_for(510ms);
  REQUIRE(stage.count<TemplateReady>() == 2);
  stage.run_for(85ms);
  REQUIRE(stage.count<WorkRevoked>() == 1);
  stage.nodes[0].proposal = "null";
  stage.run_for(200ms);
  REQUIRE(stage.count<TemplateReady>() == 3);
  CHECK(stage.all<TemplateReady>()[2].block_template ==
        stage.all<TemplateReady>()[1].block_template);
}

TEST_CASE("a block was refused in earnest: proven first, by the same nodes") {
  Stage stage = proposing(2);
  const auto distrust = [&stage] {
    stage.link.distrust(stage.now);
    stage.run_for(100ms);
  };
  distrust();
  REQUIRE(stage.count<WorkRevoked>() == 1);
  CHECK(stage.all<WorkRevoked>()[0].instead->transactions.empty());
  REQUIRE(stage.count<TemplateReady>() == 1);  // it passes
  CHECK(stage.all<TemplateReady>()[0].proven);
  stage.forget();
  for (ScriptedNode& node : stage.nodes) node.proposal = "\"bad-txns-inputs-missingorspent\"";
  distrust();
  stage.run_for(60s);
  CHECK(stage.count<WorkRevoked>() == 1);
  CHECK(stage.count<TemplateReady>() == 0);
  CHECK(stage.count<ProposalFailed>() <= 14);
}

TEST_CASE("a slow proposal holds up no template") {
  NodeOptions options = regtest();
  options.first_long_poll = 60s;
  Stage stage(options, 1);
  stage.proposes = true;
  stage.nodes[0].mine(100);
  stage.nodes[0].proposal_latency = 15s;
  stage.start();
  stage.run_for(2s);
  stage.forget();
  stage.nodes[0].mine(101);
  stage.hint(0);
  stage.run_for(1s);
  REQUIRE(stage.count<TemplateReady>() == 1);
  CHECK(stage.all<TemplateReady>()[0].block_template->height == 102);
}

TEST_CASE("proposals: the newest counts") {
  Stage stage = settled();
  for (int i = 0; i < 50; ++i) stage.propose(std::make_shared<BlockTemplate>());
  stage.run_for(100ms);
  CHECK(stage.asked["0 getblocktemplate proposal"] == 2);
}

TEST_CASE("proposals: no answer is tried elsewhere, and told when there is none at all") {
  Stage stage = settled(2);
  const TemplatePtr made = std::make_shared<BlockTemplate>();
  stage.nodes[0].up = false;
  stage.propose(made);
  stage.run_for(5s);
  CHECK(stage.asked["1 getblocktemplate proposal"] == 1);
  CHECK(stage.count<ProposalFailed>() == 0);
  CHECK(stage.count<ProposalUnanswered>() == 0);
  stage.forget();
  stage.nodes[1].proposal = "";  // an error
  stage.propose(made);
  stage.run_for(5s);
  CHECK(stage.asked["1 getblocktemplate proposal"] == 3);
  REQUIRE(stage.count<ProposalUnanswered>() == 1);
  CHECK(stage.all<ProposalUnanswered>()[0].reason == "told so");
}

TEST_CASE("in doubt, and no node that judges: asked again, ever more rarely") {
  Stage stage = proposing();
  stage.nodes[0].proposal = "";
  stage.link.distrust(stage.now);
  stage.run_for(3min);
  CHECK(stage.count<TemplateReady>() == 0);
  CHECK(stage.count<ProposalUnanswered>() >= 6);
  CHECK(stage.count<ProposalUnanswered>() <= 12);
  stage.nodes[0].proposal = "null";
  stage.run_for(40s);
  CHECK(stage.count<TemplateReady>() >= 1);
}
