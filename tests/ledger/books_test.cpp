// SPDX-License-Identifier: MIT
// Names and totals: lasting ids, lazy writing, exact after every restart.
#include <map>

#include "fixture.h"

using namespace adit;
using adit::test::MemoryStore;
using adit::test::Pool;
using adit::test::shares_of;

namespace {

struct Sum {
  std::uint64_t shares = 0;
  Work work;
  bool operator==(const Sum&) const = default;
};

/// The naive twin: totals by adding up every share on disk.
void check_totals(LedgerStore& store) {
  std::map<std::uint32_t, Sum> accounts, workers;
  for (const ShareRecord& r : shares_of(store)) {
    accounts[r.account.value()].shares += 1;
    accounts[r.account.value()].work += r.work;
    workers[r.worker.value()].shares += 1;
    workers[r.worker.value()].work += r.work;
  }
  const auto a = account_totals(store);
  const auto w = worker_totals(store);
  REQUIRE((a.ok() && w.ok()));
  REQUIRE(a->size() == accounts.size());
  REQUIRE(w->size() == workers.size());
  for (const AccountTotal& t : *a) CHECK(Sum{t.shares, t.work} == accounts[t.id.value()]);
  for (const WorkerTotal& t : *w) CHECK(Sum{t.shares, t.work} == workers[t.id.value()]);
}

}  // namespace

TEST_CASE("names: the same id for ever, written with the first share only") {
  Pool pool;
  const auto a = pool.ledger->worker_id("alice", "rig");
  const auto b = pool.ledger->worker_id("alice", "");
  const auto c = pool.ledger->worker_id("bob", "rig");
  CHECK(pool.ledger->worker_id("alice", "rig") == a);
  CHECK((a != b && b != c && a != c));
  CHECK(pool.store.rows(Family::Workers).empty());
  REQUIRE(pool.append({pool.maker.share(c)}).ok());
  CHECK(pool.store.rows(Family::Workers).size() == 1);
  CHECK(pool.store.rows(Family::Accounts).size() == 1);
  pool.reopen();
  CHECK(pool.ledger->worker_id("bob", "rig") == c);
  // The others never booked anything: they are new again, and clash with nobody.
  const auto d = pool.ledger->worker_id("alice", "rig");
  CHECK(d.value() > c.value());
  REQUIRE(pool.append({pool.maker.share(d), pool.maker.share(c)}).ok());
  CHECK(pool.problems().empty());
  check_totals(pool.store);
}

TEST_CASE("names: strange bytes are the same worker after a restart") {
  Pool pool;
  const std::string strange[] = {"\xff\xfe", std::string("a\0b", 3), "\"quoted\\", "\u00e9\u4e2d",
                                 std::string(256, '\x01')};
  std::vector<LedgerWorkerId> ids;
  for (const std::string& name : strange) ids.push_back(pool.ledger->worker_id("acc\xc3", name));
  for (const LedgerWorkerId id : ids) {
    REQUIRE(id.value() != 0);
    REQUIRE(pool.append({pool.maker.share(id)}).ok());
  }
  pool.reopen();
  for (std::size_t i = 0; i < ids.size(); ++i)
    CHECK(pool.ledger->worker_id("acc\xc3", strange[i]) == ids[i]);
  CHECK(pool.ledger->worker_id(std::string("a\0b", 3), "c") !=
        pool.ledger->worker_id("a", std::string("b\0c", 3)));
  CHECK(pool.problems().empty());
}

TEST_CASE("totals: written lazily, exact at every moment") {
  Pool pool;
  std::size_t puts_of_totals = 0;
  for (int i = 0; i < 300; ++i) {
    if (i % 50 == 49) pool.now = UnixMillis(pool.now.value() + 11'000);
    REQUIRE(pool.append(pool.batch(1 + pool.maker.below(20))).ok());
    if (i % 60 == 0) check_totals(pool.store);
    if (i % 70 == 0) pool.reopen();
  }
  check_totals(pool.store);
  CHECK(pool.problems().empty());
  puts_of_totals = pool.store.rows(Family::Meta).count("totals_through");
  CHECK(puts_of_totals == 1);
  REQUIRE(pool.ledger->close(pool.now).ok());
  CHECK(pool.store.rows(Family::Meta)["totals_through"] ==
        std::to_string(pool.ledger->last_sequence().value()));
  CHECK(pool.problems().empty());
  check_totals(pool.store);
}

TEST_CASE("totals: a busy minute writes few records") {
  Pool pool;
  REQUIRE(pool.append(pool.batch(50)).ok());
  class Counting : public MemoryStore {
   public:
    std::size_t records = 0;
    Status commit(const LedgerBatch& batch, bool sync) override {
      for (const auto& put : batch.puts)
        records += put.family == Family::Accounts || put.family == Family::Workers ? 1 : 0;
      return MemoryStore::commit(batch, sync);
    }
  } store;
  auto ledger = Ledger::open(store, pool.options, std::nullopt);
  REQUIRE(ledger.ok());
  std::vector<DoorVerdict> verdicts;
  Sequence first;
  std::vector<LedgerWorkerId> ids;
  for (int i = 0; i < 50; ++i) ids.push_back(ledger->worker_id("a", std::to_string(i)));
  for (int i = 0; i < 6000; ++i) {  // ten milliseconds each
    const auto share = pool.maker.share(ids[pool.maker.below(ids.size())]);
    const UnixMillis now(1'700'000'000'000 + 10 * i);
    REQUIRE(ledger->append({&share, 1}, now, verdicts, first).ok());
  }
  // 51 entries, at first and then every ten seconds.
  CHECK(store.records >= 51 * 5);
  CHECK(store.records <= 51 * 7);
}

TEST_CASE("totals: a clock that steps back does not stop them") {
  Pool pool;
  REQUIRE(pool.append(pool.batch(30)).ok());
  REQUIRE(pool.append(pool.batch(30)).ok());
  pool.now = UnixMillis(1'000'000);
  REQUIRE(pool.append(pool.batch(30)).ok());
  REQUIRE(pool.append(pool.batch(30)).ok());
  check_totals(pool.store);
  CHECK(pool.problems().empty());
}

TEST_CASE("totals: broken records are named") {
  Pool pool;
  REQUIRE(pool.append(pool.batch(10)).ok());
  pool.ledger.reset();
  const auto key = key_u32(1);
  auto& accounts = pool.store.rows(Family::Accounts);
  const std::string good = accounts[key];
  accounts[key][5] ^= 1;
  const auto opened = Ledger::open(pool.store, pool.options, std::nullopt);
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().code == ErrorCode::Corrupt);
  CHECK(opened.error().text.find("accounts 00000001") != std::string::npos);
  accounts[key] = good;
  accounts[key_u32(0xFFFFFFFF)] = good;
  CHECK_FALSE(Ledger::open(pool.store, pool.options, std::nullopt).ok());
  accounts.erase(key_u32(0xFFFFFFFF));
  accounts.erase(key);
  CHECK_FALSE(Ledger::open(pool.store, pool.options, std::nullopt).ok());
  CHECK_FALSE(account_totals(pool.store).ok());
}
