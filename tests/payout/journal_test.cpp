// SPDX-License-Identifier: MIT
#include "adit/payout/journal.h"

#include <doctest/doctest.h>

#include "adit/ledger/json_fields.h"
#include "support/ledger_samples.h"
#include "support/memory_store.h"

namespace adit {
namespace {

using test::MemoryStore;
using test::ShareMaker;

const Book kBlocks{BookKind::Blocks, 0}, kPool{BookKind::Pool, 0}, kPaid{BookKind::Paid, 0};
constexpr UnixMillis kNow{1'700'000'000'000};

std::string name_of(AccountId account) { return "addr\"" + std::to_string(account.value()); }

Journal opened(LedgerStore& store) {
  auto journal = Journal::open(store, name_of);
  INFO((journal ? "" : journal.error().text));
  REQUIRE(journal.ok());
  return *std::move(journal);
}

std::vector<JournalEntry> entries(LedgerStore& store, std::uint64_t first = 1) {
  std::vector<JournalEntry> out;
  const Status s = for_each_entry(store, first, [&](const JournalEntry& entry) {
    out.push_back(entry);
    return true;
  });
  REQUIRE(s.ok());
  return out;
}

std::vector<std::string> problems(LedgerStore& store) {
  const auto found = verify_journal(store);
  REQUIRE(found.ok());
  return *found;
}

/// Changes `from` to `to` in a sealed row and seals it again.
void rewrite(MemoryStore& store, const std::string& key, const std::string& from,
             const std::string& to) {
  std::string& row = store.rows(Family::Credits).at(key);
  std::string text = row.substr(0, row.rfind(",\"seal\"")) + "}";
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  row = seal_json(text.replace(at, from.size(), to));
}

}  // namespace

TEST_CASE("books: a text each, and back") {
  for (const Book& book : {kBlocks, kPool, Book::account(AccountId(7)), Book::payment(12), kPaid,
                           Book{BookKind::Coinbase, 0}, Book{BookKind::Fees, 0}})
    CHECK(Book::parse(book.text()) == book);
  CHECK(Book::account(AccountId(5)).text() == "account:5");
  CHECK(Book::payment(~0ull).text() == "payment:18446744073709551615");
  for (const char* bad : {"", "account", "account:", "account:0", "account:05", "account:-1",
                          "account:10000001", "pool:1", "Pool", "payment:18446744073709551616"})
    CHECK_FALSE(Book::parse(bad));
}

TEST_CASE("journal: what is moved is there after a restart, and sums to zero") {
  MemoryStore store;
  Journal journal = opened(store);
  CHECK(journal.last_entry() == 0);
  LedgerBatch batch;
  const Book a = Book::account(AccountId(1)), b = Book::account(AccountId(300));
  journal.move(batch, kBlocks, a, Satoshi(1000), "block", "h1", kNow);
  journal.move(batch, kBlocks, b, Satoshi(50), "block", "h1", kNow);
  journal.move(batch, kBlocks, kPool, Satoshi(7), "block", "h1", kNow);
  journal.move(batch, a, Book::payment(1), Satoshi(900), "payment", "payment:1", kNow);
  journal.move(batch, kPool, b, Satoshi(2), "shares", "slices:1-60", kNow);
  CHECK(journal.take_whole(AccountId(300), MicroSatoshi(2'999'999)) == Satoshi(2));
  journal.finish(batch);
  REQUIRE(store.commit(batch, true).ok());
  LedgerBatch more;
  journal.move(more, Book::payment(1), kPaid, Satoshi(900), "paid", "payment:1", kNow);
  // The block is lost: its entries the other way round.
  journal.move(more, a, kBlocks, Satoshi(1000), "reversal", "h1", kNow);
  journal.finish(more);
  CHECK(more.puts.size() == 6);  // two entries, and the four balances that they changed
  REQUIRE(store.commit(more, true).ok());

  const Journal again = opened(store);
  CHECK(again.last_entry() == 7);
  CHECK(again.balance(a) == Satoshi(-900));  // a debt
  CHECK(again.balance(b) == Satoshi(52));
  CHECK(again.balance(kPool) == Satoshi(5));
  CHECK(again.balance(kBlocks) == Satoshi(-57));
  CHECK(again.balance(kPaid) == Satoshi(900));
  CHECK(again.balance(Book::payment(1)) == Satoshi{});
  CHECK(again.balance(Book::account(AccountId(2))) == Satoshi{});
  const AccountBalance of_a = again.account(AccountId(1));
  CHECK(of_a.earned == Satoshi{});
  CHECK(of_a.paid == Satoshi(900));
  CHECK(of_a.address == "addr\"1");
  CHECK(again.account(AccountId(300)).fraction == MicroSatoshi(999'999));
  CHECK(again.accounts().size() == 2);
  CHECK(entries(store).size() == 7);
  CHECK(entries(store, 6).at(0) ==
        JournalEntry{6, kNow, "paid", "payment:1", Book::payment(1), kPaid, Satoshi(900)});
  CHECK(problems(store).empty());
}

TEST_CASE("journal: fractions add up to whole satoshi, across restarts") {
  MemoryStore store;
  Satoshi whole;
  for (int i = 0; i < 10; ++i) {
    Journal journal = opened(store);
    LedgerBatch batch;
    whole += journal.take_whole(AccountId(4), MicroSatoshi(157'148));
    journal.finish(batch);
    REQUIRE(store.commit(batch, true).ok());
  }
  CHECK(whole == Satoshi(1));
  CHECK(opened(store).account(AccountId(4)).fraction == MicroSatoshi(571'480));
}

TEST_CASE("journal: random moves keep every sum, and the newest number is found") {
  MemoryStore store;
  store.rows(Family::Credits)["k"] = "a row of another kind after the entries";
  ShareMaker random(5);
  std::map<Book, Satoshi> naive;
  std::uint64_t moved = 0;
  for (int round = 0; round < 60; ++round) {
    Journal journal = opened(store);
    CHECK(journal.last_entry() == moved);
    LedgerBatch batch;
    for (std::uint64_t i = random.below(12); i > 0; --i) {
      const auto book = [&]() -> Book {
        const auto kind = static_cast<BookKind>(random.below(7));
        const bool id = kind == BookKind::Account || kind == BookKind::Payment;
        return {kind, id ? 1 + random.below(9) : 0};
      };
      const Book from = book(), to = book();
      if (from == to) continue;
      const Satoshi amount(1 + static_cast<std::int64_t>(random.below(1'000'000)));
      journal.move(batch, from, to, amount, "block", "r", kNow);
      naive[from] -= amount;
      naive[to] += amount;
      ++moved;
    }
    journal.finish(batch);
    REQUIRE(store.commit(batch, true).ok());
    for (const auto& [book, balance] : naive) CHECK(journal.balance(book) == balance);
  }
  CHECK(problems(store).empty());
}

TEST_CASE("journal: damage is found, and named") {
  MemoryStore store;
  Journal journal = opened(store);
  LedgerBatch batch;
  for (std::uint32_t i = 1; i <= 5; ++i)
    journal.move(batch, kBlocks, Book::account(AccountId(i)), Satoshi(100 * i), "block", "h", kNow);
  journal.finish(batch);
  REQUIRE(store.commit(batch, true).ok());
  const MemoryStore honest = store;

  rewrite(store, "j" + key_u64(3), "\"amount\":300", "\"amount\":301");
  REQUIRE(problems(store).size() == 3);  // balance and earnings of the account, balance of blocks
  CHECK(problems(store)[0].find("account:3 addr\"3 has a balance of 300 satoshi; the entries add "
                                "up to 301 satoshi") != std::string::npos);
  store = honest;
  store.rows(Family::Credits).erase("j" + key_u64(2));
  CHECK(problems(store)[0].find("entry 2 is missing") != std::string::npos);
  CHECK_FALSE(for_each_entry(store, 1, [](const JournalEntry&) { return true; }).ok());
  store = honest;
  store.rows(Family::Credits)["b" + key_u32(4)][20] ^= 1;
  CHECK(problems(store)[0].find("broken JSON or seal") != std::string::npos);
  CHECK(Journal::open(store, name_of).error().code == ErrorCode::Corrupt);
  store = honest;
  store.rows(Family::Credits).erase("b" + key_u32(4));
  CHECK(problems(store)[0].find("account:4 has no row") != std::string::npos);
  CHECK(Journal::open(store, name_of).error().text.find("not zero") != std::string::npos);
  store = honest;
  rewrite(store, "b" + key_u32(5), "\"balance\":500,\"earned\":500",
          "\"balance\":501,\"earned\":501");
  CHECK(problems(store)[0].find("account:5") != std::string::npos);
}

}  // namespace adit
