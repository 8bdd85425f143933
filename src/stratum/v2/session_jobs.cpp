// SPDX-License-Identifier: MIT
// MinerSession: jobs, previous hashes, targets. On a new tip a channel that holds the promised
// empty block hears one SetNewPrevHash; any other gets its job as a future one and the
// SetNewPrevHash that starts it, in one write. A job keeps the target it was issued under.
#include <algorithm>

#include "adit/base/check.h"
#include "adit/bitcoin/merkle.h"
#include "adit/mining/job.h"
#include "stratum/v2/session.h"

namespace adit::v2 {
namespace {

/// After a new tip the next promise waits until the miners are back at work.
constexpr Duration kPromiseAfter = std::chrono::seconds(1);

/// A header-only channel's prefix is the whole extranonce.
Extranonce extranonce_of(const MiningChannel& channel) { return channel.channel.prefix().bytes; }

bool is_same(const NextWork& a, const NextWork& b) {
  return a.version == b.version && a.coinbase == b.coinbase;
}

std::uint32_t unsigned_version(std::int32_t version) { return static_cast<std::uint32_t>(version); }

}  // namespace

/// A channel that was just opened: its first job comes as a future one, then its SetNewPrevHash.
void MinerSession::begin_work(MiningChannel& channel, Instant now) {
  if (!newest_ || phase_ == Phase::Closed) return;
  const IssuedJobId issued = channel.channel.publish(newest_, now);
  refresh_target(channel, now);
  channel.remember({++last_job_id_, issued, newest_->ntime});
  send_job(channel, channel.id, last_job_id_, *newest_, std::nullopt);
  send_prev_hash(channel.id, last_job_id_, *newest_);
  if (newest_->next) promise(channel);
}

/// The first promise to a channel that was just opened.
void MinerSession::promise(MiningChannel& joined) {
  // The others hold no promise yet, or an older one: all get the new one together.
  if (channels_.size() > 1 && !(promised_ && is_same(*promised_, *newest_->next))) return;
  promised_ = newest_->next;
  // A group goes on together only if all know the block by one id.
  if (use_group()) return promise_all();
  joined.future = ++last_job_id_;
  send_promised(joined, joined.id, *joined.future);
}

/// What this connection mines: everybody's job, or its account's.
JobPtr MinerSession::own(const JobPtr& job) const {
  if (context_.own_jobs == nullptr || account_.empty() || !job) return job;
  return context_.own_jobs->job_for(job, account_);
}

void MinerSession::publish(const JobPtr& everybodys, Instant now) {
  const JobPtr job = own(everybodys);
  // Only SetNewPrevHash says nbits, which a test network changes under a tip that grows old.
  const bool new_tip = !newest_ || newest_->tip != job->tip ||
                       newest_->block_template->bits != job->block_template->bits;
  newest_ = job;
  if (phase_ != Phase::Mining || channels_.empty()) return;
  if (new_tip) return change_tip(job, now);
  send_update(job, now);
  promise_next();
}

void MinerSession::change_tip(const JobPtr& job, Instant now) {
  const bool kept = promised_ && is_promised(*job, *promised_);
  std::optional<std::uint32_t> group_job;  // the id that the whole group goes on with
  if (use_group() && !kept) group_job = ++last_job_id_;
  if (use_group() && kept && all_share_future()) group_job = channels_[0].future;
  for (MiningChannel& channel : channels_) {
    const IssuedJobId issued = channel.channel.publish(job, now);
    if (channel.channel.vardiff().current() != channel.told) send_target(channel);
    const bool holds = kept && channel.future;
    const std::uint32_t id = group_job ? *group_job : holds ? *channel.future : ++last_job_id_;
    channel.remember({id, issued, job->ntime});
    if (group_job) continue;
    if (!holds) send_job(channel, channel.id, id, *job, std::nullopt);
    send_prev_hash(channel.id, id, *job);
  }
  if (group_job && !kept) send_job(channels_[0], group_id_, *group_job, *job, std::nullopt);
  if (group_job) send_prev_hash(group_id_, *group_job, *job);
  // SetNewPrevHash ended every other job, the promises too.
  for (MiningChannel& channel : channels_) channel.future.reset();
  promised_.reset();
  promise_at_ = now + kPromiseAfter;
}

void MinerSession::send_update(const JobPtr& job, Instant now) {
  const bool together = use_group();
  const std::uint32_t ntime = job_time(*job, now);
  if (together) ++last_job_id_;
  for (MiningChannel& channel : channels_) {
    const IssuedJobId issued = channel.channel.publish(job, now);
    if (channel.channel.vardiff().current() != channel.told) send_target(channel);
    const std::uint32_t id = together ? last_job_id_ : ++last_job_id_;
    channel.remember({id, issued, ntime});
    if (!together) send_job(channel, channel.id, id, *job, ntime);
  }
  // A target is for the jobs behind it: the group's comes after all of them.
  if (together) send_job(channels_[0], group_id_, last_job_id_, *job, ntime);
}

/// Sends ahead the empty block that follows the one being mined, unless it is there already.
void MinerSession::promise_next() {
  promise_at_.reset();
  if (!newest_ || !newest_->next || channels_.empty()) return;
  const bool all = std::all_of(channels_.begin(), channels_.end(),
                               [](const MiningChannel& c) { return c.future.has_value(); });
  // A refreshed template of the same tip promises the same block again.
  if (all && promised_ && is_same(*promised_, *newest_->next)) return;
  promised_ = newest_->next;
  promise_all();
}

void MinerSession::promise_all() {
  const bool together = use_group();
  if (together) ++last_job_id_;
  for (MiningChannel& channel : channels_) {
    channel.future = together ? last_job_id_ : ++last_job_id_;
    if (!together) send_promised(channel, channel.id, *channel.future);
  }
  if (together) send_promised(channels_[0], group_id_, last_job_id_);
}

bool MinerSession::all_share_future() const {
  return std::all_of(channels_.begin(), channels_.end(), [&](const MiningChannel& channel) {
    return channel.future && channel.future == channels_[0].future;
  });
}

/// A change of difficulty is followed by the same work under a new id: a target never reaches back
/// to a job that is being mined.
void MinerSession::refresh_target(MiningChannel& channel, Instant now) {
  if (phase_ == Phase::Closed || channel.channel.vardiff().current() == channel.told) return;
  if (!channel.channel.newest_job()) return send_target(channel);
  if (channel.jobs.empty()) return send_target(channel);  // its first job is about to be sent
  send_again(channel, now);
}

/// Under the target of now. The lowest time is another one, so that a miner which begins anew does
/// not search what it has searched already.
void MinerSession::send_again(MiningChannel& channel, Instant now) {
  const IssuedJobId issued = channel.channel.reissue(now);
  send_target(channel);
  const JobPtr& job = channel.channel.newest_job();
  const std::uint32_t ntime = reissue_time(*job, channel.jobs.back().min_ntime, now);
  channel.remember({++last_job_id_, issued, ntime});
  send_job(channel, channel.id, last_job_id_, *job, ntime);
}

void MinerSession::send_target(MiningChannel& channel) {
  channel.told = channel.channel.vardiff().current();
  send(SetTarget{channel.id, channel.target()});
}

/// To a group the job goes in its extended form, whatever kinds of channel are in it.
void MinerSession::send_job(const MiningChannel& channel, std::uint32_t address,
                            std::uint32_t job_id, const Job& job,
                            std::optional<std::uint32_t> min_ntime) {
  const std::uint32_t version = unsigned_version(job.version);
  if (channel.standard && address == channel.id) {
    const MerkleRoot* root = channel.channel.root_of(channel.jobs.back().issued);
    CHECK(root != nullptr);
    return send(NewMiningJob{address, job_id, min_ntime, version, *root});
  }
  static_assert(sizeof(MerkleBranch::value_type) == 32);
  const Bytes path(reinterpret_cast<const std::uint8_t*>(job.branch.data()),
                   32 * job.branch.size());
  send(NewExtendedMiningJob{address,
                            job_id,
                            min_ntime,
                            version,
                            shared_.policy.version_mask != 0,
                            {path},
                            {job.coinbase.prefix},
                            {job.coinbase.suffix}});
}

void MinerSession::send_promised(const MiningChannel& channel, std::uint32_t address,
                                 std::uint32_t job_id) {
  const NextWork& next = *promised_;
  const std::uint32_t version = unsigned_version(next.version);
  if (channel.standard && address == channel.id) {
    const Txid coinbase = coinbase_txid(next.coinbase, extranonce_of(channel));
    return send(NewMiningJob{address, job_id, {}, version, MerkleRoot::from(coinbase)});
  }
  send(NewExtendedMiningJob{address,
                            job_id,
                            {},
                            version,
                            shared_.policy.version_mask != 0,
                            {},
                            {next.coinbase.prefix},
                            {next.coinbase.suffix}});
}

void MinerSession::send_prev_hash(std::uint32_t address, std::uint32_t job_id, const Job& job) {
  const BlockTemplate& block = *job.block_template;
  send(SetNewPrevHash{address, job_id, block.prev, job.ntime, block.bits.value()});
}

}  // namespace adit::v2
