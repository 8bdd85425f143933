// SPDX-License-Identifier: MIT
// Channel: one stream of work, {prefix, difficulty, issued jobs, vardiff}. V1 has one a connection,
// V2 many; sessions translate. Thread: its worker's.
#pragma once

#include <memory>
#include <vector>

#include "adit/mining/extranonce.h"
#include "adit/mining/recent_hashes.h"
#include "adit/mining/share.h"
#include "adit/mining/vardiff.h"

namespace adit {

struct ChannelPolicy {
  VardiffOptions vardiff;
  std::uint32_t version_mask = 0x1fffe000;  ///< what the pool lets miners roll
  std::uint32_t ntime_forward_s = 7000;     ///< beyond curtime + elapsed
  /// V1: the size (job_of_size) of its work, and whether firmware that wants a smaller one gets it.
  std::uint64_t coinbase_weight = ~std::uint64_t{0};
  bool small_coinbases = true;
};

class Channel {
 public:
  static constexpr std::size_t kJobsPerTip = 16;

  /// `policy` outlives the channel. `known`: `start` is more than the start of all (Vardiff).
  Channel(const ChannelPolicy& policy, const ExtranoncePrefix& prefix, Difficulty start,
          Instant now, bool known = false);

  /// Issues `job`, freezing vardiff().current() into it, which the job's network difficulty may
  /// just have lowered: announce it before the job whenever it differs from what was announced
  /// last. Jobs of the last two tips are kept, 16 each; tips never go back (CHECK). Vardiff's clock
  /// starts at the first job.
  IssuedJobId publish(const JobPtr& job, Instant now);
  /// Issues the newest job again under a new id (after a change of difficulty or prefix). CHECKs
  /// that there is one.
  IssuedJobId reissue(Instant now);
  /// What is issued from here on is searched under `prefix`; what was issued before keeps its own.
  void move_to(const ExtranoncePrefix& prefix);
  const JobPtr& newest_job() const;  ///< null before the first; valid until the next publish
  /// The job under this id, to keep it beyond the next publish (a found block); null if unknown.
  JobPtr find_job(const IssuedJobId& id) const;
  /// The merkle root of a job that was just issued or kept, when the prefix is the whole
  /// extranonce; else, and for an unknown id, null. Valid until the next publish.
  const MerkleRoot* root_of(const IssuedJobId& id) const;

  /// Judges a share. Order: block test first, then job, ntime, version bits, extranonce size,
  /// target, duplicate, worker; stale = a job of an older tip. A hash enters `seen` only when the
  /// share is otherwise accepted, so each entry cost work and an unpaid hash stays payable.
  /// The header tested has version (job & ~mask) | bits, also when bits outside the mask then earn
  /// a rejection. Shares for issues easier than vardiff().current() are accepted at ten a second,
  /// fifty at once: what was on its way when the difficulty rose is that few. An accepted share is
  /// counted by vardiff here; the caller goes on with
  /// vardiff().retarget(now) and, on a change, announces it and calls reissue().
  ShareVerdict submit(const ShareSubmission& share, Instant now, RecentHashes& seen);
  /// submit() in two steps, to hash many shares in between: draft(), hash_shares(), judge(). Drafts
  /// may be of several channels; each channel's are judged in their order, and it issues no job and
  /// learns no version mask or prefix meanwhile.
  void draft(const ShareSubmission& share, ShareDraft& draft) const;
  void judge(ShareDraft& draft, Instant now, RecentHashes& seen);
  /// What speaks against a draft whatever its hash: job, ntime, version bits. For submissions that
  /// have no header, or are not to be accepted in any case.
  std::optional<RejectReason> judge_terms(const ShareDraft& draft, Instant now) const;
  /// True until ten seconds after an issue that is harder than the one before: what is TooFast may
  /// have been sent in good faith.
  bool is_lenient(Instant now) const { return now < lenient_until_ || is_raised(); }

  /// Version rolling as negotiated, cut to the policy's mask: 0 while not, or no longer.
  void set_version_mask(std::uint32_t mask) { version_mask_ = mask & policy_->version_mask; }
  std::uint32_t version_mask() const { return version_mask_; }

  const ExtranoncePrefix& prefix() const { return prefix_; }  ///< the newest
  /// Bytes that the miner rolls for this job; for an unknown id, under the newest prefix.
  std::size_t rolled_size(const IssuedJobId& id) const;
  Vardiff& vardiff() { return vardiff_; }
  const Vardiff& vardiff() const { return vardiff_; }

 private:
  struct Issued {
    JobPtr job;
    Difficulty difficulty;
    std::uint16_t issue;
    std::uint8_t era;                        // of the prefix
    std::shared_ptr<const MerkleRoot> root;  // where no share can change it
  };
  const Issued* find(const IssuedJobId& id) const;
  std::optional<RejectReason> reason_against(const ShareDraft& draft, Instant now,
                                             RecentHashes& seen);
  bool in_pace(const ShareDraft& draft, Instant now);
  bool is_raised() const {
    return !issued_.empty() && issued_.back().difficulty < vardiff_.current();
  }
  std::optional<RejectReason> judge_version(const Job& job, const ShareSubmission& share) const;
  bool ntime_allowed(const Job& job, const ShareSubmission& share, Instant now) const;
  std::shared_ptr<const MerkleRoot> whole_root(const Job& job) const;
  const ExtranoncePrefix& prefix_of(const Issued& issued) const;
  void forget_prefixes();
  void load_target(std::uint16_t issue, const Difficulty& difficulty);

  const ChannelPolicy* policy_;
  struct Earlier {
    ExtranoncePrefix prefix;
    std::uint8_t era;
  };
  ExtranoncePrefix prefix_;
  std::uint8_t era_ = 0;          // counts prefixes, and goes round: at most 33 are known
  std::vector<Earlier> earlier_;  // those that a kept job still has
  Vardiff vardiff_;
  std::vector<Issued> issued_;  // oldest first
  std::uint32_t version_mask_ = 0;
  Instant lenient_until_{};
  Instant late_from_{};  // shares for easier issues are paid for in time from here on
  std::uint16_t next_issue_ = 1;
  std::uint16_t cached_issue_ = 0;  // whose target and work are cached; 0 is no issue
  Target cached_target_;
  Work cached_work_;
};

}  // namespace adit
