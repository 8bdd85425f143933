// SPDX-License-Identifier: MIT
// Settlements that agree with themselves and with the journal, and are wrong all the same.
#include "adit/ledger/reader.h"
#include "forge.h"

namespace adit {
namespace {

using namespace test;

constexpr Satoshi kReward{320'951'337};
constexpr const char* kWindow = "pplns factor=2 fee=200 way=wallet threshold=546 weight=8000";
constexpr const char* kRound = "prop fee=0 way=wallet threshold=546 weight=8000";

/// Books it as forged.
void ripen(Bank& bank, BlockRecord& block) {
  bank.must_open();
  bank.move(block, BlockState::Accepted);
  bank.move(block, BlockState::Mature);
}

/// A block whose record names its job's terms, with this fee where one is given, or none.
BlockRecord find_untold(Bank& bank, bool promised, const std::string& fee = "") {
  const auto winner = bank.share(2, 6, 400, true);
  BlockRecord block = bank.block_of(winner, 2, 100, kReward);
  if (!promised) block.terms.clear(), block.pool_script.clear();
  if (!fee.empty())
    block.terms.replace(block.terms.find("fee="), std::string("fee=200").size(), fee);
  REQUIRE(bank.append({winner}));
  block.after = bank.ledger->last_sequence();
  REQUIRE(bank.put(block));
  return block;
}

bool found_by_both(Bank& bank, const BlockRecord& block, const std::string& text) {
  return says(audit_problems(bank, block.hash), text) && says(money_problems(bank), text);
}

}  // namespace

TEST_CASE("forged: a settlement by the slice before") {
  Bank bank(kWindow);
  worked_window(bank);
  BlockRecord block = bank.find_block(2, 6, 100, kReward, 400);
  SettlementRecord forged = bank.settlement(block);
  REQUIRE(forged.slice == 6);
  const auto weights = weights_at(bank.store, SliceNumber(5), forged.terms);
  REQUIRE(weights.ok());
  forged.slice = 5;
  divide_again(forged, *weights);
  rewrite(bank, forged);
  ripen(bank, block);
  CHECK(found_by_both(bank, block,
                      "the settlement counts up to slice 5, the block came with slice 6"));
}

TEST_CASE("forged: a settlement by another slice, or other carries, than its block's plan") {
  for (const bool slice : {true, false}) {
    Bank bank("pplns factor=2 fee=200 way=coinbase threshold=546 weight=8000");
    worked_window(bank);
    BlockRecord block = bank.find_block(2, 6, 100, kReward, 400);
    REQUIRE(block.plan_slice == 5);
    SettlementRecord forged = bank.settlement(block);
    if (slice)
      forged.slice = 4;
    else
      forged.plan_entry = 7;
    rewrite(bank, forged);
    bank.must_open();
    CHECK(found_by_both(
        bank, block,
        slice ? "the settlement counts up to slice 4, the block's plan up to slice 5"
              : "the settlement counts carries up to entry 7, the block's plan up to 0"));
  }
}

TEST_CASE("forged: a settlement by terms of another time") {
  for (const bool promised : {true, false}) {
    Bank bank("pplns factor=2 fee=1000 way=wallet threshold=546 weight=8000");
    worked_window(bank);
    bank.options.terms = terms_of("pplns factor=2 fee=0 way=wallet threshold=546 weight=8000");
    bank.must_open();
    BlockRecord block = find_untold(bank, promised);
    CHECK(audit_problems(bank, block.hash).empty());
    SettlementRecord forged = bank.settlement(block);
    forged.terms = terms_of("pplns factor=2 fee=1000 way=wallet threshold=546 weight=8000");
    divide_again(forged, weights_of(forged));
    CHECK(forged.pool_entitled > Satoshi(32'000'000));
    rewrite(bank, forged);
    ripen(bank, block);
    CHECK(found_by_both(bank, block,
                        promised ? "its job promised " + bank.options.terms.text()
                                 : "the settlement's terms were not in force with slice 6"));
  }
}

TEST_CASE("forged: terms that a block names, but the pool never had") {
  Bank bank(kWindow);
  worked_window(bank);
  BlockRecord block = find_untold(bank, true, "fee=9000");
  CHECK(found_by_both(bank, block, "the settlement's terms were never in force: pplns"));
}

TEST_CASE("forged: more room for outputs than the job had") {
  Bank bank("pplns factor=2 fee=200 way=coinbase threshold=546 weight=8000");
  worked_window(bank);
  const BlockRecord block = bank.find_block(2, 6, 100, kReward, 400);
  SettlementRecord forged = bank.settlement(block);
  forged.plan_weight -= 1000;
  rewrite(bank, forged);
  CHECK(found_by_both(bank, block, "its plan's outputs could take 7000, the block says 8000"));
}

TEST_CASE("forged: a member's address as the pool's own") {
  for (const bool promised : {true, false}) {
    Bank bank(kWindow);
    worked_window(bank);
    BlockRecord block = find_untold(bank, promised);
    SettlementRecord forged = bank.settlement(block);
    std::vector<AccountWork> others;
    for (const AccountWork& entry : weights_of(forged))
      if (entry.account == bank.account(3))
        forged.pool_work = entry.work;
      else
        others.push_back(entry);
    PayoutPlan plan;
    plan.terms = forged.terms;
    plan.pool_work = forged.pool_work;
    for (const AccountWork& w : others) plan.accounts.push_back({w.account, w.work, {}, {}});
    const PlannedCoinbase planned = plan_entitlements(plan, forged.value);
    forged.shares = planned.shares, forged.pool_entitled = planned.pool_entitled;
    forged.pool_script = member_script(3);
    rewrite(bank, forged);
    ripen(bank, block);
    CHECK(found_by_both(bank, block,
                        promised ? "its job had the pool script " + to_hex(kBankScript)
                                 : "the settlement's terms were not in force with slice 6"));
  }
}

TEST_CASE("forged: a round that takes an earlier one in") {
  Bank bank(kRound);
  bank.must_open();
  mine(bank, 1, {{1, 1000}});
  BlockRecord first = bank.find_block(1, 100, 100, kReward);
  mine(bank, 200, {{2, 9000}});
  BlockRecord second = bank.find_block(2, 300, 101, kReward);
  mine(bank, 400, {{3, 1000}});
  BlockRecord third = bank.find_block(3, 500, 102, kReward);
  CHECK(money_problems(bank).empty());
  const SettlementRecord before = bank.settlement(second);
  SettlementRecord forged = bank.settlement(third);
  forged.first_slice = before.first_slice;
  forged.slices.add(before.slices);
  std::vector<AccountWork> both = weights_of(before);
  for (const AccountWork& entry : weights_of(forged)) both.push_back(entry);
  divide_again(forged, both);
  rewrite(bank, forged);
  ripen(bank, third);
  CHECK(found_by_both(
      bank, third, "the round counts slices that block " + second.hash.hex() + " was divided by"));
}

TEST_CASE("forged: a round that goes on after its block") {
  Bank bank(kRound);
  bank.must_open();
  mine(bank, 1, {{1, 1000}});
  BlockRecord block = bank.find_block(1, 100, 100, kReward);
  mine(bank, 200, {{2, 9000}});
  SettlementRecord forged = bank.settlement(block);
  const auto more = read_slice(bank.store, SliceNumber(forged.slice + 1));
  REQUIRE((more.ok() && *more));
  forged.slices.add(SliceSet((*more)->number, (*more)->number));
  std::vector<AccountWork> both = weights_of(forged);
  for (const AccountWork& entry : (*more)->slice.entries()) both.push_back(entry);
  divide_again(forged, both);
  rewrite(bank, forged);
  ripen(bank, block);
  CHECK(found_by_both(bank, block, "the round counts slices 3-3, which its block has no part in"));
}

TEST_CASE("money: a round that was divided again when a lost block came back") {
  Bank bank(kRound);
  bank.must_open();
  mine(bank, 1, {{1, 1000}});
  BlockRecord first = bank.find_block(1, 100, 100, kReward);
  bank.move(first, BlockState::Accepted);
  bank.move(first, BlockState::Orphaned);
  mine(bank, 200, {{2, 1000}});
  BlockRecord second = bank.find_block(2, 300, 101, kReward);
  bank.move(second, BlockState::Accepted);
  bank.move(second, BlockState::Mature);
  bank.move(first, BlockState::Accepted);
  bank.move(first, BlockState::Mature);
  CHECK(audit_problems(bank, second.hash).empty());
  CHECK(money_problems(bank).empty());
  // Its first booking is no longer its settlement's, but what took it back must be all of it.
  auto& rows = bank.store.rows(Family::Credits);
  for (auto& [key, row] : rows)
    if (key[0] == 'j' && row.find("\"kind\":\"reversal\"") != std::string::npos) {
      REQUIRE(add_to_field(row, "amount", -1));
      break;
    }
  CHECK(
      says(money_problems(bank), "block " + second.hash.hex() + ": what was taken back, account"));
}

TEST_CASE("forged: the newest slice of a window, sealed again") {
  Bank bank(kWindow);
  worked_window(bank);
  BlockRecord block = bank.find_block(2, 6, 100, kReward, 400);
  mine(bank, 50, {{1, 10}});
  auto slice = read_slice(bank.store, SliceNumber(6));
  REQUIRE((slice.ok() && *slice));
  (*slice)->network.work += 1;
  bank.store.rows(Family::Slices)[key_u64(6)] = std::string(text_of((*slice)->encode()));
  CHECK(found_by_both(bank, block, "slice 7 does not name slice 6 as it stands"));
}

TEST_CASE("terms: two changes with no slice between, and a block in each") {
  const auto fee = [](int basis_points) {
    return "pplns factor=2 fee=" + std::to_string(basis_points) +
           " way=coinbase threshold=546 weight=8000";
  };
  Bank bank(fee(100));
  worked_window(bank);
  std::vector<BlockRecord> blocks;
  for (const int basis_points : {200, 300}) {
    bank.options.terms = terms_of(fee(basis_points));
    bank.must_open();
    const PlanPtr plan = bank.treasury->plan();
    BlockRecord block =
        bank.block_of(bank.share(2, 6u + blocks.size(), 400, true), 2, 100, kReward);
    const auto outputs = Bank::job_outputs(block, *plan);
    REQUIRE(bank.put(block, outputs));
    blocks.push_back(block);
  }
  for (const BlockRecord& block : blocks) CHECK(audit_problems(bank, block.hash).empty());
  CHECK(bank.settlement(blocks[0]).terms.scheme.fee_basis_points == 200);
  CHECK(money_problems(bank).empty());
}

TEST_CASE("terms: another address of the pool is a change, too") {
  Bank bank("pps fee=0 way=wallet threshold=546 weight=8000");
  bank.facts.work = 1'000'000;
  bank.must_open();
  mine(bank, 1, {{1, 1000}, {2, 500}, {0xFFFF, 300}});
  bank.options.pool_script = member_script(2);
  bank.must_open();
  // What was done before is paid to him, what comes is the pool's.
  CHECK(bank.balance(2) == Satoshi(156'250));
  mine(bank, 10, {{1, 1000}, {2, 500}, {0xFFFF, 300}});
  bank.options.pool_script = kBankScript;
  bank.must_open();
  CHECK(bank.balance(2) == Satoshi(156'250));
  CHECK(bank.balance(0xFFFF) == Satoshi(93'750));
  CHECK(bank.balance(1) == Satoshi(625'000));
  CHECK(money_problems(bank).empty());
}

TEST_CASE("missing: a settlement that the journal has booked") {
  Bank bank(kWindow);
  worked_window(bank);
  BlockRecord block = bank.find_block(2, 6, 100, kReward, 400);
  bank.move(block, BlockState::Accepted);
  bank.move(block, BlockState::Mature);
  CHECK(money_problems(bank).empty());
  std::erase_if(bank.store.rows(Family::Credits),
                [](const auto& row) { return row.first[0] == 's' || row.first[0] == 'p'; });
  const std::string missing = "the block is mature and has no settlement";
  CHECK(found_by_both(bank, block, missing));
  CHECK(says(money_problems(bank), "in the journal, but without a settlement"));
  const auto report = audit_block(bank.store, block.hash, Network::Regtest, kBankScript, {});
  CHECK_FALSE(report->settled);
  CHECK(report->settlement.block == block.hash);
  // The pool does not start to pay it again.
  CHECK_FALSE(bank.open());
  CHECK(says({bank.last_error}, "it would be paid twice"));
}

TEST_CASE("missing: a block that was taken back may be settled again") {
  Bank bank(kWindow);
  worked_window(bank);
  BlockRecord block = bank.find_block(2, 6, 100, kReward, 400);
  bank.move(block, BlockState::Accepted);
  bank.move(block, BlockState::Mature);
  bank.move(block, BlockState::Orphaned);
  CHECK(money_problems(bank).empty());
  std::erase_if(bank.store.rows(Family::Credits),
                [](const auto& row) { return row.first[0] == 's' || row.first[0] == 'p'; });
  bank.must_open();
  bank.move(block, BlockState::Accepted);
  bank.move(block, BlockState::Mature);
  CHECK(bank.balance(3) == bank.settlement(block).shares[0].entitled);
  CHECK(money_problems(bank).empty());
}

}  // namespace adit
