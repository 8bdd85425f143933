// SPDX-License-Identifier: MIT
// MiningChannel: what a V2 connection keeps of one of its channels beside the Channel that judges
// its shares: ids, what the miner was told, and what it has not been told yet.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adit/mining/channel.h"
#include "adit/mining/worker_table.h"
#include "stratum/strikes.h"

namespace adit::v2 {

/// A job as the miner knows it.
struct WireJob {
  std::uint32_t id = 0;
  IssuedJobId issued;
  std::uint32_t min_ntime = 0;
};

/// Durable shares that the miner has not been told of.
struct Acknowledgement {
  std::uint32_t last_sequence = 0;
  std::uint32_t count = 0;
  Work work;  ///< with what the last message could not say: less than one of difficulty 1
};

/// Whole difficulties of `work`, which keeps the fraction.
inline std::uint64_t take_difficulty(Work& work) {
  static const Uint128 kOne = Work::of(Target::difficulty_one()).value();
  const Uint128 sum = work.value() / kOne;
  work = Work(work.value() - sum * kOne);
  return static_cast<std::uint64_t>(std::min<Uint128>(sum, ~std::uint64_t{0}));
}

struct MiningChannel {
  static constexpr std::size_t kJobs = 2 * Channel::kJobsPerTip;

  std::uint32_t id = 0;
  bool standard = false;  ///< header-only: the prefix is the whole extranonce
  WorkerIndex worker;
  Channel channel;
  Target limit;                         ///< the miner's max_target: never told an easier one
  Difficulty told;                      ///< by SetTarget or at opening
  std::optional<std::uint32_t> future;  ///< the id under which the promised block is known
  std::vector<WireJob> jobs;            ///< oldest first
  Acknowledgement acknowledgement;
  Pace rate_changes;  ///< by UpdateChannel
  /// Names that shares brought (extension 0x0002).
  std::vector<std::pair<std::string, WorkerIndex>> names;

  void remember(const WireJob& job) {
    if (jobs.size() == kJobs) jobs.erase(jobs.begin());
    jobs.push_back(job);
  }
  const WireJob* find(std::uint32_t job_id) const {
    const auto found = std::find_if(jobs.rbegin(), jobs.rend(),
                                    [&](const WireJob& job) { return job.id == job_id; });
    return found == jobs.rend() ? nullptr : &*found;
  }
  Target target() const { return std::min(channel.vardiff().current().to_target(), limit); }
};

}  // namespace adit::v2
