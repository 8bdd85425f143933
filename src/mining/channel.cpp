// SPDX-License-Identifier: MIT
// Issuing jobs to one stream of work and judging its shares.
#include "adit/mining/channel.h"

#include <algorithm>

#include "adit/base/check.h"

namespace adit {
namespace {

const JobPtr kNoJob;
constexpr std::size_t kRoomKept = 4;
constexpr Duration kLenientFor = std::chrono::seconds(10);
constexpr Duration kLateEvery = std::chrono::milliseconds(100);
constexpr int kLateBurst = 50;

std::uint32_t version_of(const Job& job) { return static_cast<std::uint32_t>(job.version); }

/// The version the miner says it hashed. The job's is clear under the pool's mask, so that or-ing,
/// xor-ing and replacing the rolled bits agree.
std::uint32_t header_version(const Job& job, const ShareSubmission& share, std::uint32_t mask) {
  if (share.version) return *share.version;
  return (version_of(job) & ~mask) | share.version_bits.value_or(0);
}

}  // namespace

Channel::Channel(const ChannelPolicy& policy, const ExtranoncePrefix& prefix, Difficulty start,
                 Instant now, bool known)
    : policy_(&policy), prefix_(prefix), vardiff_(policy.vardiff, start, now, known) {
  CHECK(prefix.size <= kExtranonceSize);
}

IssuedJobId Channel::publish(const JobPtr& job, Instant now) {
  CHECK(job != nullptr);
  if (issued_.empty()) {
    vardiff_.begin(now);
  } else {
    CHECK(job->tip >= issued_.back().job->tip);
    // What is older than the tip before this one can be neither paid nor a block.
    const TipNumber newest = issued_.back().job->tip;
    const TipNumber oldest_kept = job->tip == newest ? TipNumber{} : newest;
    std::erase_if(issued_, [&](const Issued& i) { return i.job->tip < oldest_kept; });
    const auto same_tip = [&](const Issued& i) { return i.job->tip == job->tip; };
    if (std::count_if(issued_.begin(), issued_.end(), same_tip) >= std::ptrdiff_t{kJobsPerTip}) {
      issued_.erase(std::find_if(issued_.begin(), issued_.end(), same_tip));
    }
    // A tip with many jobs is followed by ones with few: ten thousand channels need not hold its
    // room.
    if (issued_.capacity() > 2 * issued_.size() + kRoomKept) issued_.shrink_to_fit();
  }
  forget_prefixes();
  vardiff_.set_ceiling(job->network_difficulty);
  if (is_raised()) lenient_until_ = now + kLenientFor;
  const std::uint16_t issue = next_issue_;
  next_issue_ = next_issue_ == 0xffff ? std::uint16_t{1} : static_cast<std::uint16_t>(issue + 1);
  issued_.push_back({job, vardiff_.current(), issue, era_, whole_root(*job)});
  return {job->number, issue};
}

IssuedJobId Channel::reissue(Instant now) {
  CHECK(!issued_.empty());
  const JobPtr newest = issued_.back().job;
  return publish(newest, now);
}

void Channel::move_to(const ExtranoncePrefix& prefix) {
  CHECK(prefix.size <= kExtranonceSize);
  earlier_.push_back({prefix_, era_++});
  prefix_ = prefix;
  forget_prefixes();
}

void Channel::forget_prefixes() {
  if (earlier_.empty()) return;
  std::erase_if(earlier_, [&](const Earlier& earlier) {
    return std::ranges::none_of(issued_, [&](const Issued& i) { return i.era == earlier.era; });
  });
  if (earlier_.empty()) earlier_.shrink_to_fit();
}

const ExtranoncePrefix& Channel::prefix_of(const Issued& issued) const {
  if (issued.era == era_) return prefix_;
  const auto found = std::ranges::find(earlier_, issued.era, &Earlier::era);
  CHECK(found != earlier_.end());
  return found->prefix;
}

std::size_t Channel::rolled_size(const IssuedJobId& id) const {
  const Issued* issued = earlier_.empty() ? nullptr : find(id);
  return kExtranonceSize - (issued == nullptr ? prefix_ : prefix_of(*issued)).size;
}

const JobPtr& Channel::newest_job() const { return issued_.empty() ? kNoJob : issued_.back().job; }

JobPtr Channel::find_job(const IssuedJobId& id) const {
  const Issued* issued = find(id);
  return issued == nullptr ? nullptr : issued->job;
}

const MerkleRoot* Channel::root_of(const IssuedJobId& id) const {
  const Issued* issued = find(id);
  return issued == nullptr ? nullptr : issued->root.get();
}

std::shared_ptr<const MerkleRoot> Channel::whole_root(const Job& job) const {
  if (prefix_.size != kExtranonceSize) return nullptr;
  // The same work issued again, under another target.
  if (!issued_.empty() && issued_.back().job.get() == &job && issued_.back().era == era_)
    return issued_.back().root;
  Txid coinbase;
  job.coinbase_hash.sha256d_many(coinbase.bytes.data(), prefix_.bytes.data(), 1);
  return std::make_shared<const MerkleRoot>(merkle_fold(coinbase, job.branch));
}

// Newest first: nearly every share is for the newest job.
const Channel::Issued* Channel::find(const IssuedJobId& id) const {
  const auto found = std::find_if(issued_.rbegin(), issued_.rend(), [&](const Issued& i) {
    return i.issue == id.issue && i.job->number == id.number;
  });
  return found == issued_.rend() ? nullptr : &*found;
}

ShareVerdict Channel::submit(const ShareSubmission& share, Instant now, RecentHashes& seen) {
  ShareDraft one;
  draft(share, one);
  hash_shares({&one, 1});
  judge(one, now, seen);
  return one.verdict;
}

void Channel::draft(const ShareSubmission& share, ShareDraft& draft) const {
  draft.share = share;
  draft.whole = false;
  draft.root = nullptr;
  ShareVerdict& verdict = draft.verdict;
  verdict = {};
  const Issued* issued = find(share.job);
  if (issued == nullptr) return;
  verdict.job = issued->job.get();
  verdict.difficulty = issued->difficulty;
  const ExtranoncePrefix& prefix = prefix_of(*issued);
  if (share.rolled.size() != kExtranonceSize - std::size_t{prefix.size}) return;
  std::copy_n(prefix.bytes.begin(), prefix.size, verdict.extranonce.begin());
  std::copy(share.rolled.begin(), share.rolled.end(), verdict.extranonce.begin() + prefix.size);
  draft.version = header_version(*verdict.job, share, version_mask_);
  draft.root = issued->root.get();
  draft.whole = true;
}

void Channel::judge(ShareDraft& draft, Instant now, RecentHashes& seen) {
  ShareVerdict& verdict = draft.verdict;
  if (verdict.job == nullptr) {
    verdict.reject = RejectReason::UnknownJob;
    return;
  }
  load_target(draft.share.job.issue, verdict.difficulty);
  verdict.work = cached_work_;
  verdict.reject = reason_against(draft, now, seen);
  if (!verdict.reject) vardiff_.share(verdict.difficulty, now);
}

std::optional<RejectReason> Channel::reason_against(const ShareDraft& draft, Instant now,
                                                    RecentHashes& seen) {
  if (const auto reject = judge_terms(draft, now)) return reject;
  if (!draft.whole) return RejectReason::BadExtranonceSize;
  const BlockHash& hash = draft.verdict.hash;
  if (!meets(hash, cached_target_)) return RejectReason::LowDifficulty;
  if (seen.contains(hash)) return RejectReason::Duplicate;
  if (!draft.share.authorised) return RejectReason::Unauthorised;
  if (!in_pace(draft, now)) return RejectReason::TooFast;
  seen.insert(hash);
  return std::nullopt;
}

/// A bucket that is kept as the instant from which it has filled.
bool Channel::in_pace(const ShareDraft& draft, Instant now) {
  if (draft.verdict.difficulty >= vardiff_.current() || draft.verdict.is_block) return true;
  late_from_ = std::max(late_from_, now - kLateBurst * kLateEvery);
  if (late_from_ + kLateEvery > now) return false;
  late_from_ += kLateEvery;
  return true;
}

std::optional<RejectReason> Channel::judge_terms(const ShareDraft& draft, Instant now) const {
  if (draft.verdict.job == nullptr) return RejectReason::UnknownJob;
  const Job& job = *draft.verdict.job;
  if (job.tip < issued_.back().job->tip) return RejectReason::StaleJob;
  if (!ntime_allowed(job, draft.share, now)) return RejectReason::NtimeOutOfRange;
  return judge_version(job, draft.share);
}

std::optional<RejectReason> Channel::judge_version(const Job& job,
                                                   const ShareSubmission& share) const {
  if (!share.version && !share.version_bits) {
    if (version_mask_ != 0) return RejectReason::VersionMissing;
    return std::nullopt;
  }
  const std::uint32_t bits = share.version ? *share.version ^ version_of(job) : *share.version_bits;
  if ((bits & ~version_mask_) != 0) return RejectReason::VersionNotAllowed;
  return std::nullopt;
}

bool Channel::ntime_allowed(const Job& job, const ShareSubmission& share, Instant now) const {
  const BlockTemplate& t = *job.block_template;
  const auto elapsed = std::chrono::duration_cast<std::chrono::seconds>(now - t.received).count();
  const std::uint64_t latest = std::uint64_t{t.curtime} + policy_->ntime_forward_s +
                               static_cast<std::uint64_t>(std::max<std::int64_t>(elapsed, 0));
  return share.ntime >= std::max(job.min_ntime, share.earliest) && share.ntime <= latest;
}

void Channel::load_target(std::uint16_t issue, const Difficulty& difficulty) {
  if (cached_issue_ == issue) return;
  cached_target_ = difficulty.to_target();
  cached_work_ = Work::of(cached_target_);
  cached_issue_ = issue;
}

}  // namespace adit
