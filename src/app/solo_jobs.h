// SPDX-License-Identifier: MIT
// SoloJobs: in a solo pool each account mines a coinbase that pays itself, less the pool's fee. One
// a worker thread; remembers what it made of the last few jobs. Thread: its worker's.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "adit/mining/job.h"
#include "app/config.h"

namespace adit {

struct SoloTerms {
  std::uint32_t fee_basis_points = 0;
  Address pool;
  std::string coinbase_tag;
  bool with_next = false;  ///< Stratum V2 wants the next empty block ahead
};

class SoloJobs final : public OwnJobs {
 public:
  explicit SoloJobs(SoloTerms terms) : terms_(std::move(terms)) {}
  /// `job` itself for the pool's own address.
  JobPtr job_for(const JobPtr& job, std::string_view account) override;
  /// Of the newest job: at most twice those that somebody holds, and kSweepAt.
  std::size_t remembered() const { return made_[newest_].jobs.size(); }
  static constexpr std::size_t kSweepAt = 1'000;

 private:
  struct Made {
    JobPtr from;
    std::unordered_map<std::string, JobPtr> jobs;  // by account
    std::size_t sweep_at = kSweepAt;               // entries that nobody works on go then
  };
  JobPtr make(const Job& job, const std::string& account) const;

  SoloTerms terms_;
  std::array<Made, 2> made_;  // a slow broadcast may still need the job before the newest
  std::size_t newest_ = 0;
};

/// Filled for solo pools that pay in the coinbase.
std::optional<SoloTerms> solo_terms(const Config& config);

}  // namespace adit
