// SPDX-License-Identifier: MIT
// Inclusion proofs: that a share stands in a closed slice, with few hashes. Whoever has a slice's
// root, or its hash, from somewhere else (the pool's API, a copy, another miner) needs nothing else
// of the pool's books to check one. docs/ledger.md has the format.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "adit/ledger/reader.h"

namespace adit {

inline constexpr std::size_t kMaxProofBytes = 16'384;

/// One flat JSON object of at most kMaxTreeSteps hashes on its path. NotFound: there is no such
/// share, it or its slice has expired, or it belongs to no slice. Unavailable: its slice is still
/// open. Corrupt: the books contradict themselves. Reads the whole slice.
Result<std::string> make_share_proof(LedgerStore& store, Sequence sequence);

/// What a proof that holds is about.
struct CheckedProof {
  ShareRecord share;
  std::string address;  ///< of the account, as the pool says: the chain binds its id alone
  SliceRecord slice;    ///< the header's fields; without entries
  std::uint64_t index = 0, size = 0;
  std::size_t steps = 0;
  Digest slice_hash{};
  /// A few lines for people.
  std::string words() const;
};
/// Total on any input. Invalid, with the first thing that is wrong; with `root`, also a proof that
/// leads to another one.
Result<CheckedProof> check_share_proof(std::string_view text, const std::optional<Digest>& root);

}  // namespace adit
