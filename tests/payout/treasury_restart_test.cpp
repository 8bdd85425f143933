// SPDX-License-Identifier: MIT
// Blocks from before a restart: whatever the books missed, they are settled by what their jobs
// promised and by what their coinbases paid.
#include "adit/payout/audit.h"
#include "bank.h"

namespace adit {
namespace {

using test::Bank;
using test::mine;
using test::worked_window;

constexpr Satoshi kReward{320'951'337};
const std::string kCoinbase = "pplns factor=2 fee=100 way=coinbase threshold=546 weight=8000";
const Book kPool{BookKind::Pool, 0};

struct Found {
  BlockRecord block;
  std::vector<TxOut> outputs;
};

/// A block on the newest plan, whose share is booked; nobody has told of the block yet.
Found found_on_plan(Bank& bank, std::uint64_t room = ~std::uint64_t{0}) {
  Found found;
  const PlanPtr plan = bank.treasury->plan();
  const auto winner = bank.share(1, 5'000, 1, true);
  found.block = bank.block_of(winner, 1, 100, kReward);
  found.outputs = Bank::job_outputs(found.block, *plan, room);
  REQUIRE(bank.append({winner}));
  return found;
}

std::vector<std::string> audit_problems(Bank& bank, const Found& found, bool with_coinbase) {
  std::optional<std::vector<TxOut>> coinbase;
  if (with_coinbase) coinbase = found.outputs;
  const auto report =
      audit_block(bank.store, found.block.hash, Network::Regtest, test::kBankScript, coinbase);
  REQUIRE(report.ok());
  return report->problems;
}

/// Twenty accounts, all above the threshold.
void crowd(Bank& bank) {
  bank.facts.work = 1'000'000;
  bank.must_open();
  std::vector<std::pair<std::uint32_t, std::uint64_t>> works;
  for (std::uint32_t member = 1; member <= 20; ++member) works.push_back({member, 1000 + member});
  mine(bank, 1, works);
}

}  // namespace

TEST_CASE("restart: outputs to accounts outside the window are theirs, not the pool's") {
  for (const bool with_plan : {true, false}) {
    Bank bank("pplns factor=1 fee=0 way=coinbase threshold=546 weight=8000");
    bank.facts.work = 1000;
    bank.must_open();
    mine(bank, 1, {{1, 1000}});
    const PlanPtr plan = bank.treasury->plan();
    mine(bank, 50, {{2, 1000}});
    const auto winner = bank.share(2, 90, 1, true);
    BlockRecord block = bank.block_of(winner, 2, 100, kReward);
    const auto outputs = Bank::job_outputs(block, *plan);
    if (!with_plan) block.plan_slice = block.plan_entry = block.plan_weight = 0;
    REQUIRE(bank.append({winner}));
    REQUIRE(bank.put(block, outputs));
    bank.move(block, BlockState::Accepted);
    const Satoshi ahead = with_plan ? Satoshi{} : kReward;
    CHECK(bank.balance(1) == Satoshi{} - ahead);
    CHECK(bank.balance(2) == ahead);
    CHECK(bank.treasury->journal().balance(kPool) == Satoshi{});
    CHECK(bank.settlement(block).pool_paid == Satoshi{});
    CHECK(audit_problems(bank, {block, outputs}, true).empty());
    CHECK(bank.journal_problems().empty());
  }
}

TEST_CASE("restart: what a coinbase paid to nobody stands in a book of its own") {
  Bank bank(kCoinbase);
  worked_window(bank);
  Found found = found_on_plan(bank);
  const Satoshi stray(7'000'000);
  found.outputs[1].value -= stray;
  found.outputs.push_back({stray, Script{0x51}});
  REQUIRE(bank.put(found.block, found.outputs));
  bank.move(found.block, BlockState::Accepted);
  const Journal& journal = bank.treasury->journal();
  CHECK(bank.settlement(found.block).unknown_paid == stray);
  CHECK(journal.balance({BookKind::Unknown, 0}) == Satoshi{} - stray);
  Satoshi others = journal.balance(kPool);
  for (const AccountBalance& row : journal.accounts()) others += row.balance;
  CHECK(others == stray);
  CHECK(audit_problems(bank, found, true).empty());
  CHECK(bank.journal_problems().empty());
  bank.must_open();
  REQUIRE(bank.treasury->plan());
}

TEST_CASE("restart: a coinbase with room for ten pays ten, and the books say so") {
  enum class News { AtOnce, AfterCrash, Never };
  std::vector<PlanShare> shares;
  for (const News news : {News::AtOnce, News::AfterCrash, News::Never}) {
    Bank bank(kCoinbase);
    crowd(bank);
    const Found found = found_on_plan(bank, 1'240);
    CHECK(found.outputs.size() == 11);
    BlockRecord block = found.block;
    if (news == News::AfterCrash) {  // the block's row is on disk, its settlement is not
      REQUIRE(bank.ledger->put_block(block).ok());
      bank.must_open();
      CHECK_FALSE(*read_settlement(bank.store, block));
    }
    REQUIRE(bank.put(block, news == News::Never ? std::vector<TxOut>{} : found.outputs));
    if (news == News::Never) {
      CHECK_FALSE(*read_settlement(bank.store, block));
      bank.pass(Treasury::kShareWaitMillis);
      REQUIRE(bank.tick());
    }
    bank.move(block, BlockState::Accepted);
    const SettlementRecord record = bank.settlement(block);
    if (shares.empty()) shares = record.shares;
    CHECK(record.shares == shares);
    for (const PlanShare& share : record.shares)
      CHECK((share.paid > Satoshi{}) == (share.account > AccountId(10)));
    CHECK(bank.balance(1) == record.shares.at(0).entitled);
    CHECK(audit_problems(bank, found, true).empty());
    CHECK(audit_problems(bank, found, false).empty());
  }
}

TEST_CASE("restart: the pool's output is the pool's, though it has another address since") {
  Bank bank(kCoinbase);
  bank.must_open();
  mine(bank, 1, {{1, 1000}, {0xFFFF, 1000}});
  const Found found = found_on_plan(bank);
  BlockRecord block = found.block;
  bank.options.pool_script = test::member_script(0xFFFE);
  bank.must_open();
  REQUIRE(bank.put(block, found.outputs));
  bank.move(block, BlockState::Accepted);
  CHECK(bank.settlement(block).unknown_paid == Satoshi{});
  CHECK(bank.balance(1) == Satoshi{});
  CHECK(bank.balance(0xFFFF) == Satoshi{});
  CHECK(bank.treasury->journal().balance(kPool) == Satoshi{});
  CHECK(audit_problems(bank, found, true).empty());
}

TEST_CASE("restart: a block is settled by the terms its job was made under") {
  for (const std::string& later :
       {std::string("pplns factor=2 fee=100 way=wallet threshold=546 weight=8000"),
        std::string("pplns factor=1 fee=1000 way=coinbase threshold=546 weight=8000"),
        std::string("prop fee=1000 way=coinbase threshold=546 weight=8000"),
        std::string("pps fee=1000 way=wallet threshold=546 weight=8000")})
    for (const bool row_on_disk : {true, false}) {
      CAPTURE(later);
      Bank bank(kCoinbase);
      worked_window(bank);
      const Found found = found_on_plan(bank);
      BlockRecord block = found.block;
      if (row_on_disk) REQUIRE(bank.ledger->put_block(block).ok());
      bank.options.terms = test::terms_of(later);
      bank.must_open();
      REQUIRE(bank.put(block, found.outputs));
      bank.move(block, BlockState::Accepted);
      const SettlementRecord record = bank.settlement(block);
      CHECK(record.terms.text() == kCoinbase);
      CHECK(record.pool_entitled == Satoshi(3'209'513));
      for (const std::uint32_t member : {1u, 2u, 3u}) {
        CHECK(bank.balance(member) == Satoshi{});
        CHECK(bank.treasury->payable(bank.account(member)) == Satoshi{});
      }
      CHECK(audit_problems(bank, found, true).empty());
      CHECK(bank.journal_problems().empty());
    }
}

}  // namespace adit
