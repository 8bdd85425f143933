// SPDX-License-Identifier: MIT
// MinedChannel: a miner's side of one V2 channel: its extranonce, its target, the jobs it holds
// ahead and the one it works on. Messages in, MinerWork out. Thread: one.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "adit/stratum/v2/messages.h"
#include "client/work.h"

namespace adit::client {

class MinedChannel {
 public:
  /// Jobs held ahead; the oldest makes room. A pool needs two.
  static constexpr std::size_t kFutureJobs = 16;
  /// What devices roll (BIP320); every pool's mask contains it.
  static constexpr std::uint32_t kVersionMask = 0x1fffe000;

  /// `fixed_version`: the pool takes no other version than the job's.
  MinedChannel(const v2::OpenStandardMiningChannelSuccess& opened, bool fixed_version);
  MinedChannel(const v2::OpenExtendedMiningChannelSuccess& opened, bool fixed_version);

  std::uint32_t id() const { return id_; }
  bool extended() const { return extended_; }
  /// A message to the channel, or to the group it is in.
  bool is_meant_by(std::uint32_t channel_id) const {
    return channel_id == id_ || channel_id == group_;
  }

  /// Both hold for jobs that come, or become active, from now on.
  void set_target(const Target& target) { target_ = target; }
  void set_prefix(Bytes prefix) { prefix_.assign(prefix.begin(), prefix.end()); }

  enum class Took : std::uint8_t { Held, Active, Unusable };
  /// Unusable: an active job before the first previous hash, or one of a kind that this channel
  /// cannot mine.
  Took add(const v2::NewMiningJob& job);
  Took add(const v2::NewExtendedMiningJob& job);
  /// Starts the job it names and forgets all others. False: that job is not held.
  [[nodiscard]] bool start(const v2::SetNewPrevHash& tip);

  /// What to mine now; null before the first SetNewPrevHash.
  const WorkPtr& work() const { return work_; }
  std::uint32_t take_sequence() { return next_sequence_++; }

  /// What the pool has said of this channel's shares.
  struct Account {
    std::uint64_t accepted = 0, rejected = 0;
    std::uint64_t difficulty_sum = 0;
  };
  Account account;

 private:
  std::shared_ptr<MinerWork> begin_job(std::uint32_t job_id, std::uint32_t version) const;
  Took take(std::shared_ptr<MinerWork> work, const std::optional<std::uint32_t>& min_ntime);
  void activate(std::shared_ptr<MinerWork> work, std::uint32_t ntime, bool clean);

  std::uint32_t id_, group_;
  bool extended_;
  std::size_t rolled_size_;
  bool fixed_version_;
  ByteVec prefix_;
  Target target_;
  bool has_tip_ = false;
  BlockHash prev_;
  CompactTarget bits_;
  std::deque<std::shared_ptr<MinerWork>> future_;
  WorkPtr work_;
  std::uint32_t next_sequence_ = 1;
};

}  // namespace adit::client
