// SPDX-License-Identifier: MIT
// I42 and D22: after a store error nothing is promised any more; after a power loss at any moment
// the books are a prefix that holds every acknowledged share, and they go on.
#include "fixture.h"

using namespace adit;
using adit::test::MemoryStore;
using adit::test::Pool;
using adit::test::ShareMaker;
using adit::test::shares_of;

namespace {

/// One life of a pool: what was acknowledged, and how many commits it took.
struct Life {
  std::vector<BlockHash> offered;      ///< in order of sequence
  std::vector<std::size_t> synced_at;  ///< acknowledged shares after each step
  std::size_t acknowledged = 0;
  bool failed = false;
};

/// Appends, moves a block, closes: each step may fail; after a failure all must.
Life live(Pool& pool, bool sync) {
  Life life;
  BlockRecord block;
  block.hash = ShareMaker::tip(1), block.height = 1;
  for (int step = 0; step < 12; ++step) {
    if (step % 4 == 1) pool.now = UnixMillis(pool.now.value() + 20'000);
    const auto batch =
        pool.batch(1 + pool.maker.below(5), 100 + static_cast<std::uint32_t>(step) / 5);
    const Status s = pool.append(batch);
    if (life.failed) CHECK_FALSE(s.ok());
    life.failed = life.failed || !s.ok();
    for (const auto& share : batch) life.offered.push_back(share.hash);
    if (s.ok() && sync) life.acknowledged += batch.size();
    if (s.ok() && !sync && step % 3 == 2) {
      const Status synced = pool.ledger->sync();
      life.failed = life.failed || !synced.ok();
      if (synced) life.acknowledged = life.offered.size();
    }
    if (step % 5 == 2) {
      block.state = step == 2 ? BlockState::Found : BlockState::Accepted;
      const auto put = pool.ledger->put_block(block);
      if (life.failed) CHECK_FALSE(put.ok());
      life.failed = life.failed || !put.ok();
    }
    CHECK(pool.ledger->failed() == life.failed);
  }
  const bool closed = pool.ledger->close(pool.now).ok();
  if (life.failed) CHECK_FALSE(closed);
  life.failed = !closed;
  return life;
}

/// The books in `store` must open, be a prefix of what was offered, and go on.
void check_recovered(MemoryStore store, const Life& life, std::size_t at_least) {
  LedgerOptions options;
  options.network = Network::Regtest;
  const auto booked = shares_of(store);
  REQUIRE(booked.size() >= at_least);
  REQUIRE(booked.size() <= life.offered.size());
  for (std::size_t i = 0; i < booked.size(); ++i) {
    REQUIRE(booked[i].sequence.value() == i + 1);
    REQUIRE(booked[i].hash == life.offered[i]);
  }
  auto report = verify_ledger(store);
  REQUIRE(report.ok());
  CHECK(report->problems.empty());
  auto ledger = Ledger::open(store, options, std::nullopt);
  REQUIRE(ledger.ok());
  CHECK(ledger->last_sequence().value() == booked.size());
  ShareMaker maker(77);
  const auto worker = ledger->worker_id("new", "rig");
  std::vector<ShareCandidate> shares{maker.share(worker)};
  for (const ShareRecord& r : booked) {
    shares.push_back(maker.share(worker, r.height));
    shares.back().hash = r.hash;
  }
  std::vector<DoorVerdict> verdicts;
  Sequence first;
  REQUIRE(ledger->append(shares, UnixMillis(1), verdicts, first).ok());
  CHECK(first.value() == booked.size() + 1);
  for (std::size_t i = 0; i < verdicts.size(); ++i)
    CHECK(verdicts[i] == (i == 0 ? DoorVerdict::Durable : DoorVerdict::Duplicate));
  report = verify_ledger(store);
  CHECK((report.ok() && report->problems.empty()));
}

}  // namespace

TEST_CASE(
    "failing commit: at each of them everything stops, and recovery holds every acknowledged "
    "share") {
  for (const bool reaches_log : {false, true})
    for (int n = 1;; ++n) {
      Pool pool;
      pool.store.fail_at = pool.store.commits + n;
      pool.store.failure_reaches_log = reaches_log;
      const Life life = live(pool, true);
      if (!life.failed) {
        CHECK(n > 12);
        break;
      }
      const Sequence before = pool.ledger->last_sequence();
      CHECK(before.value() == life.acknowledged);
      CHECK_FALSE(pool.append(pool.batch(1)).ok());
      CHECK_FALSE(pool.ledger->sync().ok());
      CHECK_FALSE(pool.ledger->expire_shares(UnixMillis(~0ll)).ok());
      CHECK(pool.verdicts.empty());
      CHECK(pool.ledger->high_water().sequence == before);
      check_recovered(pool.store.after_power_loss(1), life, life.acknowledged);
    }
}

TEST_CASE("power loss: after every step, with any part of what was not synced") {
  for (const bool sync : {true, false})
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      Pool pool;
      pool.options.sync = sync;
      pool.reopen();
      pool.maker = ShareMaker(seed);
      const auto snapshot = [&](const Life& life) {
        for (std::size_t extra = 0; extra <= pool.store.unsynced(); ++extra)
          check_recovered(pool.store.after_power_loss(extra), life, life.acknowledged);
      };
      Life life;
      for (int step = 0; step < 25; ++step) {
        if (step % 4 == 1) pool.now = UnixMillis(pool.now.value() + 20'000);
        const auto batch = pool.batch(1 + pool.maker.below(4));
        REQUIRE(pool.append(batch).ok());
        for (const auto& share : batch) life.offered.push_back(share.hash);
        if (!sync && step % 7 == 6) REQUIRE(pool.ledger->sync().ok());
        if (sync || step % 7 == 6) life.acknowledged = life.offered.size();
        snapshot(life);
      }
    }
}

TEST_CASE("failing open: a boot number that could not be written is an error") {
  MemoryStore store;
  store.fail_at = 1;
  CHECK_FALSE(Ledger::open(store, {}, std::nullopt).ok());
  Pool pool;
  pool.store.fail_at = pool.store.commits + 1;
  CHECK_FALSE(Ledger::open(pool.store, pool.options, std::nullopt).ok());
}
