// SPDX-License-Identifier: MIT
// Jobs, tips and targets of V2 channels: what a new tip costs, which target a share is judged by.
#include <doctest/doctest.h>

#include "v2_miner.h"

using namespace adit;
using namespace adit::test;
using namespace adit::v2;

namespace {

constexpr std::uint32_t kPlain = SetupConnection::kRequiresStandardJobs;

/// A connection with `standard` and `extended` channels.
struct Farm : V2Rig {
  Farm(V2Pool& pool, std::uint32_t flags, int standard, int extended) : V2Rig(pool, flags) {
    for (int i = 0; i < standard; ++i) open(false);
    for (int i = 0; i < extended; ++i) open(true);
  }
  void all_mine(Instant now = at(0)) {
    for (auto& [id, channel] : miner.channels)
      CHECK(judge(miner.solve(channel), 1, now) == "accepted");
  }
};

}  // namespace

TEST_CASE("a promised tip costs one SetNewPrevHash: per channel, or for the whole group") {
  struct Row {
    std::uint32_t flags;
    int standard, extended;
    std::size_t messages;
  };
  for (const Row& row : {Row{kPlain, 1, 0, 1}, Row{kPlain, 3, 0, 3}, Row{0, 1, 0, 1},
                         Row{0, 0, 1, 1}, Row{0, 2, 2, 1}}) {
    V2Pool pool;
    pool.fix_difficulty("1e-9");
    pool.next_tip();
    Farm farm(pool, row.flags, row.standard, row.extended);
    for (int turn = 0; turn < 3; ++turn) {
      farm.publish(pool.next_empty_tip());
      CHECK(farm.said.size() == row.messages);
      CHECK(farm.count<SetNewPrevHash>() == row.messages);
      farm.all_mine();
      // The full job, and the next promise, follow.
      farm.publish(pool.next_job());
      CHECK(farm.said.size() == 2 * row.messages);
      farm.all_mine();
    }
    for (auto& [id, channel] : farm.miner.channels)
      CHECK(channel.prev == pool.job->block_template->prev);
  }
}

TEST_CASE("a tip that was not promised comes as a future job and its SetNewPrevHash") {
  for (const bool group : {false, true}) {
    V2Pool pool;
    pool.next_tip();
    Farm farm(pool, group ? 0 : kPlain, 3, 0);
    farm.publish(pool.next_tip());
    CHECK(farm.types() == (group ? "1f 20" : "15 20 15 20 15 20"));
    farm.all_mine();
    CHECK(farm.link.session().deadline() <= at(1));
    farm.link.expire(at(1));
    farm.hear();
    CHECK(farm.types() == (group ? "1f" : "15 15 15"));  // the promise
  }
}

TEST_CASE("a channel that is opened later joins the others' promise") {
  V2Pool pool;
  pool.fix_difficulty("1e-9");
  pool.next_tip();
  Farm farm(pool, 0, 1, 1);
  farm.publish(pool.next_empty_tip());
  farm.publish(pool.next_job());
  farm.open(true);
  farm.open(false);
  farm.publish(pool.next_empty_tip());
  CHECK(farm.types() == "20");
  farm.all_mine();
}

TEST_CASE("a pool without promises sends each tip as a job") {
  V2Pool pool;
  pool.promises = false;
  pool.next_tip();
  Farm farm(pool, 0, 1, 1);
  farm.publish(pool.next_empty_tip());
  CHECK(farm.types() == "1f 20");
  farm.publish(pool.next_job());
  CHECK(farm.types() == "1f");
  farm.all_mine();
}

TEST_CASE("more transactions are one job for the group, and no new tip") {
  V2Pool pool;
  pool.fix_difficulty("1e-9");
  pool.next_tip();
  Farm farm(pool, 0, 2, 2);
  auto before = farm.miner.channels;
  farm.publish(pool.next_job());
  CHECK(farm.types() == "1f");
  for (auto& [id, channel] : farm.miner.channels) {
    CHECK(channel.current != before.at(id).current);
    // The older job of the same tip is still good.
    CHECK(farm.judge(farm.miner.solve(channel, {.job = before.at(id).current})) == "accepted");
  }
  farm.all_mine();
}

TEST_CASE("shares of an older tip are stale, of a future or unknown job invalid") {
  V2Pool pool;
  pool.fix_difficulty("1e-9");
  pool.next_tip();
  for (const bool extended : {false, true}) {
    V2Rig rig(pool);
    V2Channel& channel = rig.open(extended);
    V2Share late = rig.miner.solve(channel), unknown = rig.miner.solve(channel);
    unknown.job_id = 12345;
    CHECK(rig.judge(unknown) == "invalid-job-id");
    V2Share early = rig.miner.solve(channel);
    early.job_id = channel.live.rbegin()->first;
    REQUIRE(channel.live.rbegin()->second.future);
    CHECK(rig.judge(early) == "invalid-job-id");
    rig.publish(pool.next_empty_tip());
    CHECK(rig.judge(late) == "stale-share");
    CHECK(rig.judge(rig.miner.solve(channel)) == "accepted");
  }
}

TEST_CASE("a retarget is SetTarget and, directly behind it, the same work under a new id") {
  for (const bool extended : {false, true}) {
    V2Pool pool;
    pool.next_tip();
    V2Rig rig(pool);
    V2Channel& channel = rig.open(extended);
    const V2Job first = channel.job();
    for (std::uint32_t n = 0; channel.target == first.target && n < 100; ++n) {
      rig.submit(rig.miner.solve(channel, {.job = first.id}), n, at(0.01 * n));
    }
    REQUIRE(channel.target < first.target);
    CHECK(rig.types() == (extended ? "21 1f" : "21 15"));
    CHECK(channel.history.ends_with("tj"));
    CHECK(channel.job().id != first.id);
    CHECK(channel.job().prev == first.prev);
    // A miner that begins anew does not search the same headers once more.
    CHECK(channel.job().min_ntime > first.min_ntime);
    // The old job keeps its target, and its credit; the new one asks for more.
    const V2Share easy =
        rig.miner.solve(channel, {.below = first.target, .above = channel.target, .job = first.id});
    CHECK(rig.judge(easy, 1, at(2)) == "accepted");
    CHECK(rig.link.last<ShareAccepted>().work == Work::of(first.target));
    const V2Share small =
        rig.miner.solve(channel, {.below = first.target, .above = channel.target});
    CHECK(rig.judge(small, 1, at(2)) == "difficulty-too-low");
    CHECK(rig.judge(rig.miner.solve(channel), 1, at(2)) == "accepted");
    CHECK(rig.link.last<ShareAccepted>().work == Work::of(channel.target));
  }
}

TEST_CASE("a future job is worth the target of the moment at which it begins") {
  V2Pool pool;
  pool.next_tip();
  V2Rig rig(pool);
  V2Channel& channel = rig.open(true);
  const Target before = channel.target;
  rig.send(UpdateChannel{channel.id, 0, Difficulty::parse("8e-9")->to_target()});
  CHECK(rig.types() == "21 1f");
  CHECK(channel.target < before);
  rig.publish(pool.next_empty_tip());
  CHECK(rig.types() == "20");
  CHECK(channel.job().target == channel.target);
  const V2Share small = rig.miner.solve(channel, {.below = before, .above = channel.target});
  CHECK(rig.judge(small) == "difficulty-too-low");
  CHECK(rig.judge(rig.miner.solve(channel)) == "accepted");
  CHECK(rig.link.last<ShareAccepted>().work == Work::of(channel.target));
}

TEST_CASE("every new target comes before the job that it is for, in a group and alone") {
  for (const std::uint32_t flags : {0u, kPlain}) {
    V2Pool pool;
    pool.bits = CompactTarget(0x1d00ffff);
    pool.next_tip();
    Farm farm(pool, flags, flags == 0 ? 2 : 4, flags == 0 ? 2 : 0);
    const Target before = farm.miner.channels.begin()->second.target;
    // All of them are told a harder one, then the network's target falls below that of all.
    for (auto& [id, channel] : farm.miner.channels)
      farm.send(UpdateChannel{id, 0, Difficulty::parse("0.5")->to_target()});
    for (auto& [id, channel] : farm.miner.channels) farm.send(UpdateChannel{id, 0, Target::max()});
    for (const std::uint32_t bits : {0x1f7fffffu, 0x207fffffu}) {
      const bool tip = bits == 0x207fffffu;
      pool.bits = CompactTarget(bits);
      farm.publish(tip ? pool.next_tip() : pool.next_job());
      for (auto& [id, channel] : farm.miner.channels) {
        CHECK(!channel.history.ends_with('t'));
        CHECK(channel.job().target == channel.target);
        CHECK(farm.judge(farm.miner.solve(channel)) == "accepted");
        CHECK(farm.link.last<ShareAccepted>().work == Work::of(channel.target));
      }
    }
    CHECK(before != farm.miner.channels.begin()->second.target);
  }
}

TEST_CASE("UpdateChannel is answered by SetTarget, also when nothing changes") {
  V2Pool pool;
  pool.next_tip();
  V2Rig rig(pool);
  V2Channel& channel = rig.open(false);
  const Target before = channel.target;
  rig.send(UpdateChannel{channel.id, 0, Target::max()});
  CHECK(rig.types() == "21 15");
  CHECK(channel.target == before);
  // However often: the time of the work stays near the clock.
  for (int i = 0; i < 1000; ++i) rig.send(UpdateChannel{channel.id, 0, Target::max()});
  CHECK(channel.job().min_ntime == V2Pool::kCurtime + 60);
  CHECK(rig.judge(rig.miner.solve(channel)) == "accepted");
  rig.send(UpdateChannel{channel.id, 0, Target::max()}, at(500));
  CHECK(channel.job().min_ntime == V2Pool::kCurtime + 500);
  rig.send(UpdateChannel{channel.id, 1e9f, Target::max()});
  CHECK(channel.target < before);
  rig.send(UpdateChannel{channel.id, 0, before});
  rig.send(UpdateChannel{channel.id, 0, Target()});
  CHECK(rig.said[0].as<UpdateChannelError>().error_code == "max-target-out-of-range");
}

TEST_CASE("version bits, ntime and the extranonce's size") {
  V2Pool pool;
  pool.fix_difficulty("1e-9");
  pool.next_tip();
  for (const bool extended : {false, true}) {
    V2Rig rig(pool);
    V2Channel& channel = rig.open(extended);
    for (std::uint32_t bit = 0; bit < 32; ++bit) {
      const std::string verdict = rig.judge(rig.miner.solve(channel, {.version_flip = 1u << bit}));
      CHECK(verdict == (bit >= 5 && bit <= 28 ? "accepted" : "invalid-non-rollable-version-bit"));
    }
    CHECK(rig.judge(rig.miner.solve(channel, {.version_flip = 0x1fffffe0})) == "accepted");
    CHECK(rig.judge(rig.miner.solve(channel, {.ntime_offset = -1})) == "invalid-share");
    CHECK(rig.judge(rig.miner.solve(channel, {.ntime_offset = 7000})) == "accepted");
    CHECK(rig.judge(rig.miner.solve(channel, {.ntime_offset = 7001})) == "invalid-share");
    if (!extended) continue;
    for (const std::size_t size : {0u, 7u, 9u, 16u, 32u}) {
      V2Share share = rig.miner.solve(channel);
      share.rolled.resize(size);
      CHECK(rig.judge(share) == "bad-extranonce-size");
    }
  }
}

TEST_CASE("a block comes before every verdict, and a late one is told too") {
  V2Pool pool;
  pool.fix_difficulty("1e-9");
  pool.bits = CompactTarget(0x207fffff);
  pool.next_tip();
  for (const bool extended : {false, true}) {
    V2Rig rig(pool);
    V2Channel& channel = rig.open(extended);
    const auto network = *Target::from_compact(pool.bits);
    const V2Share late = rig.miner.solve(channel, {.below = network});
    const V2Share block = rig.miner.solve(channel, {.version_flip = 0x1000, .below = network});
    CHECK(rig.judge(block) == "accepted");
    REQUIRE(rig.link.count<BlockFound>() == 1);
    const BlockFound& found = rig.link.last<BlockFound>();
    CHECK(found.hash == block.hash);
    CHECK(BlockHash{sha256d_80(found.header.data())} == block.hash);
    CHECK(rig.link.last<ShareAccepted>().is_block);
    CHECK(rig.judge(block) == "duplicate-share");
    CHECK(rig.link.count<BlockFound>() == 1);
    rig.publish(pool.next_empty_tip());
    CHECK(rig.judge(late) == "stale-share");
    CHECK(rig.link.count<BlockFound>() == 2);
  }
}
