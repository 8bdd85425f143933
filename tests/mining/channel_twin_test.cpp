// SPDX-License-Identifier: MIT
// Random submissions judged twice: by Channel, and by slow straight-line code that parses the whole
// coinbase, builds the whole merkle tree and keeps std::set.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>

#include "adit/bitcoin/block.h"
#include "adit/mining/channel.h"
#include "mining/fixtures.h"

namespace adit {
namespace {

using test::after;
using test::kCurtime;
using test::kMintime;

struct Twin {
  struct Issue {
    IssuedJobId id;
    JobPtr job;
    Difficulty difficulty;
  };
  std::vector<Issue> issues;
  std::set<std::pair<BlockHash, BlockHash>> paid;
  bool negotiated = false;
  std::uint32_t mask = 0;
  std::int64_t late_tokens = 50, filled_at = 0;

  struct Verdict {
    std::optional<RejectReason> reject;
    bool is_block = false;
    BlockHash hash;
  };

  void publish(IssuedJobId id, const JobPtr& job, Difficulty difficulty) {
    issues.push_back({id, job, difficulty});
    const std::uint32_t tip = job->tip.value();
    std::vector<Issue> kept;
    for (std::size_t i = 0; i < issues.size(); ++i) {
      const TipNumber own = issues[i].job->tip;
      if (own.value() + 1 < tip) continue;
      const auto newer = std::count_if(issues.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                                       issues.end(), [&](auto& o) { return o.job->tip == own; });
      if (newer < 16) kept.push_back(issues[i]);
    }
    issues = kept;
  }

  Verdict judge(const ShareSubmission& s, const ExtranoncePrefix& prefix, std::int64_t elapsed,
                const Difficulty& wanted) {
    const auto issue =
        std::find_if(issues.begin(), issues.end(), [&](auto& i) { return i.id == s.job; });
    if (issue == issues.end()) return {RejectReason::UnknownJob};
    const Job& job = *issue->job;
    const BlockTemplate& t = *job.block_template;
    Verdict v;
    ByteVec extranonce(prefix.view().begin(), prefix.view().end());
    append(extranonce, s.rolled);
    const std::uint32_t job_version = static_cast<std::uint32_t>(t.version) & ~test::kPoolMask;
    const std::uint32_t bits = s.version_bits.value_or(0);
    if (extranonce.size() == 16) {
      ByteVec coinbase = job.coinbase.prefix;
      append(coinbase, extranonce);
      append(coinbase, job.coinbase.suffix);
      std::vector<Hash256> leaves{Hash256::from(Transaction::parse(coinbase).value().txid())};
      for (const auto& tx : t.transactions) leaves.push_back(Hash256::from(tx.txid));
      BlockHeader header;
      header.version = static_cast<std::int32_t>(job_version | bits);
      header.prev = t.prev;
      header.merkle_root = MerkleRoot::from(merkle_root(leaves));
      header.time = s.ntime;
      header.bits = t.bits;
      header.nonce = s.nonce;
      v.hash = header.hash();
      v.is_block = meets(v.hash, t.target);
    }
    v.reject = reject_of(s, *issue, v.hash, extranonce.size(), elapsed);
    if (!v.reject && issue->difficulty < wanted && !v.is_block && !take_token(elapsed))
      v.reject = RejectReason::TooFast;
    if (!v.reject) paid.insert({t.prev, v.hash});
    return v;
  }

  std::optional<RejectReason> reject_of(const ShareSubmission& s, const Issue& issue,
                                        const BlockHash& hash, std::size_t size,
                                        std::int64_t elapsed) {
    const BlockTemplate& t = *issue.job->block_template;
    if (issue.job->tip != issues.back().job->tip) return RejectReason::StaleJob;
    const std::int64_t ntime = s.ntime;
    if (ntime < t.mintime) return RejectReason::NtimeOutOfRange;
    if (ntime > t.curtime + elapsed + 7000) return RejectReason::NtimeOutOfRange;
    if (!s.version_bits && negotiated) return RejectReason::VersionMissing;
    const std::uint32_t allowed = negotiated ? mask & test::kPoolMask : 0;
    if (s.version_bits && (*s.version_bits | allowed) != allowed) {
      return RejectReason::VersionNotAllowed;
    }
    if (size != 16) return RejectReason::BadExtranonceSize;
    if (hash > BlockHash{} && !meets(hash, issue.difficulty.to_target())) {
      return RejectReason::LowDifficulty;
    }
    if (paid.count({t.prev, hash}) > 0) return RejectReason::Duplicate;
    if (!s.authorised) return RejectReason::Unauthorised;
    return std::nullopt;
  }

  bool take_token(std::int64_t elapsed) {
    late_tokens = std::min<std::int64_t>(50, late_tokens + 10 * (elapsed - filled_at));
    filled_at = elapsed;
    if (late_tokens == 0) return false;
    --late_tokens;
    return true;
  }
};

class World {
 public:
  explicit World(std::uint32_t seed) : random_(seed) {
    policy_.vardiff.minimum = *Difficulty::parse("1e-11");
    const auto size = static_cast<std::uint8_t>(8 + pick(8));
    channel_.emplace(policy_, *prefixes_.allocate(size), *Difficulty::parse("4.6e-10"), after(0));
    if (pick(2) == 0) negotiate(pick(2) == 0 ? 0xffffffff : 0x0001e000);
    publish();
  }

  void step() {
    now_ += pick(80) == 0 ? 1 : 0;
    const unsigned dice = pick(100);
    if (dice < 4) publish();
    if (dice == 4) reissue();
    // Many shares come for what was issued before a change.
    const bool changed = dice == 5;
    if (changed) channel_->vardiff().suggest(random_difficulty(), after(now_));
    // Alone, or hashed together with others.
    shares_.clear();
    do shares_.push_back(random_share());
    while (shares_.size() < (changed ? 300 : 12) && (changed || pick(3) == 0));
    compare();
  }
  std::array<int, kRejectReasons + 1> counts{};
  int blocks = 0;

 private:
  unsigned pick(unsigned n) { return static_cast<unsigned>(random_() % n); }
  Difficulty random_difficulty() {
    return *Difficulty::parse(std::to_string(1 + pick(90)) + "e-11");
  }
  void negotiate(std::uint32_t mask) {
    channel_->set_version_mask(mask);
    twin_.negotiated = true;
    twin_.mask = mask;
  }
  void publish() {
    if (pick(3) == 0) ++tip_;
    ++number_;
    const JobPtr job = test::make_test_job(number_, tip_,
                                           {.transactions = pick(5),
                                            .bits = pick(2) == 0 ? 0x207fffffu : 0x1f00ffffu,
                                            .version = static_cast<std::int32_t>(random_()),
                                            .prev = static_cast<std::uint8_t>(tip_ % 3)});
    // Tips 3 apart share their prev, as after a reorg; the filter and the twin both go by prev.
    issued(channel_->publish(job, after(now_)), job);
  }
  void reissue() {
    const IssuedJobId id = channel_->reissue(after(now_));
    issued(id, channel_->newest_job());
  }
  void issued(IssuedJobId id, const JobPtr& job) {
    ids_.push_back(id);
    twin_.publish(id, job, channel_->vardiff().current());
  }

  ShareSubmission random_share() {
    if (!history_.empty() && pick(8) == 0) {
      ShareSubmission old = history_[pick(static_cast<unsigned>(history_.size()))];
      old.rolled = rolled_[old.nonce % rolled_.size()];
      old.authorised = pick(10) != 0;
      return old;
    }
    ShareSubmission s;
    const std::size_t back = std::min<std::size_t>(ids_.size() - 1, pick(4) == 0 ? pick(60) : 0);
    s.job = ids_[ids_.size() - 1 - back];
    if (pick(50) == 0) s.job.issue = static_cast<std::uint16_t>(pick(70'000));
    const std::uint32_t ntimes[] = {
        kMintime, kMintime - 1, kCurtime + now32() + 7000, kCurtime + now32() + 7001,
        0,        0xffffffff};
    s.ntime = pick(10) == 0 ? ntimes[pick(6)] : kCurtime + pick(100);
    s.nonce = static_cast<std::uint32_t>(random_());
    const std::uint32_t bits[] = {0,          0x2000, 0x0001e000, 0x1fffe000,
                                  0x20000000, 0x1000, 0xe0000000};
    const bool plain = pick(3) == 0;
    if (!plain) s.version_bits = bits[pick(twin_.negotiated && pick(4) != 0 ? 3 : 7)];
    s.authorised = pick(12) != 0;
    if (rolled_.empty()) {
      for (int i = 0; i < 8; ++i) {
        rolled_.push_back(ByteVec(16u - channel_->prefix().size, static_cast<std::uint8_t>(i)));
      }
      rolled_.push_back(ByteVec(17u - channel_->prefix().size, 0));
    }
    s.rolled = rolled_[s.nonce % rolled_.size()];
    history_.push_back(s);
    return s;
  }
  std::uint32_t now32() const { return static_cast<std::uint32_t>(now_); }

  void compare() {
    drafts_.resize(shares_.size());
    for (std::size_t i = 0; i < shares_.size(); ++i) channel_->draft(shares_[i], drafts_[i]);
    hash_shares(drafts_);
    for (std::size_t i = 0; i < shares_.size(); ++i) {
      const Difficulty wanted = channel_->vardiff().current();
      channel_->judge(drafts_[i], after(now_), seen_);
      compare(shares_[i], wanted, drafts_[i].verdict);
    }
  }
  void compare(const ShareSubmission& s, const Difficulty& wanted, const ShareVerdict& verdict) {
    const Twin::Verdict expected = twin_.judge(s, channel_->prefix(), now_, wanted);
    REQUIRE(verdict.reject == expected.reject);
    REQUIRE(verdict.is_block == expected.is_block);
    REQUIRE(verdict.hash == expected.hash);
    if (!verdict.reject) REQUIRE(Work::proved_by(verdict.hash) >= verdict.work);
    if (verdict.is_block) check_block_of(verdict);
    ++counts[verdict.reject ? static_cast<std::size_t>(*verdict.reject) : kRejectReasons];
  }
  void check_block_of(const ShareVerdict& verdict) {
    if (++blocks % 50 != 0) return;
    const ByteVec block = block_for_submit(*verdict.job, verdict.header, verdict.extranonce);
    REQUIRE(check_block(block, verdict.job->block_template->height).ok());
    REQUIRE(Block::parse(block).value().header.hash() == verdict.hash);
  }

  std::mt19937 random_;
  ChannelPolicy policy_;
  ExtranonceAllocator prefixes_{{}};
  std::optional<Channel> channel_;
  RecentHashes seen_{std::size_t{1} << 21};  // so many that none is forgotten
  Twin twin_;
  std::vector<IssuedJobId> ids_;
  std::vector<ShareSubmission> history_, shares_;
  std::vector<ShareDraft> drafts_;
  std::vector<ByteVec> rolled_;
  std::int64_t now_ = 0;
  std::uint32_t tip_ = 1;
  std::uint32_t number_ = 0;
};

}  // namespace

TEST_CASE("channel and twin agree on random submissions") {
  std::array<int, kRejectReasons + 1> counts{};
  int blocks = 0;
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    World world(seed);
    for (int i = 0; i < 600; ++i) world.step();
    for (std::size_t r = 0; r < counts.size(); ++r) counts[r] += world.counts[r];
    blocks += world.blocks;
  }
  // The dice must reach every verdict but StorageFull.
  for (std::size_t r = 0; r < counts.size(); ++r) {
    CAPTURE(r);
    if (r != static_cast<std::size_t>(RejectReason::StorageFull)) CHECK(counts[r] > 50);
  }
  CHECK(blocks > 1'000);
}

}  // namespace adit
