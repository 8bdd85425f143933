// SPDX-License-Identifier: MIT
// Hashing shares side by side, and the names of the reject reasons.
#include "adit/mining/share.h"

#include <algorithm>

#include "adit/base/check.h"

namespace adit {
namespace {

/// As many as the widest SHA-256 takes at once; what is needed for them lies on the stack.
constexpr std::size_t kAtOnce = 8;

/// How many of the first drafts are whole, of one job, and all with or all without their root; at
/// most kAtOnce.
std::size_t alike(std::span<const ShareDraft> drafts) {
  const auto is_alike = [&](const ShareDraft& draft) {
    return draft.whole && draft.verdict.job == drafts[0].verdict.job &&
           (draft.root == nullptr) == (drafts[0].root == nullptr);
  };
  const std::size_t most = std::min(kAtOnce, drafts.size());
  std::size_t count = 0;
  while (count < most && is_alike(drafts[count])) ++count;
  return count;
}

using Roots = std::array<MerkleRoot, kAtOnce>;

void find_roots(std::span<const ShareDraft> drafts, Roots& roots) {
  const std::size_t count = drafts.size();
  if (drafts[0].root != nullptr) {
    for (std::size_t i = 0; i < count; ++i) roots[i] = *drafts[i].root;
    return;
  }
  const Job& job = *drafts[0].verdict.job;
  std::array<Extranonce, kAtOnce> extranonces;
  for (std::size_t i = 0; i < count; ++i) extranonces[i] = drafts[i].verdict.extranonce;
  std::uint8_t* nodes = roots[0].bytes.data();
  job.coinbase_hash.sha256d_many(nodes, extranonces[0].data(), count);
  if (!job.branch.empty())
    sha256d_fold_many(nodes, count, job.branch[0].bytes.data(), job.branch.size());
}

void hash_alike(std::span<ShareDraft> drafts) {
  static_assert(sizeof(Hash256) == 32 && sizeof(MerkleRoot) == 32 && sizeof(BlockHash) == 32,
                "rows of them are hashed as contiguous bytes");
  const Job& job = *drafts[0].verdict.job;
  const std::size_t count = drafts.size();
  Roots roots;
  std::array<HeaderBytes, kAtOnce> headers;
  std::array<BlockHash, kAtOnce> hashes;
  find_roots(drafts, roots);
  for (std::size_t i = 0; i < count; ++i) {
    const ShareDraft& draft = drafts[i];
    headers[i] = BlockHeader{static_cast<std::int32_t>(draft.version),
                             job.block_template->prev,
                             roots[i],
                             draft.share.ntime,
                             job.block_template->bits,
                             draft.share.nonce}
                     .bytes();
  }
  sha256d_80_many(hashes[0].bytes.data(), headers[0].data(), count);
  for (std::size_t i = 0; i < count; ++i) {
    ShareVerdict& verdict = drafts[i].verdict;
    verdict.header = headers[i];
    verdict.hash = hashes[i];
    verdict.is_block = meets(hashes[i], job.network_target);
  }
}

}  // namespace

void hash_shares(std::span<ShareDraft> drafts) {
  while (!drafts.empty()) {
    const std::size_t count = alike(drafts);
    if (count > 0) hash_alike(drafts.first(count));
    drafts = drafts.subspan(std::max<std::size_t>(count, 1));
  }
}

std::string_view reject_reason_name(RejectReason reason) {
  switch (reason) {
    case RejectReason::UnknownJob:
      return "unknown-job";
    case RejectReason::StaleJob:
      return "stale-job";
    case RejectReason::NtimeOutOfRange:
      return "ntime-out-of-range";
    case RejectReason::VersionNotAllowed:
      return "version-not-allowed";
    case RejectReason::VersionMissing:
      return "version-missing";
    case RejectReason::BadExtranonceSize:
      return "bad-extranonce-size";
    case RejectReason::LowDifficulty:
      return "low-difficulty";
    case RejectReason::Duplicate:
      return "duplicate";
    case RejectReason::Unauthorised:
      return "unauthorised";
    case RejectReason::StorageFull:
      return "storage-full";
    case RejectReason::TooFast:
      return "too-fast";
  }
  UNREACHABLE();
}

}  // namespace adit
