// SPDX-License-Identifier: MIT
// The door: what is booked, what is refused, in one batch, over restarts, over tips.
#include "fixture.h"
#include "ledger/books.h"
#include "ledger/share_run.h"

using namespace adit;
using adit::test::Pool;
using adit::test::ShareMaker;
using adit::test::shares_of;
using enum DoorVerdict;

TEST_CASE("door: good shares get sequences without holes and their facts back") {
  Pool pool;
  const auto batch = pool.batch(5);
  REQUIRE(pool.append(batch).ok());
  CHECK(pool.first == Sequence(1));
  CHECK(pool.verdicts == std::vector<DoorVerdict>(5, Durable));
  REQUIRE(pool.append(pool.batch(3)).ok());
  CHECK(pool.first == Sequence(6));
  CHECK(pool.ledger->last_sequence() == Sequence(8));
  const auto booked = shares_of(pool.store);
  REQUIRE(booked.size() == 8);
  Digest chain{};
  for (std::size_t i = 0; i < booked.size(); ++i) {
    CHECK(booked[i].sequence.value() == i + 1);
    std::array<std::uint8_t, ShareRecord::kSize> bytes{};
    booked[i].encode(bytes.data());
    chain = chain_next(chain, bytes);
    if (i >= batch.size()) continue;
    CHECK(booked[i].hash == batch[i].hash);
    CHECK(booked[i].tip == batch[i].tip);
    CHECK(booked[i].worker == batch[i].worker);
    CHECK(booked[i].work == batch[i].work);
    CHECK(booked[i].height == 100);
  }
  CHECK(chain == pool.ledger->chain_head());
  CHECK(pool.problems().empty());
}

TEST_CASE("door: credit above what the hash proves is refused") {
  Pool pool;
  auto share = pool.maker.share(pool.worker());
  const Work proved = Work::proved_by(share.hash);
  share.work = Work(proved.value() + 1);
  auto exact = pool.maker.share(pool.worker());
  exact.work = Work::proved_by(exact.hash);
  auto nothing = pool.maker.share(pool.worker());
  nothing.work = Work();
  REQUIRE(pool.append({share, exact, nothing}).ok());
  CHECK(pool.verdicts == std::vector{NotProved, Durable, NotProved});
  CHECK(pool.first == Sequence(1));
  // A refused hash is not remembered: with an honest credit it passes.
  share.work = proved;
  REQUIRE(pool.append({share}).ok());
  CHECK(pool.verdicts == std::vector{Durable});
}

TEST_CASE("door: a batch of refusals touches no disk") {
  Pool pool;
  auto share = pool.maker.share(pool.worker());
  share.work = Work(~Uint128{0});
  const int before = pool.store.commits;
  REQUIRE(pool.append({share, share}).ok());
  CHECK(pool.first == Sequence());
  REQUIRE(pool.append({}).ok());
  CHECK(pool.verdicts.empty());
  CHECK(pool.store.commits == before);
}

TEST_CASE("door: no hash twice, in a batch, later, from another worker, over a restart") {
  Pool pool;
  auto share = pool.maker.share(pool.worker(1));
  auto again = share;
  again.worker = pool.worker(2);
  again.work = Work(1);
  REQUIRE(pool.append({share, again, share}).ok());
  CHECK(pool.verdicts == std::vector{Durable, Duplicate, Duplicate});
  REQUIRE(pool.append({again}).ok());
  CHECK(pool.verdicts == std::vector{Duplicate});
  pool.reopen();
  share.worker = pool.worker(1);
  REQUIRE(pool.append({share}).ok());
  CHECK(pool.verdicts == std::vector{Duplicate});
  CHECK(pool.ledger->last_sequence() == Sequence(1));
}

TEST_CASE("door: a restart knows the hashes of the last tips, also interleaved and of a reorg") {
  Pool pool;
  std::vector<ShareCandidate> recent;
  // Old tips first, then four tips in turns, as around a tip change and a reorg back.
  for (std::uint32_t height = 90; height < 96; ++height)
    REQUIRE(pool.append(pool.batch(5, height)).ok());
  for (const std::uint32_t height : {100u, 101u, 100u, 101u, 102u, 101u, 103u, 102u, 103u, 100u}) {
    const auto batch = pool.batch(20, height);
    REQUIRE(pool.append(batch).ok());
    recent.insert(recent.end(), batch.begin(), batch.end());
  }
  pool.reopen();
  for (ShareCandidate& share : recent) share.worker = pool.worker();
  REQUIRE(pool.append(recent).ok());
  for (const DoorVerdict v : pool.verdicts) CHECK(v == Duplicate);
  // And the order of use: a fifth tip drops 101, which was used longest ago.
  REQUIRE(pool.append(pool.batch(1, 104)).ok());
  REQUIRE(pool.append({recent.back()}).ok());
  CHECK(pool.verdicts == std::vector{Duplicate});
}

TEST_CASE("door: full books and a full filter refuse, and do not book") {
  Pool pool;
  pool.options.worker_limit = 2;
  pool.options.hashes_per_tip = 3;
  pool.reopen();
  CHECK(pool.ledger->worker_id("a", "1").value() == 1);
  CHECK(pool.ledger->worker_id("a", "2").value() == 2);
  CHECK(pool.ledger->worker_id("b", "1").value() == 0);
  CHECK(pool.ledger->worker_id("a", "1").value() == 1);
  CHECK(pool.ledger->worker_id("a", std::string(257, 'x')).value() == 0);
  CHECK(pool.ledger->worker_id(std::string(257, 'x'), "").value() == 0);
  std::vector<ShareCandidate> shares{pool.maker.share(LedgerWorkerId(0))};
  for (int i = 0; i < 4; ++i) shares.push_back(pool.maker.share(LedgerWorkerId(1)));
  REQUIRE(pool.append(shares).ok());
  CHECK(pool.verdicts == std::vector{Full, Durable, Durable, Durable, Full});
  CHECK(pool.problems().empty());
}

TEST_CASE("door: one account's names do not use up the others' places") {
  Pool pool;
  pool.options.worker_limit = Books::kWorkersPerAccount + 10;
  pool.reopen();
  const LedgerWorkerId other = pool.ledger->worker_id("b", "rig");
  for (std::uint32_t i = 0; i < Books::kWorkersPerAccount; ++i)
    REQUIRE(pool.ledger->worker_id("a", std::to_string(i)).value() != 0);
  // Beyond its names an account is still paid.
  const LedgerWorkerId rest = pool.ledger->worker_id("a", "one more");
  CHECK(rest.value() != 0);
  CHECK(pool.ledger->worker_id("a", "and another") == rest);
  CHECK(pool.ledger->worker_id("a", "") == rest);
  // Newcomers find a place, until the table is full; who is known is booked even then.
  for (int i = 0; i < 8; ++i) REQUIRE(pool.ledger->worker_id("c", std::to_string(i)).value() != 0);
  CHECK(pool.ledger->worker_id("d", "rig").value() == 0);
  const LedgerWorkerId late = pool.ledger->worker_id("b", "late");
  CHECK(late.value() != 0);
  CHECK(late != other);
  CHECK(pool.ledger->worker_id("b", "later") == late);
  REQUIRE(pool.append({pool.maker.share(rest), pool.maker.share(late)}).ok());
  CHECK(pool.verdicts == std::vector{Durable, Durable});
  CHECK(pool.problems().empty());
  pool.reopen();
  CHECK(pool.ledger->worker_id("b", "") == late);
}

TEST_CASE("door: a batch above 4096 shares is one commit of several runs") {
  Pool pool;
  const int before = pool.store.commits;
  const auto batch = pool.batch(9000);
  REQUIRE(pool.append(batch).ok());
  CHECK(pool.store.commits == before + 1);
  CHECK(pool.store.rows(Family::Shares).size() == 3);
  CHECK(pool.problems().empty());
  // Reading may start inside a run.
  const auto tail = shares_of(pool.store, Sequence(5000));
  CHECK(tail.size() == 4001);
  CHECK(tail.front().sequence == Sequence(5000));
  CHECK(tail.front().hash == batch[4999].hash);
  pool.reopen();
  CHECK(pool.ledger->last_sequence() == Sequence(9000));
}
