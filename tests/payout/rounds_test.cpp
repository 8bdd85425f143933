// SPDX-License-Identifier: MIT
// prop: which work a block is divided by, when others beside it are lost, and when they come back.
#include <set>

#include "adit/payout/audit.h"
#include "bank.h"

namespace adit {
namespace {

using test::Bank;
using test::mine;

constexpr Satoshi kReward{320'951'337}, kMillion{1'000'000};
constexpr const char* kWallet = "prop fee=0 way=wallet threshold=546 weight=8000";
constexpr const char* kCoinbase = "prop fee=0 way=coinbase threshold=546 weight=8000";

Satoshi earned(Bank& bank, std::uint32_t member) {
  return bank.treasury->journal().account(bank.account(member)).earned;
}

void check_books(Bank& bank, const std::vector<BlockRecord>& blocks) {
  for (const BlockRecord& block : blocks) {
    const auto report =
        audit_block(bank.store, block.hash, Network::Regtest, test::kBankScript, std::nullopt);
    REQUIRE(report.ok());
    for (const std::string& problem : report->problems) MESSAGE(problem);
    CHECK(report->problems.empty());
  }
  CHECK(bank.journal_problems().empty());
}

}  // namespace

TEST_CASE("slice sets: as sets of numbers") {
  test::ShareMaker random(5);
  for (int round = 0; round < 2'000; ++round) {
    SliceSet set;
    std::set<std::uint64_t> naive;
    for (std::uint64_t n = 1 + random.below(8); n > 0; --n) {
      const std::uint64_t first = 1 + random.below(30), last = first + random.below(6);
      SliceSet other{SliceNumber(first), SliceNumber(last)};
      std::set<std::uint64_t> numbers;
      for (std::uint64_t at = first; at <= last; ++at) numbers.insert(at);
      if (random.below(2) == 0) {  // two ranges
        const std::uint64_t far = last + 1 + random.below(4);
        other.add(SliceSet(SliceNumber(far), SliceNumber(far + 1)));
        numbers.insert({far, far + 1});
      }
      bool meets = false;
      for (const std::uint64_t number : numbers) meets = meets || naive.contains(number);
      CHECK(set.meets(other) == meets);
      if (random.below(2) == 0) {
        set.add(other);
        naive.insert(numbers.begin(), numbers.end());
      } else {
        set.remove(other);
        for (const std::uint64_t number : numbers) naive.erase(number);
      }
      std::set<std::uint64_t> members;
      for (const SliceSet::Range& range : set.ranges())
        for (std::uint64_t at = range.first; at <= range.last; ++at) members.insert(at);
      CHECK(members == naive);
      CHECK(set.empty() == naive.empty());
      for (std::uint64_t at = 1; at < 45; ++at)
        CHECK(set.contains(SliceNumber(at)) == naive.contains(at));
      CHECK(SliceSet::parse(set.text()) == set);
    }
  }
  CHECK(SliceSet(SliceNumber(3), SliceNumber(2)).empty());
  for (const char* bad : {"1", "1-", "-1", "2-1", "1-2,", "1-2,3-4", "1-5,4-9", "4-5,1-2", "01-2",
                          "1-2 ", "1-99999999999999999999"})
    CHECK_FALSE(SliceSet::parse(bad));
}

TEST_CASE("rounds: the twin of a block that stays brings nothing to the next round") {
  Bank bank(kCoinbase);
  bank.must_open();
  mine(bank, 1, {{1, 1000}});
  const PlanPtr plan = bank.treasury->plan();
  const auto winner = bank.share(1, 100, 1, true), stale = bank.share(1, 101, 1, true);
  BlockRecord stays = bank.block_of(winner, 1, 100, kReward);
  BlockRecord twin = bank.block_of(stale, 1, 100, kReward);
  const auto outputs = Bank::job_outputs(stays, *plan), again = Bank::job_outputs(twin, *plan);
  REQUIRE(bank.append({winner}));
  REQUIRE(bank.put(stays, outputs));
  bank.move(stays, BlockState::Accepted);
  REQUIRE(bank.put(twin, again));
  CHECK(bank.settlement(twin).slices == bank.settlement(stays).slices);
  bank.move(twin, BlockState::Side);
  bank.move(twin, BlockState::Orphaned);
  mine(bank, 200, {{2, 999}});
  BlockRecord next = bank.find_block(2, 300, 101, kMillion);
  bank.move(next, BlockState::Accepted);
  const SettlementRecord record = bank.settlement(next);
  CHECK(record.slices.text() == "2-3");
  REQUIRE(record.shares.size() == 2);
  CHECK(record.shares[0].entitled == Satoshi(1'000));  // the share that made the first block
  CHECK(record.shares[1].entitled == Satoshi(999'000));
  check_books(bank, {stays, twin, next});
  // The other way round: now the first one is lost, and its twin has the round.
  bank.move(stays, BlockState::Orphaned);
  bank.move(twin, BlockState::Accepted);
  CHECK(bank.settlement(next).slices.text() == "2-3");
  CHECK(earned(bank, 1) == kReward + Satoshi(1'000));
  check_books(bank, {stays, twin, next});
}

TEST_CASE(
    "rounds: a lost block's work joins the next round, and leaves it when the block returns") {
  for (const bool coinbase : {false, true})
    for (const bool late : {false, true}) {
      CAPTURE(coinbase);
      Bank bank(coinbase ? kCoinbase : kWallet);
      bank.must_open();
      mine(bank, 1, {{1, 1000}});
      BlockRecord first = bank.find_block(1, 100, 100, kMillion);
      bank.move(first, BlockState::Accepted);
      bank.move(first, BlockState::Orphaned);
      mine(bank, 200, {{2, 1000}});
      BlockRecord second = bank.find_block(2, 300, 101, kMillion);
      CHECK(bank.settlement(second).shares.size() == 2);
      bank.move(second, BlockState::Accepted);
      if (late) bank.move(second, BlockState::Mature);  // booked before the other returns
      bank.move(first, BlockState::Accepted);
      bank.move(first, BlockState::Mature);
      if (!late) bank.move(second, BlockState::Mature);
      // What a coinbase paid stays; the difference is a debt.
      const Satoshi finder =
          coinbase ? Satoshi(999) : Satoshi{};  // first's share, in second's round
      CHECK(earned(bank, 1) == kMillion + finder);
      CHECK(earned(bank, 2) == kMillion - finder);
      if (coinbase) CHECK(bank.balance(1) < Satoshi(-400'000));
      const Journal& journal = bank.treasury->journal();
      CHECK(journal.balance({BookKind::Blocks, 0}) == Satoshi(-2'000'000));
      CHECK(bank.treasury->payable(bank.account(2)) == std::max(bank.balance(2), Satoshi{}));
      check_books(bank, {first, second});
      const auto rows = bank.store.rows(Family::Credits);
      bank.must_open();
      CHECK(bank.store.rows(Family::Credits) == rows);
    }
}

TEST_CASE("rounds: through a chain of lost blocks, whichever comes back first") {
  for (const bool coinbase : {false, true})
    for (const bool oldest_first : {false, true}) {
      Bank bank(coinbase ? kCoinbase : kWallet);
      bank.must_open();
      std::vector<BlockRecord> blocks;
      for (std::uint32_t n = 0; n < 3; ++n) {
        mine(bank, 1 + 100 * n, {{n + 1, 1000}});
        blocks.push_back(bank.find_block(9, 50 + 100 * n, 100 + n, kMillion));
        bank.move(blocks[n], BlockState::Accepted);
        CHECK(bank.settlement(blocks[n]).slices.ranges().front().first == 1);
        if (n < 2) bank.move(blocks[n], BlockState::Orphaned);
      }
      bank.move(blocks[oldest_first ? 0 : 1], BlockState::Accepted);
      const std::uint64_t before = bank.settlement(blocks[2]).slices.ranges().front().first;
      CHECK(before == bank.settlement(blocks[oldest_first ? 0 : 1]).slice + 1);
      bank.move(blocks[oldest_first ? 1 : 0], BlockState::Accepted);
      std::uint64_t next = 1;
      for (BlockRecord& block : blocks) {
        const SettlementRecord record = bank.settlement(block);
        CHECK(record.slices == SliceSet(SliceNumber(next), SliceNumber(record.slice)));
        next = record.slice + 1;
        bank.move(block, BlockState::Mature);
      }
      check_books(bank, blocks);
      // And the newest plan, or the next block, begins after them.
      BlockRecord more = bank.find_block(4, 900, 110, kMillion);
      CHECK(bank.settlement(more).slices.ranges().front().first == next);
    }
}

TEST_CASE("rounds: a block that is told after a later one shares its round") {
  Bank bank(kWallet);
  bank.must_open();
  mine(bank, 1, {{1, 1000}});
  const auto winner = bank.share(1, 50, 1, true);
  BlockRecord late = bank.block_of(winner, 1, 100, kMillion);
  REQUIRE(bank.append({winner}));
  late.after = bank.ledger->last_sequence();
  mine(bank, 60, {{2, 1000}});
  BlockRecord later = bank.find_block(2, 150, 101, kMillion);
  CHECK(bank.settlement(later).slices.text() == "1-4");
  REQUIRE(bank.put(late));
  CHECK(bank.settlement(late).slice == 2);
  CHECK(bank.settlement(late).shares == bank.settlement(later).shares);
  bank.move(later, BlockState::Orphaned);
  BlockRecord next = bank.find_block(3, 250, 102, kMillion);
  CHECK(bank.settlement(next).slices.text() == "5-5");
  bank.move(later, BlockState::Accepted);
  check_books(bank, {late, later, next});
}

TEST_CASE("rounds: a return is one step, wherever it crashes") {
  Bank bank(kCoinbase);
  bank.must_open();
  mine(bank, 1, {{1, 1000}});
  BlockRecord first = bank.find_block(1, 100, 100, kMillion);
  bank.move(first, BlockState::Accepted);
  bank.move(first, BlockState::Orphaned);
  mine(bank, 200, {{2, 1000}});
  BlockRecord second = bank.find_block(2, 300, 101, kMillion);
  bank.move(second, BlockState::Accepted);
  const test::MemoryStore before = bank.store;
  bank.move(first, BlockState::Accepted);
  const auto rows = bank.store.rows(Family::Credits);
  const int commits = bank.store.commits - before.commits;
  CHECK(commits == 2);
  for (const bool reaches_log : {false, true})
    for (int at = 1; at <= commits; ++at) {
      Bank again(kCoinbase, before);
      again.now = bank.now;
      again.must_open();
      again.store.fail_at = again.store.commits + at;
      again.store.failure_reaches_log = reaches_log;
      CHECK_FALSE(again.put(first));
      again.treasury.reset();
      again.ledger.reset();
      again.store = test::MemoryStore(again.store.after_power_loss(again.store.unsynced()));
      again.must_open();
      REQUIRE(again.put(first));
      CHECK(again.store.rows(Family::Credits) == rows);
    }
}

TEST_CASE("rounds: another scheme's blocks end a round; a round begins after what was paid") {
  Bank bank("pplns factor=2 fee=0 way=wallet threshold=546 weight=8000");
  bank.must_open();
  mine(bank, 1, {{1, 1000}});
  bank.find_block(1, 50, 100, kMillion);  // settled by slice 2
  mine(bank, 60, {{2, 1000}});
  bank.options.terms = test::terms_of(kWallet);
  bank.must_open();
  CHECK(bank.settlement(bank.find_block(1, 100, 101, kMillion)).slices.text() == "3-4");
  bank.options.terms = test::terms_of("pps fee=0 way=wallet threshold=546 weight=8000");
  bank.must_open();
  mine(bank, 200, {{2, 1000}});
  bank.options.terms = test::terms_of(kWallet);
  bank.must_open();
  mine(bank, 300, {{2, 1000}});
  CHECK(bank.settlement(bank.find_block(1, 400, 102, kMillion)).slices.text() == "6-7");
}

}  // namespace adit
