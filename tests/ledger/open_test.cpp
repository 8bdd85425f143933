// SPDX-License-Identifier: MIT
// Opening: what must fit, boot numbers, the high-water mark, expiry.
#include "fixture.h"

using namespace adit;
using adit::test::MemoryStore;
using adit::test::Pool;
using adit::test::shares_of;

namespace {

ErrorCode open_error(MemoryStore& store, const LedgerOptions& options,
                     const std::optional<HighWater>& mark = std::nullopt) {
  const auto opened = Ledger::open(store, options, mark);
  REQUIRE_FALSE(opened.ok());
  CHECK_FALSE(opened.error().text.empty());
  return opened.error().code;
}

}  // namespace

TEST_CASE("open: each boot has its own number, which wraps past zero") {
  Pool pool;
  CHECK(pool.ledger->boot() == 1);
  pool.reopen();
  CHECK(pool.ledger->boot() == 2);
  pool.store.rows(Family::Meta)["boot"] = "65535";
  pool.reopen();
  CHECK(pool.ledger->boot() == 1);
  pool.store.rows(Family::Meta)["boot"] = "many";
  CHECK(open_error(pool.store, pool.options) == ErrorCode::Corrupt);
}

TEST_CASE("open: another network, instance or schema is refused, and nothing is written") {
  Pool pool;
  const auto before = pool.store.rows(Family::Meta);
  LedgerOptions other = pool.options;
  other.network = Network::Main;
  CHECK(open_error(pool.store, other) == ErrorCode::Conflict);
  other = pool.options;
  other.instance = 3;
  CHECK(open_error(pool.store, other) == ErrorCode::Conflict);
  CHECK(pool.store.rows(Family::Meta) == before);
  pool.store.rows(Family::Meta)["schema"] = "2";
  CHECK(open_error(pool.store, pool.options) == ErrorCode::Conflict);
  pool.store.rows(Family::Meta).erase("genesis");
  pool.store.rows(Family::Meta)["schema"] = "1";
  CHECK(open_error(pool.store, pool.options) == ErrorCode::Corrupt);
}

TEST_CASE("open: shares without meta are not new books") {
  Pool pool;
  REQUIRE(pool.append(pool.batch(3)).ok());
  pool.store.rows(Family::Meta).clear();
  CHECK(open_error(pool.store, pool.options) == ErrorCode::Corrupt);
}

TEST_CASE("open: a read error is an error, wherever it strikes") {
  Pool pool;
  REQUIRE(pool.append(pool.batch(3)).ok());
  const int before = pool.store.reads;
  pool.reopen();
  const int calls = pool.store.reads - before;
  REQUIRE(calls > 5);
  for (int n = 1; n <= calls; ++n) {
    pool.store.fail_read_at = pool.store.reads + n;
    CHECK(open_error(pool.store, pool.options) == ErrorCode::Io);
  }
}

TEST_CASE("mark: text there and back, nothing else") {
  HighWater mark{Sequence(42), {}};
  mark.chain[0] = 0xAB;
  mark.slice = {SliceNumber(3), {}};
  mark.slice.hash[31] = 0xCD;
  mark.money_batches = 9;
  CHECK(mark.text() == "42 ab" + std::string(62, '0') + "\n3 " + std::string(62, '0') + "cd\n9\n");
  CHECK(HighWater::parse(mark.text()) == mark);
  for (const std::string& bad :
       {std::string(), std::string("42\n"), mark.text() + "x", mark.text().substr(1),
        "-" + mark.text(), mark.text().substr(0, 20), "99999999999999999999" + mark.text()})
    if (bad != mark.text().substr(1)) CHECK_FALSE(HighWater::parse(bad));
}

TEST_CASE("mark: a ledger behind it is refused, unless the loss is accepted") {
  Pool pool;
  REQUIRE(pool.append(pool.batch(10)).ok());
  MemoryStore backup = pool.store;
  const HighWater early = pool.ledger->high_water();
  REQUIRE(pool.append(pool.batch(10)).ok());
  const HighWater late = pool.ledger->high_water();
  pool.reopen(early);
  pool.reopen(late);
  CHECK(open_error(backup, pool.options, late) == ErrorCode::Conflict);
  LedgerOptions accept = pool.options;
  accept.accept_loss = true;
  const auto accepted = Ledger::open(backup, accept, late);
  REQUIRE(accepted.ok());
  CHECK(accepted->accepted_loss().shares == 10);
  CHECK(accepted->accepted_loss().slices == 0);
  REQUIRE(accepted->accepted_loss().why);
  CHECK(accepted->accepted_loss().why->code == ErrorCode::Conflict);
  CHECK(accepted->high_water().sequence == Sequence(10));
  // Whole books have nothing to accept, and a disk that cannot be read is no loss.
  const auto whole = Ledger::open(pool.store, accept, late);
  REQUIRE(whole.ok());
  CHECK_FALSE(whole->accepted_loss().why);
  backup.fail_read_at = backup.reads + 1;
  CHECK(measure_loss(backup, late).error().code == ErrorCode::Io);
}

TEST_CASE("mark: only books with something in them miss one") {
  Pool pool;
  CHECK(unmarked_books(pool.store).value() == std::nullopt);
  REQUIRE(pool.append(pool.batch(10)).ok());
  const auto words = unmarked_books(pool.store).value();
  REQUIRE(words);
  CHECK(words->find("books that end at share 10 and batch 0 of credits") != std::string::npos);
  pool.store.fail_read_at = pool.store.reads + 1;
  CHECK(unmarked_books(pool.store).error().code == ErrorCode::Io);
}

TEST_CASE("mark: slices and writes of money behind it are refused, too") {
  Pool pool;
  const auto money = [&] {
    LedgerBatch batch;
    batch.put(Family::Payments, "p", "state");
    REQUIRE(pool.ledger->write(batch).ok());
  };
  REQUIRE(pool.append(pool.batch(10)).ok());
  money();
  const MemoryStore before = pool.store;
  REQUIRE(pool.ledger->close_due_slice(UnixMillis(pool.now.value() + 60'000)).ok());
  const MemoryStore closed = pool.store;
  const HighWater slice = pool.ledger->high_water();
  CHECK(slice.slice.number == SliceNumber(1));
  CHECK(slice.money_batches == 1);
  money();
  const HighWater paid = pool.ledger->high_water();
  const auto code = [&](MemoryStore store, const HighWater& mark) {
    auto opened = Ledger::open(store, pool.options, mark);
    return opened ? ErrorCode::NotFound : opened.error().code;
  };
  CHECK(code(pool.store, paid) == ErrorCode::NotFound);  // it opens
  CHECK(code(closed, slice) == ErrorCode::NotFound);
  CHECK(code(before, slice) == ErrorCode::Conflict);
  CHECK(code(closed, paid) == ErrorCode::Conflict);
  HighWater other = slice;
  other.slice.hash[0] ^= 1;
  CHECK(code(pool.store, other) == ErrorCode::Corrupt);
  pool.options.accept_loss = true;
  CHECK(code(before, slice) == ErrorCode::NotFound);
  CHECK(code(closed, paid) == ErrorCode::NotFound);
  MemoryStore older = before;
  CHECK(measure_loss(older, paid)->text() ==
        "0 shares, 1 slices and 1 writes of credits and payments are missing");
  pool.options.accept_loss = false;
  pool.reopen(paid);
  CHECK(pool.ledger->high_water() == paid);
  pool.store.rows(Family::Meta)["money_batches"] = "many";
  CHECK(code(pool.store, paid) == ErrorCode::Corrupt);
}

TEST_CASE("mark: a ledger with another history is refused") {
  Pool pool, other;
  other.maker = adit::test::ShareMaker(99);
  REQUIRE(pool.append(pool.batch(10)).ok());
  REQUIRE(other.append(other.batch(5)).ok());
  REQUIRE(other.append(other.batch(10)).ok());
  CHECK(open_error(other.store, pool.options, pool.ledger->high_water()) == ErrorCode::Corrupt);
  // A mark inside a run is found, too.
  CHECK(chain_at(other.store, Sequence(7)).value().has_value());
  CHECK_FALSE(chain_at(other.store, Sequence(16)).value().has_value());
  const HighWater inside{Sequence(7), *chain_at(other.store, Sequence(7)).value()};
  other.reopen(inside);
}

TEST_CASE("expiry: whole old runs go, the rest verifies, and the books go on") {
  Pool pool;
  CHECK(pool.ledger->newest_time().value() == UnixMillis(0));
  std::vector<UnixMillis> times;
  for (std::uint32_t i = 0; i < 40; ++i) {
    pool.now = UnixMillis(pool.now.value() + 3'600'000);
    REQUIRE(pool.append(pool.batch(3 + i % 5, 100 + i / 4)).ok());
    times.push_back(pool.now);
  }
  const auto all = shares_of(pool.store);
  const HighWater mark = pool.ledger->high_water();
  CHECK(pool.ledger->newest_time().value() == times.back());
  REQUIRE(pool.ledger->expire_shares(times[10]).ok());
  const auto left = shares_of(pool.store);
  REQUIRE_FALSE(left.empty());
  CHECK(left.front().time == times[10]);
  CHECK(std::equal(left.begin(), left.end(), all.end() - static_cast<long>(left.size())));
  CHECK(pool.problems().empty());
  REQUIRE(pool.ledger->expire_shares(times[10]).ok());
  CHECK(shares_of(pool.store).size() == left.size());
  pool.reopen(mark);
  CHECK(pool.problems().empty());
  REQUIRE(pool.append(pool.batch(2, 110)).ok());
  CHECK(pool.first.value() == all.size() + 1);
  CHECK(chain_at(pool.store, Sequence(1)).value() == std::nullopt);
}

TEST_CASE("expiry: runs on the newest tip and runs not yet totalled stay") {
  Pool pool;
  for (int i = 0; i < 20; ++i) {
    pool.now = UnixMillis(pool.now.value() + 3'600'000);
    REQUIRE(pool.append(pool.batch(3, i < 5 ? 100 : 101)).ok());
  }
  REQUIRE(pool.ledger->expire_shares(UnixMillis(pool.now.value() + 1)).ok());
  CHECK(shares_of(pool.store).front().height == 101);
  CHECK(shares_of(pool.store).size() == 45);
  // Totals lag by up to ten seconds: within them nothing may go.
  Pool fresh;
  for (std::uint32_t i = 0; i < 10; ++i) REQUIRE(fresh.append(fresh.batch(30, 100 + i)).ok());
  REQUIRE(fresh.ledger->expire_shares(UnixMillis(fresh.now.value() + 1)).ok());
  const auto totals_from = shares_of(fresh.store).front().sequence;
  CHECK(totals_from <= Sequence(61));
  fresh.reopen();
  CHECK(fresh.problems().empty());
  Pool empty;
  CHECK(empty.ledger->expire_shares(empty.now).ok());
}
