// SPDX-License-Identifier: MIT
// A model checker: 120,000 events in random order (open, close, publish, tip, retarget, share,
// expire) on connections of both kinds. V2Miner holds every message against the rules: ids of live
// jobs are unique on a channel, SetNewPrevHash names only what was sent on it as a future job, no
// job starts before the first tip. Here are those that need the pool's side.
#include <doctest/doctest.h>

#include "v2_miner.h"

using namespace adit;
using namespace adit::test;
using namespace adit::v2;

namespace {

constexpr std::size_t kRigs = 4;
constexpr std::size_t kChannels = 6;

class World {
 public:
  explicit World(std::uint64_t seed) : pool_(0x1fffffe0, seed), random_(seed * 77 + 1) {
    pool_.context.policy.vardiff.minimum = *Difficulty::parse("1e-10");
    pool_.context.policy.vardiff.start = *Difficulty::parse("1e-9");
    pool_.use_policy(0x1fffffe0);
    pool_.v2.channel_limit = kChannels;
    pool_.next_tip();
    for (auto& rig : rigs_) connect(rig);
  }

  void step() {
    now_ += std::chrono::milliseconds(random_.next() % 40);
    auto& rig = rigs_[random_.next() % kRigs];
    const std::uint64_t what = random_.next() % 100;
    if (what < 10) {
      open(*rig);
    } else if (what < 17) {
      close(*rig);
    } else if (what < 25) {
      publish(pool_.next_job());
    } else if (what < 31) {
      publish(random_.next() % 3 == 0 ? pool_.next_tip() : pool_.next_empty_tip());
    } else if (what < 45) {
      update(*rig);
    } else if (what < 90) {
      share(*rig);
    } else if (what < 99) {
      rig->link.expire(now_);
      rig->hear();
    } else if (random_.next() % 10 == 0) {
      connect(rig);
    }
    if (rig->link.closed()) connect(rig);
    check(*rig);
  }
  std::size_t accepted = 0, messages = 0, kept_promises = 0;

 private:
  void connect(std::unique_ptr<V2Rig>& rig) {
    rig.reset();
    const bool plain = random_.next() % 3 == 0;
    rig = std::make_unique<V2Rig>(pool_, plain ? SetupConnection::kRequiresStandardJobs : 0u, now_);
  }
  V2Channel* any(V2Rig& rig) {
    if (rig.miner.channels.empty()) return nullptr;
    auto found = rig.miner.channels.begin();
    std::advance(found, static_cast<std::ptrdiff_t>(random_.next() % rig.miner.channels.size()));
    return &found->second;
  }
  void open(V2Rig& rig) {
    if (rig.miner.channels.size() == kChannels) return;
    rig.open(!rig.miner.standard_jobs_only && random_.next() % 2 == 0, kAlice,
             static_cast<float>(random_.next() % 50), Target::max(), now_);
  }
  void close(V2Rig& rig) {
    const V2Channel* channel = any(rig);
    if (channel == nullptr) return;
    const std::uint32_t id = random_.next() % 8 == 0 ? channel->group : channel->id;
    rig.miner.forget(id);
    rig.send(CloseChannel{id, ""}, now_);
  }
  void publish(const JobPtr& job) {
    for (auto& rig : rigs_) {
      rig->publish(job, now_);
      messages += rig->said.size();
      if (rig->types() == "20") ++kept_promises;
      check(*rig);
    }
  }
  void update(V2Rig& rig) {
    const V2Channel* channel = any(rig);
    if (channel == nullptr) return;
    const Target most =
        random_.next() % 4 == 0 ? Difficulty::parse("3e-9")->to_target() : Target::max();
    rig.send(UpdateChannel{channel->id, static_cast<float>(random_.next() % 60), most}, now_);
  }
  void share(V2Rig& rig) {
    V2Channel* channel = any(rig);
    if (channel == nullptr || !channel->working) return;
    const V2Job job = channel->job();
    const std::string verdict = rig.judge(rig.miner.solve(*channel), 1, now_);
    messages += rig.said.size();
    // What meets the target that the miner was told is accepted, and paid by that target.
    CHECK(verdict == "accepted");
    if (verdict != "accepted") return;
    ++accepted;
    CHECK(rig.link.last<ShareAccepted>().work == Work::of(job.target));
    rig.link.settle_all(now_);
    rig.hear();
  }
  /// A target is never the last word: the work it is for stands behind it.
  void check(const V2Rig& rig) {
    for (const auto& [id, channel] : rig.miner.channels) {
      CHECK(!channel.history.ends_with('t'));
      CHECK(channel.working);
      CHECK(channel.prev == pool_.job->block_template->prev);
      CHECK(channel.job().target == channel.target);
    }
  }

  V2Pool pool_;
  v2::test::SplitMix random_;
  Instant now_ = at(0);
  std::array<std::unique_ptr<V2Rig>, kRigs> rigs_;
};

}  // namespace

TEST_CASE("120,000 random events keep every rule") {
  std::size_t accepted = 0, messages = 0, kept = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    World world(seed);
    for (int i = 0; i < 3000; ++i) world.step();
    accepted += world.accepted;
    messages += world.messages;
    kept += world.kept_promises;
  }
  MESSAGE(accepted << " shares, " << messages << " messages, " << kept << " tips of one message");
  CHECK(accepted > 10'000);
  CHECK(kept > 1'000);
}
