// SPDX-License-Identifier: MIT
// The treasury step by step: what is settled when, booked when, and undone how.
#include "adit/payout/treasury.h"

#include "adit/payout/audit.h"
#include "bank.h"

namespace adit {
namespace {

using test::Bank;
using test::mine;
using test::worked_window;

constexpr Satoshi kReward{320'951'337};
constexpr const char* kPplns = "pplns factor=2 fee=200 way=wallet threshold=546 weight=8000";

}  // namespace

TEST_CASE("treasury: the worked window, from shares to balances") {
  Bank bank(kPplns);
  worked_window(bank);
  BlockRecord block = bank.find_block(2, 6, 100, kReward, 400);
  const SettlementRecord record = bank.settlement(block);
  CHECK(record.state == SettlementState::Pending);
  CHECK(record.slice == 6);
  CHECK(record.first_slice == 2);
  CHECK(record.pool_entitled == Satoshi(6'419'026));
  REQUIRE(record.shares.size() == 3);
  CHECK(bank.balance(1) == Satoshi{});
  bank.move(block, BlockState::Accepted);
  CHECK(bank.balance(1) == Satoshi{});  // not ripe
  bank.move(block, BlockState::Mature);
  CHECK(bank.balance(1) == Satoshi(188'719'386));
  CHECK(bank.balance(2) == Satoshi(78'633'078));
  CHECK(bank.balance(3) == Satoshi(47'179'847));
  CHECK(bank.treasury->journal().balance({BookKind::Pool, 0}) == Satoshi(6'419'026));
  CHECK(bank.treasury->journal().balance({BookKind::Blocks, 0}) == Satoshi{} - kReward);
  CHECK(bank.treasury->payable(bank.account(1)) == Satoshi(188'719'386));
  CHECK(bank.settlement(block).state == SettlementState::Booked);
  CHECK(bank.journal_problems().empty());
}

TEST_CASE("treasury: way coinbase pays by the plan, and its carries join the next one") {
  Bank bank("pplns factor=2 fee=200 way=coinbase threshold=50000000 weight=8000");
  worked_window(bank);
  const PlanPtr plan = bank.treasury->plan();
  REQUIRE(plan);
  CHECK(plan->slice == 5);
  CHECK(plan->entry == 0);
  REQUIRE(plan->accounts.size() == 3);
  CHECK(bank.treasury->plan() == plan);  // nothing has changed
  BlockRecord block = bank.find_block(2, 6, 100, kReward, 400);
  CHECK(block.plan_slice == 5);
  CHECK(bank.settlement(block).slice == 5);
  bank.move(block, BlockState::Accepted);
  // Member 2 had 200 of 2000: less than the threshold.
  const Satoshi credit = bank.settlement(block).shares.at(1).entitled;
  CHECK(credit > Satoshi(30'000'000));
  CHECK(bank.balance(2) == credit);
  CHECK(bank.treasury->payable(bank.account(2)) == Satoshi{});  // of an unripe block
  const PlanPtr next = bank.treasury->plan();
  CHECK(next->entry == bank.treasury->journal().last_entry());
  for (const PlanAccount& account : next->accounts)
    CHECK(account.carry == bank.treasury->journal().balance(Book::account(account.account)));
  bank.must_open();
  CHECK(bank.treasury->payable(bank.account(2)) == Satoshi{});
  bank.move(block, BlockState::Mature);
  CHECK(bank.treasury->payable(bank.account(2)) == credit);
  const auto paid = bank.settlement(block);
  Satoshi sum = paid.pool_paid;
  for (const PlanShare& share : paid.shares) sum += share.paid;
  CHECK(sum == kReward);
  CHECK(bank.journal_problems().empty());
}

TEST_CASE("treasury: a restart knows the plan of a block from disk") {
  const char* terms = "pplns factor=2 fee=200 way=coinbase threshold=50000000 weight=8000";
  SettlementRecord records[2];
  for (const bool restart : {false, true}) {
    Bank bank(terms);
    worked_window(bank);
    BlockRecord first = bank.find_block(2, 6, 100, kReward, 400);
    bank.move(first, BlockState::Accepted);
    const PlanPtr plan = bank.treasury->plan();
    const auto winner = bank.share(3, 7, 10, true);
    BlockRecord block = bank.block_of(winner, 3, 101, kReward);
    const auto outputs = Bank::job_outputs(block, *plan);
    mine(bank, 8, {{1, 300}, {4, 100}});
    bank.move(first, BlockState::Mature);
    if (restart) bank.must_open();
    REQUIRE(bank.put(block, restart ? std::vector<TxOut>{} : outputs));
    bank.pass(Treasury::kShareWaitMillis);
    REQUIRE(bank.tick());
    records[restart] = bank.settlement(block);
  }
  CHECK(records[0].shares == records[1].shares);
  CHECK(records[0].pool_paid == records[1].pool_paid);
  CHECK(records[0].first_slice == records[1].first_slice);
}

TEST_CASE("treasury: a block whose coinbase pays the pool alone leaves credits") {
  Bank bank("pplns factor=2 fee=200 way=coinbase threshold=546 weight=8000");
  worked_window(bank);
  const auto winner = bank.share(2, 6, 400, true);
  BlockRecord block = bank.block_of(winner, 2, 100, kReward);
  REQUIRE(bank.put(block, {{kReward, test::kBankScript}}));
  CHECK_FALSE(*read_settlement(bank.store, block));  // its share has not come
  REQUIRE(bank.append({winner}));
  const SettlementRecord record = bank.settlement(block);
  CHECK(record.slice == bank.ledger->last_slice().value());
  CHECK(record.pool_paid == kReward);
  bank.move(block, BlockState::Accepted);
  CHECK(bank.balance(1) == Satoshi(188'719'386));
  CHECK(bank.treasury->plan()->pool_carry ==
        Satoshi{} - (bank.balance(1) + bank.balance(2) + bank.balance(3)));
}

TEST_CASE("treasury: a block whose share never comes is settled by what was booked before it") {
  Bank bank(kPplns);
  worked_window(bank);
  const auto stale = bank.share(2, 6, 400, true);
  BlockRecord block = bank.block_of(stale, 2, 100, kReward);
  REQUIRE(bank.put(block));
  mine(bank, 9, {{4, 1000}});
  bank.pass(-Ledger::kSliceMillis);
  REQUIRE(bank.tick());
  CHECK_FALSE(*read_settlement(bank.store, block));
  bank.pass(Treasury::kShareWaitMillis);
  REQUIRE(bank.tick());
  const SettlementRecord record = bank.settlement(block);
  CHECK(record.slice == 5);
  CHECK(record.shares.size() == 3);  // not member 4
}

TEST_CASE("treasury: solo pays the finder, whose first share it may be; a name is the pool") {
  for (const bool coinbase : {false, true}) {
    const std::string way = coinbase ? "coinbase" : "wallet";
    Bank bank("solo fee=150 way=" + way + " threshold=546 weight=8000");
    bank.must_open();
    mine(bank, 1, {{1, 100}, {2, 100}});
    BlockRecord block = bank.find_block(2, 6, 100, kReward);
    bank.move(block, BlockState::Accepted);
    bank.move(block, BlockState::Mature);
    const Journal& journal = bank.treasury->journal();
    CHECK(journal.account(bank.account(2)).earned == Satoshi(316'137'067));
    CHECK(bank.balance(2) == (coinbase ? Satoshi{} : Satoshi(316'137'067)));
    CHECK(journal.account(bank.account(1)).earned == Satoshi{});
    // The share was stale: the books have never seen him.
    BlockRecord first = bank.block_of(bank.share(9, 5, 1, true), 9, 101, kReward);
    CHECK(bank.account(9) == AccountId());
    REQUIRE(bank.put(
        first, coinbase ? solo_outputs(kReward, 150, test::member_script(9), test::kBankScript)
                        : std::vector<TxOut>{}));
    bank.pass(Treasury::kShareWaitMillis);
    REQUIRE(bank.tick());
    bank.move(first, BlockState::Accepted);
    bank.move(first, BlockState::Mature);
    CHECK(journal.account(bank.account(9)).earned == Satoshi(316'137'067));
    REQUIRE(bank.append({bank.share(9, 6, 100)}));
    bank.must_open();
    CHECK(bank.balance(9) == (coinbase ? Satoshi{} : Satoshi(316'137'067)));
    const auto verified = verify_ledger(bank.store);
    REQUIRE(verified.ok());
    CHECK(verified->problems.empty());
    for (const BlockRecord& audited : {block, first}) {
      const auto report =
          audit_block(bank.store, audited.hash, Network::Regtest, test::kBankScript, std::nullopt);
      REQUIRE(report.ok());
      CHECK(report->problems.empty());
    }
    BlockRecord unknown = bank.block_of(bank.share(8, 7, 1, true), 8, 102, kReward);
    unknown.account = "a name";
    REQUIRE(bank.put(unknown));
    bank.pass(Treasury::kShareWaitMillis);
    REQUIRE(bank.tick());
    CHECK(bank.settlement(unknown).pool_entitled == kReward);
    CHECK(bank.settlement(unknown).shares.empty());
  }
}

TEST_CASE("treasury: work on the pool's own address is the pool's") {
  Bank bank("pplns factor=2 fee=0 way=wallet threshold=546 weight=8000");
  bank.must_open();
  mine(bank, 1, {{1, 300}, {0xFFFF, 100}});
  BlockRecord block = bank.find_block(0xFFFF, 6, 100, Satoshi(4'010'000), 1);
  bank.move(block, BlockState::Accepted);
  bank.move(block, BlockState::Mature);
  CHECK(bank.balance(0xFFFF) == Satoshi{});
  CHECK(bank.balance(1) == Satoshi(3'000'000));
  CHECK(bank.treasury->journal().balance({BookKind::Pool, 0}) == Satoshi(1'010'000));
}

TEST_CASE("treasury: slices that a window may need are kept, the others may go") {
  Bank bank("pplns factor=2 fee=0 way=wallet threshold=546 weight=8000");
  bank.facts.work = 1000;  // two slices of it
  bank.must_open();
  for (std::uint64_t n = 1; n <= 1'500; ++n) mine(bank, n, {{1, 1000}});
  CHECK(bank.treasury->oldest_slice_needed() == SliceNumber(1'499 - 1'440));
  REQUIRE(bank.ledger->expire_slices(bank.treasury->oldest_slice_needed()).ok());
  // Without them a window that grows counts what is there, now and after a restart.
  bank.facts.work = 1'000'000;
  bank.ledger->set_network(bank.facts);
  BlockRecord block = bank.find_block(2, 9'999, 100, kReward, 7);
  CHECK(bank.settlement(block).first_slice == 59);
  CHECK(bank.settlement(block).shares.at(0).work == (1'500 - 58) * 1000);
  bank.must_open();
  BlockRecord next = bank.find_block(2, 10'000, 101, kReward, 7);
  CHECK(bank.settlement(next).shares.at(0).work == (1'500 - 58) * 1000);
}

TEST_CASE("treasury: a plan of slices that a power loss took is no plan") {
  Bank bank("pplns factor=2 fee=200 way=coinbase threshold=546 weight=8000");
  worked_window(bank);
  const auto winner = bank.share(2, 6, 400, true);
  BlockRecord block = bank.block_of(winner, 2, 100, kReward);
  block.plan_slice = 9, block.plan_entry = 4;  // of books that are gone
  const std::vector<TxOut> outputs = {{Satoshi(20'951'337), test::kBankScript},
                                      {Satoshi(300'000'000), test::member_script(1)}};
  REQUIRE(bank.put(block, outputs));
  CHECK_FALSE(*read_settlement(bank.store, block));
  REQUIRE(bank.append({winner}));
  const SettlementRecord record = bank.settlement(block);
  CHECK(record.shares.at(0).entitled == Satoshi(47'179'847));
  Satoshi paid;
  for (const PlanShare& share : record.shares) paid += share.paid;
  CHECK(paid == Satoshi(300'000'000));
  CHECK(record.pool_paid == Satoshi(20'951'337));
  bank.move(block, BlockState::Accepted);
  CHECK(bank.balance(1) == Satoshi(188'719'386 - 300'000'000));
}

}  // namespace adit
