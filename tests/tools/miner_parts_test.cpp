// SPDX-License-Identifier: MIT
// The parts of cpu-miner and stratum-load: pace, shelf, counters of rolls, share supply, figures.
#include <doctest/doctest.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <thread>

#include "adit/crypto/sha256.h"
#include "cpu_miner/digger.h"
#include "stratum_load/process_meter.h"
#include "stratum_load/report.h"
#include "stratum_load/share_maker.h"

using namespace adit;
using namespace adit::client;
using namespace adit::miner;
using namespace std::chrono_literals;

namespace {

WorkPtr work_at(std::string_view difficulty, bool clean = true) {
  auto work = std::make_shared<MinerWork>();
  work->job.job_id.assign(1, 'j');
  work->job.coinbase1 = {1};
  work->job.coinbase2 = {2};
  work->job.clean = clean;
  work->extranonce1 = {3};
  work->extranonce2_size = 4;
  work->version_mask = 0x1fffe000;
  work->difficulty = *Difficulty::parse(difficulty);
  work->target = work->difficulty.to_target();
  return work;
}

BlockHash hash_of(const MinerWork& work, Bytes extranonce2, std::uint32_t nonce,
                  std::uint32_t bits) {
  HeaderBytes header = header_of(work, merkle_root_of(work, extranonce2), bits);
  store_le(header.data() + 76, nonce);
  return {sha256d_80(header.data())};
}

}  // namespace

TEST_CASE("counting walks through all version bits of a mask") {
  CHECK(spread_bits(0b1011, 0x1fffe000) == 0b1011u << 13);
  CHECK(spread_bits(0b111, 0b10100) == 0b10100);
  CHECK(spread_bits(5, 0) == 0);
  CHECK(spread_bits(0xffffffff, 0xffffffff) == 0xffffffff);
  std::set<std::uint32_t> seen;
  for (std::uint32_t i = 0; i < 8; ++i) seen.insert(spread_bits(i, 0x80010100));
  CHECK(seen.size() == 8);
}

TEST_CASE("an extranonce2 has its size") {
  CHECK(extranonce2_of(0x0102, 4) == ByteVec{0, 0, 1, 2});
  CHECK(extranonce2_of(0x0102, 1) == ByteVec{2});
  CHECK(extranonce2_of(~0ull, 10) == ByteVec{0, 0, 255, 255, 255, 255, 255, 255, 255, 255});
}

TEST_CASE("the pace holds a fraction of a million hashes a second") {
  for (const double rate : {50.0, 100.0, 20'000.0, 1e6}) {
    WorkShelf::Clock::time_point now{};
    HashPace pace(rate, now);
    std::uint64_t hashes = 0;
    while (now < WorkShelf::Clock::time_point{} + 60s) {
      const std::uint32_t count = pace.batch();
      CHECK(count >= 1);
      hashes += count;
      now = std::max(now + 1ms, pace.after(count, now + 1ms));
    }
    CHECK(static_cast<double>(hashes) == doctest::Approx(60 * rate).epsilon(0.02));
  }
  HashPace free(0, WorkShelf::Clock::time_point{});
  CHECK(free.batch() == HashPace::kMostAtOnce);
  CHECK(free.after(1000, WorkShelf::Clock::time_point{5s}) == WorkShelf::Clock::time_point{5s});
}

TEST_CASE("a pause is not made up for by a burst") {
  WorkShelf::Clock::time_point now{};
  HashPace pace(1000, now);
  pace.after(20, now);
  now += 1h;
  CHECK(pace.after(20, now) <= now + 20ms);
  CHECK(pace.after(2000, now) >= now + 1s);
}

TEST_CASE("clean work drops what was found before, other work keeps it") {
  WorkShelf shelf;
  std::uint64_t seen = 0;
  shelf.put(work_at("1"));
  const WorkPtr first = shelf.next(seen);
  REQUIRE(first);
  CHECK(shelf.offer({first, {}, 1, 0}, seen));
  pollfd wake{shelf.wake_fd(), POLLIN, 0};
  CHECK(poll(&wake, 1, 0) == 1);
  shelf.put(work_at("1", false));
  CHECK(shelf.changed(seen));
  CHECK_FALSE(shelf.offer({first, {}, 2, 0}, seen));
  CHECK(shelf.collect().size() == 1);
  CHECK(poll(&wake, 1, 0) == 0);
  shelf.next(seen);
  CHECK(shelf.offer({first, {}, 3, 0}, seen));
  shelf.put(work_at("1", true));
  CHECK(shelf.collect().empty());
}

TEST_CASE("miners wait while too many shares are open, and new work wakes them") {
  WorkShelf shelf;
  std::uint64_t seen = 0;
  shelf.put(work_at("1"));
  shelf.next(seen);
  for (std::size_t i = 0; i < WorkShelf::kOpenShares; ++i) REQUIRE(shelf.offer({}, seen));
  std::thread closer([&] {
    std::this_thread::sleep_for(20ms);
    shelf.close_shares(1);
  });
  CHECK(shelf.offer({}, seen));
  closer.join();
  std::thread renewer([&] {
    std::this_thread::sleep_for(20ms);
    shelf.put(work_at("1"));
  });
  CHECK_FALSE(shelf.offer({}, seen));
  renewer.join();
}

TEST_CASE("diggers find real and different shares, and stop") {
  WorkShelf shelf;
  const WorkPtr work = work_at("1e-7");
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) threads.emplace_back([&] { dig(shelf, 0); });
  shelf.put(work);
  std::set<BlockHash> hashes;
  for (int i = 0; i < 2000 && hashes.size() < 100; ++i) {
    pollfd wake{shelf.wake_fd(), POLLIN, 0};
    poll(&wake, 1, 10);
    for (const FoundShare& share : shelf.collect()) {
      const BlockHash hash = hash_of(*work, share.extranonce2, share.nonce, share.version_bits);
      CHECK(meets(hash, work->target));
      CHECK(hashes.insert(hash).second);
      shelf.close_shares(1);
    }
  }
  shelf.stop();
  for (std::thread& thread : threads) thread.join();
  CHECK(hashes.size() >= 100);
}

TEST_CASE("the load's shares are real and never the same, across works too") {
  load::ShareMaker maker;
  std::set<BlockHash> hashes;
  for (const char* difficulty : {"1e-10", "1e-9", "1e-8"}) {
    const WorkPtr work = work_at(difficulty);
    for (int again = 0; again < 2; ++again) {
      maker.set_work(work);
      for (int i = 0; i < 100; ++i) {
        const auto nonce = maker.next();
        REQUIRE(nonce);
        const BlockHash hash = hash_of(*work, maker.extranonce2(), *nonce, 0);
        CHECK(meets(hash, work->target));
        CHECK(hashes.insert(hash).second);
      }
    }
  }
  maker.set_work(work_at("1e12"));
  CHECK_FALSE(maker.next());
}

TEST_CASE("percentiles") {
  load::Samples samples;
  CHECK(samples.microseconds(0.5) == 0);
  for (int i = 100; i >= 1; --i) samples.add(i * 1000);
  CHECK(samples.microseconds(0.5) == 50);
  CHECK(samples.microseconds(0.99) == 99);
  CHECK(samples.microseconds(1) == 100);
  samples.add(500'000);
  CHECK(samples.microseconds(1) == 500);
}

TEST_CASE("the meter sees this process work") {
  const load::CpuTime before = load::cpu_time_of(getpid());
  ByteVec bytes(1 << 20, 1);
  for (int i = 0; i < 60; ++i) bytes[0] = sha256d(bytes)[0];
  const load::CpuTime spent = load::cpu_time_of(getpid()) - before;
  CHECK(spent.total_us > 10'000);
  CHECK(spent.total_us < 60e6);
  CHECK(load::resident_bytes_of(getpid()) > (1u << 20));
  CHECK(load::cpu_time_of(0).total_us == 0);
  CHECK(load::resident_bytes_of(0) == 0);
}
