// SPDX-License-Identifier: MIT
// Channel: one stream of work, {prefix, difficulty, issued jobs, vardiff}. V1 has one a connection,
// V2 many; sessions translate. Thread: its worker's.
#pragma once

#include <vector>

#include "adit/bitcoin/duplicate_filter.h"
#include "adit/mining/extranonce.h"
#include "adit/mining/share.h"
#include "adit/mining/vardiff.h"

namespace adit {

struct ChannelPolicy {
  VardiffOptions vardiff;
  std::uint32_t version_mask = 0x1fffe000;  ///< what the pool lets miners roll
  std::uint32_t ntime_forward_s = 7000;     ///< beyond curtime + elapsed
};

class Channel {
 public:
  static constexpr std::size_t kJobsPerTip = 16;

  /// `policy` outlives the channel.
  Channel(const ChannelPolicy& policy, const ExtranoncePrefix& prefix, Difficulty start,
          Instant now);

  /// Issues `job`, freezing the current difficulty into it. Jobs of the last two tips are kept, 16
  /// each.
  IssuedJobId publish(const JobPtr& job, Instant now);
  /// Issues the newest job again under a new id (after a change of difficulty). CHECKs that there
  /// is one.
  IssuedJobId reissue(Instant now);
  const JobPtr& newest_job() const;  ///< null before the first

  /// Judges a share. Order: block test first, then job, ntime, version bits, extranonce size,
  /// target, duplicate, worker; stale = a job of an older tip. A hash enters `seen` only when its
  /// target is met.
  ShareVerdict submit(const ShareSubmission& share, Instant now, DuplicateFilter& seen);

  /// Version rolling as negotiated: 0 while not.
  void set_version_mask(std::uint32_t mask) {
    rolling_negotiated_ = true;
    version_mask_ = mask;
  }
  std::uint32_t version_mask() const { return version_mask_; }
  bool rolling_negotiated() const { return rolling_negotiated_; }

  const ExtranoncePrefix& prefix() const { return prefix_; }
  Vardiff& vardiff() { return vardiff_; }
  const Vardiff& vardiff() const { return vardiff_; }

 private:
  struct Issued {
    JobPtr job;
    Difficulty difficulty;
    std::uint16_t issue;
  };
  const ChannelPolicy* policy_;
  ExtranoncePrefix prefix_;
  Vardiff vardiff_;
  std::vector<Issued> issued_;  // oldest first
  std::uint32_t version_mask_ = 0;
  bool rolling_negotiated_ = false;
  std::uint16_t next_issue_ = 1;
  Difficulty cached_difficulty_;
  Target cached_target_;
  Work cached_work_;
};

}  // namespace adit
