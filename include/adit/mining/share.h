// SPDX-License-Identifier: MIT
// A share as submitted, and the verdict on it.
#pragma once

#include <optional>
#include <span>

#include "adit/bitcoin/header.h"
#include "adit/bitcoin/target.h"
#include "adit/mining/job.h"

namespace adit {

/// Names one issue of a job to one channel: a resend of the same job has another `issue`.
struct IssuedJobId {
  JobNumber number;
  std::uint16_t issue = 0;
  auto operator<=>(const IssuedJobId&) const = default;
};

struct ShareSubmission {
  IssuedJobId job;
  Bytes rolled;  ///< the miner's part of the extranonce (V1 extranonce2)
  std::uint32_t ntime = 0;
  std::uint32_t nonce = 0;
  std::optional<std::uint32_t> version_bits;  ///< V1's sixth parameter; absent: not sent
  std::optional<std::uint32_t> version;  ///< V2: the whole version; version_bits is then ignored
  std::uint32_t earliest = 0;            ///< V2: the job named this as its lowest ntime
  bool authorised = true;                ///< false: judged last, after the block test
};

/// In the order in which a share is judged, as far as the first nine go: the first that holds is
/// told.
enum class RejectReason : std::uint8_t {
  UnknownJob,
  StaleJob,
  NtimeOutOfRange,
  VersionNotAllowed,  ///< bits outside the mask, or bits without negotiation
  VersionMissing,     ///< rolling negotiated, no bits sent
  BadExtranonceSize,
  LowDifficulty,
  Duplicate,
  Unauthorised,
  StorageFull,  ///< the ledger can take no more; not credited
  TooFast,      ///< too many for issues that are easier than what the miner was told since
};
inline constexpr std::size_t kRejectReasons = 11;
std::string_view reject_reason_name(RejectReason reason);  ///< "stale-job", for logs and metrics

/// Everything known of a judged share. Flat, so that the hot path allocates nothing.
struct ShareVerdict {
  std::optional<RejectReason> reject;  ///< absent: accepted
  bool is_block = false;               ///< meets the network target, whatever `reject` says
  const Job* job = nullptr;  ///< the channel's, valid until its next publish; null if unknown
  BlockHash hash;            ///< valid when `job` is set and the extranonce had its size
  HeaderBytes header{};
  Extranonce extranonce{};
  Difficulty difficulty;  ///< frozen into the job when it was issued
  Work work;              ///< the credit: work of that difficulty's target
};

/// A share on its way to its verdict, so that many can be hashed side by side: Channel::draft()
/// begins it, hash_shares() hashes it, Channel::judge() ends it.
struct ShareDraft {
  ShareSubmission share;      ///< `rolled` is in verdict.extranonce now, and not looked at again
  std::uint32_t version = 0;  ///< the header's
  bool whole = false;         ///< job and extranonce are there: it has a header
  /// Not to be computed again: of a channel that rolls no extranonce. Valid until its next publish.
  const MerkleRoot* root = nullptr;
  ShareVerdict verdict;  ///< as far as known
};

/// Headers and hashes of all drafts that are whole, and whether they are blocks. Neighbours of one
/// job are hashed side by side, so that two cost little more than one.
void hash_shares(std::span<ShareDraft> drafts);

}  // namespace adit
