// SPDX-License-Identifier: MIT
// Shares that are paid slice by slice, through the treasury.
#include "adit/bitcoin/target.h"
#include "bank.h"

namespace adit {
namespace {

using test::Bank;
using test::mine;

Uint128 work_of(std::uint64_t difficulty) {
  return Work::of(Difficulty::from_u64(difficulty).to_target()).value();
}

constexpr std::uint64_t kNetwork = 126'411'437'451'912;

/// Shares of difficulty 65,536, so many in one: a hash that proves them all.
void mine_many(Bank& bank, std::uint32_t member, std::uint64_t number, std::uint64_t count) {
  ShareCandidate share = bank.share(member, number, 1);
  share.hash = BlockHash{};
  share.hash.bytes[0] = static_cast<std::uint8_t>(number);
  share.work = Work(work_of(65'536) * count);
  REQUIRE(bank.append({share}));
  bank.pass(Ledger::kSliceMillis);
  REQUIRE(bank.close_slice());
}

/// Slices of next to nothing, up to this number.
void fill_to(Bank& bank, std::uint64_t last) {
  for (std::uint64_t n = bank.ledger->last_slice().value() + 1; n <= last; ++n)
    mine(bank, 1000 + n, {{9, 1}});
}

std::int64_t micro(Bank& bank, std::uint32_t member) {
  const AccountBalance row = bank.treasury->journal().account(bank.account(member));
  return row.earned.value() * 1'000'000 + row.fraction.value();
}

}  // namespace

TEST_CASE("pricing: a million shares, before and after a change of difficulty") {
  Bank bank("fpps fee=400 way=wallet threshold=546 weight=8000");
  bank.facts.work = work_of(kNetwork);
  bank.must_open();
  mine_many(bank, 1, 1, 1'000'000);
  mine_many(bank, 2, 2, 500'000);
  bank.facts.work = work_of(kNetwork) * 105 / 100;
  bank.ledger->set_network(bank.facts);
  mine_many(bank, 2, 3, 500'000);
  fill_to(bank, 59);
  CHECK(bank.treasury->journal().last_entry() == 0);
  fill_to(bank, 60);
  CHECK(bank.balance(1) == Satoshi(157'147));
  CHECK(micro(bank, 1) / 1000 == 157'147'744);  // exactly 157,147.74485... satoshi
  CHECK(bank.balance(2) == Satoshi(153'406));   // 0.5 * 157,147.745 * (1 + 1/1.05)
  CHECK(micro(bank, 2) / 1000 == 153'406'131);
  CHECK(bank.treasury->payable(bank.account(1)) == Satoshi(157'147));
  const Journal& journal = bank.treasury->journal();
  CHECK(journal.balance({BookKind::Pool, 0}) == Satoshi(-157'147 - 153'406));
  REQUIRE(for_each_entry(bank.store, 1, [&](const JournalEntry& entry) {
            CHECK(entry.kind == "shares");
            CHECK(entry.ref == "slices:1-60");
            return true;
          }).ok());
  // The block is the pool's.
  BlockRecord block = bank.find_block(1, 99, 100, Satoshi(320'951'337));
  bank.move(block, BlockState::Accepted);
  bank.move(block, BlockState::Mature);
  CHECK(bank.treasury->journal().balance({BookKind::Pool, 0}) ==
        Satoshi(320'951'337 - 157'147 - 153'406));
  CHECK(bank.journal_problems().empty());
}

TEST_CASE("pricing: fractions are kept over batches and restarts, to the millionth") {
  Bank bank("pps fee=400 way=wallet threshold=546 weight=8000");
  bank.facts.work = work_of(kNetwork);
  bank.must_open();
  std::int64_t expected = 0;
  for (std::uint64_t n = 1; n <= 240; ++n) {
    mine_many(bank, 1, n, n % 7 + 1);
    expected +=
        price_of(work_of(65'536) * (n % 7 + 1), bank.facts.subsidy, bank.facts.work, 400).value();
    if (n % 23 == 0) bank.must_open();
  }
  CHECK(micro(bank, 1) == expected);
  CHECK(bank.journal_problems().empty());
}

TEST_CASE("pricing: new terms pay what is open by the old ones, and pay it once") {
  Bank bank("pps fee=0 way=wallet threshold=546 weight=8000");
  bank.facts.work = work_of(kNetwork);
  bank.must_open();
  for (std::uint64_t n = 1; n <= 10; ++n) mine_many(bank, 1, n, 1'000'000);
  const std::int64_t ten =
      10 * price_of(work_of(65'536) * 1'000'000, bank.facts.subsidy, bank.facts.work, 0).value();
  // The hour is not full; new terms come with a restart.
  bank.options.terms = test::terms_of("pplns factor=8 fee=0 way=wallet threshold=546 weight=8000");
  bank.must_open();
  CHECK(micro(bank, 1) == ten);
  mine_many(bank, 2, 11, 1'000'000);
  BlockRecord block = bank.find_block(2, 99, 100, Satoshi(320'951'337));
  CHECK(bank.settlement(block).first_slice == 11);  // work that was paid at once counts no more
  REQUIRE(bank.settlement(block).shares.size() == 1);
  bank.move(block, BlockState::Accepted);
  // And back: what pplns counted is not priced.
  bank.options.terms = test::terms_of("pps fee=100 way=wallet threshold=546 weight=8000");
  bank.must_open();
  const std::uint64_t next = bank.ledger->last_slice().value() + 1;
  mine_many(bank, 2, 50, 1'000'000);
  fill_to(bank, 60);
  const std::int64_t one =
      price_of(work_of(65'536) * 1'000'000, bank.facts.subsidy, bank.facts.work, 100).value();
  CHECK(micro(bank, 2) == one);
  CHECK(micro(bank, 1) == ten);
  std::string ref;
  REQUIRE(for_each_entry(bank.store, 1, [&](const JournalEntry& entry) {
            ref = entry.ref;
            return true;
          }).ok());
  CHECK(ref == "slices:" + std::to_string(next) + "-60");
  // The block of the time between is booked by the terms it was found under.
  bank.move(block, BlockState::Mature);
  CHECK(bank.balance(2) == Satoshi(320'951'337 + one / 1'000'000));
  CHECK(bank.journal_problems().empty());
}

TEST_CASE("pricing: a share's price is of its own time, also within a minute") {
  const NetworkFacts before{1'000'000, Satoshi(312'500'000), Satoshi(10'000'000)};
  for (const NetworkFacts& after :
       {NetworkFacts{1'000'000, Satoshi(156'250'000), Satoshi(10'000'000)},  // a halving
        NetworkFacts{4'000'000, Satoshi(312'500'000), Satoshi(10'000'000)},
        NetworkFacts{1'000'000, Satoshi(312'500'000), Satoshi()}})
    for (const bool restart : {false, true}) {
      Bank bank("fpps fee=0 way=wallet threshold=546 weight=8000");
      bank.facts = before;
      bank.must_open();
      mine(bank, 1, {{3, 1}});  // its facts hold after a restart
      REQUIRE(bank.append({bank.share(1, 3, 1000)}));
      bank.pass(59'000);
      bank.facts = after;
      if (restart)
        bank.must_open();
      else
        bank.ledger->set_network(bank.facts);
      REQUIRE(bank.append({bank.share(2, 4, 1000)}));
      bank.pass(60'000);
      REQUIRE(bank.close_slice());
      bank.options.terms = test::terms_of("pplns factor=2 fee=0 way=wallet threshold=546 weight=0");
      bank.must_open();  // pays what is priced
      CHECK(bank.balance(1) == Satoshi(322'500));
      CHECK(bank.balance(2) == Satoshi(static_cast<std::int64_t>(
                                   static_cast<Uint128>((after.subsidy + after.mean_fees).value()) *
                                   1000 / after.work)));
      CHECK(verify_ledger(bank.store)->problems.empty());
    }
}

TEST_CASE("pricing: a restart knows what the open minute was worth") {
  Bank bank("pps fee=0 way=wallet threshold=546 weight=8000");
  bank.facts = {1'000'000, Satoshi(625'000'000), Satoshi()};
  bank.must_open();
  mine(bank, 1, {{3, 1}});
  bank.facts.subsidy = Satoshi(312'500'000);
  bank.ledger->set_network(bank.facts);
  REQUIRE(bank.append({bank.share(1, 3, 1000)}));
  bank.facts.subsidy = Satoshi(156'250'000);
  bank.must_open();
  REQUIRE(bank.append({bank.share(2, 4, 1000)}));
  bank.options.terms = test::terms_of("pps fee=1 way=wallet threshold=546 weight=8000");
  bank.must_open();
  CHECK(bank.balance(1) == Satoshi(312'500));
  CHECK(bank.balance(2) == Satoshi(156'250));
  bank.store.rows(Family::Meta)["network"] = "1000000 156250000";
  CHECK_FALSE(bank.open());
  CHECK(bank.last_error.find("meta network") != std::string::npos);
}

TEST_CASE("pricing: facts that come back before the next share cut nothing") {
  Bank bank("pps fee=0 way=wallet threshold=546 weight=8000");
  bank.must_open();
  REQUIRE(bank.append({bank.share(1, 1, 1000)}));
  const NetworkFacts facts = bank.facts;
  bank.facts.work = 1;
  bank.ledger->set_network(bank.facts);
  bank.ledger->set_network(facts);
  REQUIRE(bank.append({bank.share(1, 2, 1000)}));
  CHECK(bank.ledger->last_slice() == SliceNumber());
}

TEST_CASE("pricing: the open minute is paid by the terms it was worked under") {
  Bank bank("pps fee=0 way=wallet threshold=546 weight=8000");
  bank.facts.work = 1'000'000;
  bank.must_open();
  REQUIRE(bank.append({bank.share(1, 1, 1000)}));
  bank.pass(50'000);
  bank.options.terms = test::terms_of("pps fee=1000 way=wallet threshold=546 weight=8000");
  bank.must_open();
  CHECK(bank.balance(1) == Satoshi(312'500));
  REQUIRE(bank.append({bank.share(1, 2, 1000)}));
  bank.pass(60'000);
  REQUIRE(bank.close_slice());
  bank.options.terms = test::terms_of("pplns factor=2 fee=0 way=wallet threshold=546 weight=8000");
  bank.must_open();
  CHECK(bank.balance(1) == Satoshi(312'500 + 281'250));
}

TEST_CASE("pricing: a network of next to no difficulty does not stop the pool") {
  Bank bank("pps fee=0 way=wallet threshold=546 weight=8000");
  bank.facts.work = Uint128{1} << 50;
  bank.facts.subsidy = Satoshi(5'000'000'000);
  bank.must_open();
  const auto ten_terahashes = [&](std::uint8_t number) {
    ShareCandidate share = bank.share(1, number, 1);
    share.hash = BlockHash{};
    share.hash.bytes[0] = number;
    share.work = Work(Uint128{590'000'000'000'000});
    REQUIRE(bank.append({share}));
    bank.pass(59'000);
  };
  ten_terahashes(1);
  bank.facts.work = 4'295'032'833;  // testnet4, twenty minutes after its last block
  bank.ledger->set_network(bank.facts);
  for (std::uint8_t number = 2; number < 6; ++number) {  // worth more than all coins there are
    ten_terahashes(number);
    bank.pass(1'000);
    REQUIRE(bank.close_slice());
  }
  bank.must_open();
  bank.options.terms = test::terms_of("pps fee=1 way=wallet threshold=546 weight=8000");
  bank.must_open();
  CHECK(bank.balance(1) > Satoshi(5'000'000'000));
  CHECK(bank.balance(1) <= kMaxMoney);
  CHECK(bank.journal_problems().empty());
}

TEST_CASE("pricing: a crash at any commit while terms change") {
  const auto pps = test::terms_of("pps fee=100 way=wallet threshold=546 weight=8000");
  const auto prop = test::terms_of("prop fee=100 way=wallet threshold=546 weight=8000");
  for (const bool to_pps : {false, true}) {
    Bank bank(to_pps ? prop.text() : pps.text());
    bank.facts.work = work_of(kNetwork);
    bank.must_open();
    for (std::uint64_t n = 1; n <= 7; ++n)
      mine_many(bank, static_cast<std::uint32_t>(n % 3 + 1), n, 1'000'000 + n);
    // A block that was announced, and whose share died with the process.
    BlockRecord block = bank.block_of(bank.share(2, 99, 1, true), 2, 100, Satoshi(320'951'337));
    REQUIRE(bank.put(block));
    bank.treasury.reset();
    bank.ledger.reset();
    const test::MemoryStore before = bank.store;
    bank.options.terms = to_pps ? pps : prop;
    bank.must_open();
    const int commits = bank.store.commits;
    const auto share_is_late = [](Bank& late) {
      late.pass(Treasury::kShareWaitMillis);
      REQUIRE(late.tick());
    };
    share_is_late(bank);
    const auto rows = bank.store.rows(Family::Credits);
    const auto record = bank.settlement(block);
    CHECK(record.terms.scheme.kind == (to_pps ? SchemeKind::Prop : SchemeKind::Pps));
    CHECK(record.shares.size() == (to_pps ? 3 : 0));
    for (const bool reaches_log : {false, true})
      for (int at = 1; at <= commits - before.commits; ++at) {
        Bank again((to_pps ? pps : prop).text(), before);
        again.facts = bank.facts;
        again.now = UnixMillis(bank.now.value() - Treasury::kShareWaitMillis);
        again.store.fail_at = before.commits + at;
        again.store.failure_reaches_log = reaches_log;
        CHECK_FALSE(again.open());
        again.treasury.reset();
        again.ledger.reset();
        again.store = test::MemoryStore(again.store.after_power_loss(again.store.unsynced()));
        again.must_open();
        share_is_late(again);
        CHECK(again.store.rows(Family::Credits) == rows);
      }
  }
}

}  // namespace adit
