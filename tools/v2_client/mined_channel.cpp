// SPDX-License-Identifier: MIT
// Jobs of one channel: see mined_channel.h.
#include "v2_client/mined_channel.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace adit::client {

namespace {

ByteVec copy_of(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

MerkleBranch branch_of(const v2::HashSequence& path) {
  MerkleBranch branch(path.size());
  for (std::size_t i = 0; i < branch.size(); ++i)
    std::memcpy(branch[i].bytes.data(), path.bytes.data() + 32 * i, 32);
  return branch;
}

}  // namespace

MinedChannel::MinedChannel(const v2::OpenStandardMiningChannelSuccess& opened, bool fixed_version)
    : id_(opened.channel_id),
      group_(opened.group_channel_id),
      extended_(false),
      rolled_size_(0),
      fixed_version_(fixed_version),
      prefix_(copy_of(opened.extranonce_prefix.bytes)),
      target_(opened.target) {}

MinedChannel::MinedChannel(const v2::OpenExtendedMiningChannelSuccess& opened, bool fixed_version)
    : id_(opened.channel_id),
      group_(opened.group_channel_id),
      extended_(true),
      rolled_size_(opened.extranonce_size),
      fixed_version_(fixed_version),
      prefix_(copy_of(opened.extranonce_prefix.bytes)),
      target_(opened.target) {}

std::shared_ptr<MinerWork> MinedChannel::begin_job(std::uint32_t job_id,
                                                   std::uint32_t version) const {
  auto work = std::make_shared<MinerWork>();
  work->channel_id = id_;
  work->job_number = job_id;
  work->job.job_id = std::to_string(job_id);
  work->job.version = version;
  if (!fixed_version_) work->version_mask = kVersionMask;
  return work;
}

MinedChannel::Took MinedChannel::add(const v2::NewMiningJob& job) {
  if (extended_) return Took::Unusable;
  auto work = begin_job(job.job_id, job.version);
  work->root = job.merkle_root;
  return take(std::move(work), job.min_ntime);
}

MinedChannel::Took MinedChannel::add(const v2::NewExtendedMiningJob& job) {
  auto work = begin_job(job.job_id, job.version);
  if (!job.version_rolling_allowed) work->version_mask.reset();
  work->job.coinbase1 = copy_of(job.coinbase_tx_prefix.bytes);
  work->job.coinbase2 = copy_of(job.coinbase_tx_suffix.bytes);
  work->job.branch = branch_of(job.merkle_path);
  work->extranonce1 = prefix_;
  work->extranonce2_size = rolled_size_;
  // A job for a whole group comes in this form to standard channels, too.
  if (!extended_) work->root = merkle_root_of(*work, {});
  return take(std::move(work), job.min_ntime);
}

MinedChannel::Took MinedChannel::take(std::shared_ptr<MinerWork> work,
                                      const std::optional<std::uint32_t>& min_ntime) {
  if (!min_ntime) {
    if (future_.size() == kFutureJobs) future_.pop_front();
    future_.push_back(std::move(work));
    return Took::Held;
  }
  if (!has_tip_) return Took::Unusable;
  activate(std::move(work), *min_ntime, false);
  return Took::Active;
}

bool MinedChannel::start(const v2::SetNewPrevHash& tip) {
  const auto named =
      std::ranges::find(future_, tip.job_id, [](const auto& work) { return work->job_number; });
  if (named == future_.end()) return false;
  auto work = std::move(*named);
  future_.clear();
  has_tip_ = true;
  prev_ = tip.prev_hash;
  bits_ = CompactTarget(tip.nbits);
  activate(std::move(work), tip.min_ntime, true);
  return true;
}

void MinedChannel::activate(std::shared_ptr<MinerWork> work, std::uint32_t ntime, bool clean) {
  work->job.prev = prev_;
  work->job.bits = bits_;
  work->job.ntime = ntime;
  work->job.clean = clean;
  work->target = target_;
  work->difficulty = Difficulty::of(target_);
  work_ = std::move(work);
}

}  // namespace adit::client
