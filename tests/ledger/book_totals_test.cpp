// SPDX-License-Identifier: MIT
// Totals that are followed share by share, against those that are read anew each time.
#include "adit/ledger/book_totals.h"

#include <algorithm>

#include "fixture.h"

using namespace adit;
using adit::test::Pool;

namespace {

void check_same(const BookTotals& totals, LedgerStore& store) {
  const auto accounts = account_totals(store);
  const auto workers = worker_totals(store);
  REQUIRE((accounts.ok() && workers.ok()));
  std::size_t seen = 0;
  for (const AccountTotal& wanted : *accounts) {
    const AccountTotal* account = totals.account(wanted.address);
    REQUIRE(account != nullptr);
    CHECK((account->id == wanted.id && account->first_seen == wanted.first_seen));
    CHECK((account->shares == wanted.shares && account->work == wanted.work));
    std::string last;
    std::size_t here = 0;
    totals.for_each_worker(account->id, [&](const WorkerTotal& worker) {
      CHECK((here == 0 || last < worker.name));
      last = worker.name;
      ++here;
      const auto same = std::find_if(workers->begin(), workers->end(),
                                     [&](const WorkerTotal& w) { return w.id == worker.id; });
      REQUIRE(same != workers->end());
      CHECK((same->account == worker.account && same->name == worker.name));
      CHECK((same->shares == worker.shares && same->work == worker.work));
    });
    CHECK(here == totals.workers(account->id));
    seen += here;
  }
  CHECK(seen == workers->size());
}

}  // namespace

TEST_CASE("followed totals: at every moment those of a fresh look, over restarts too") {
  Pool pool;
  BookTotals totals;
  REQUIRE(totals.refresh(pool.store).ok());
  CHECK(totals.account("account0") == nullptr);
  for (int round = 0; round < 200; ++round) {
    std::vector<ShareCandidate> batch;
    const std::uint64_t names = 1 + static_cast<std::uint64_t>(round) / 4;
    for (std::uint64_t i = pool.maker.below(20) + 1; i > 0; --i)
      batch.push_back(pool.maker.share(pool.worker(static_cast<int>(pool.maker.below(names)))));
    REQUIRE(pool.append(batch).ok());
    pool.now = UnixMillis(pool.now.value() + static_cast<std::int64_t>(pool.maker.below(4'000)));
    if (round % 41 == 40) pool.reopen();
    if (pool.maker.below(3) != 0) continue;
    REQUIRE(totals.refresh(pool.store).ok());
    check_same(totals, pool.store);
    CHECK(totals.counted() == pool.ledger->last_sequence());
  }
}

TEST_CASE("followed totals: a record that comes after one with a higher id") {
  Pool pool;
  BookTotals totals;
  const auto late = pool.ledger->worker_id("late", "rig");
  const auto early = pool.ledger->worker_id("early", "rig");
  REQUIRE(pool.append({pool.maker.share(early)}).ok());
  REQUIRE(totals.refresh(pool.store).ok());
  CHECK(totals.account("late") == nullptr);
  REQUIRE(pool.append({pool.maker.share(late), pool.maker.share(early)}).ok());
  REQUIRE(totals.refresh(pool.store).ok());
  check_same(totals, pool.store);
  // The same with the worker above all that are known, and its account below.
  const auto third = pool.ledger->worker_id("third", "a");
  const auto fourth = pool.ledger->worker_id("fourth", "b");
  REQUIRE(pool.append({pool.maker.share(fourth)}).ok());
  REQUIRE(totals.refresh(pool.store).ok());
  REQUIRE(pool.append({pool.maker.share(pool.ledger->worker_id("third", "c"))}).ok());
  REQUIRE(pool.append({pool.maker.share(third)}).ok());
  REQUIRE(totals.refresh(pool.store).ok());
  check_same(totals, pool.store);
}

TEST_CASE("followed totals: names are read once, until the shares between cost more") {
  Pool pool;
  BookTotals totals(50);
  REQUIRE(pool.append(pool.batch(30)).ok());
  REQUIRE(totals.refresh(pool.store).ok());
  auto& row = pool.store.rows(Family::Accounts)[key_u32(1)];
  const std::string good = row;
  row[5] ^= 1;
  const auto only_first = [&] { return std::vector{pool.maker.share(pool.worker(1))}; };
  REQUIRE(pool.append(only_first()).ok());
  CHECK(totals.refresh(pool.store).ok());  // nobody looked at it
  CHECK(totals.counted() == Sequence(31));
  row = good;
  // Both records are written again after ten seconds: what lies before is not counted one by one.
  pool.now = UnixMillis(pool.now.value() + 20'000);
  REQUIRE(pool.append(pool.batch(60)).ok());
  pool.now = UnixMillis(pool.now.value() + 20'000);
  REQUIRE(pool.append(pool.batch(60)).ok());
  auto& runs = pool.store.rows(Family::Shares);
  const std::string middle = runs[key_u64(32)];
  runs[key_u64(32)][1] ^= 1;
  CHECK(totals.refresh(pool.store).ok());
  runs[key_u64(32)] = middle;
  check_same(totals, pool.store);
}

TEST_CASE("followed totals: shares that went uncounted are in the records") {
  Pool pool;
  BookTotals totals;
  REQUIRE(pool.append(pool.batch(10)).ok());
  REQUIRE(totals.refresh(pool.store).ok());
  for (int i = 0; i < 10; ++i) {
    pool.now = UnixMillis(pool.now.value() + 20'000);
    REQUIRE(pool.append(pool.batch(10)).ok());
  }
  LedgerBatch old;
  old.deletes.push_back({Family::Shares, key_u64(1), key_u64(51)});
  REQUIRE(pool.store.commit(old, true).ok());
  REQUIRE(totals.refresh(pool.store).ok());
  check_same(totals, pool.store);
}

TEST_CASE("followed totals: what cannot be read is said, and read anew when it can") {
  Pool pool;
  BookTotals totals;
  REQUIRE(pool.append(pool.batch(30)).ok());
  REQUIRE(totals.refresh(pool.store).ok());
  for (int later = 1; later <= 4; ++later) {
    REQUIRE(pool.append(pool.batch(3)).ok());
    pool.store.fail_read_at = pool.store.reads + later;
    CHECK_FALSE(totals.refresh(pool.store).ok());
    REQUIRE(totals.refresh(pool.store).ok());
    check_same(totals, pool.store);
  }
  auto& row = pool.store.rows(Family::Workers)[key_u32(1)];
  row[5] ^= 1;
  BookTotals fresh;
  CHECK_FALSE(fresh.refresh(pool.store).ok());
  CHECK(fresh.account("account0") == nullptr);
}
