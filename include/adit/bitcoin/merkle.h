// SPDX-License-Identifier: MIT
// Merkle roots, the witness commitment, and the branch that joins a coinbase to the root: what V1
// calls merkle_branch and V2 merkle_path.
#pragma once

#include <span>
#include <vector>

#include "adit/bitcoin/hash.h"

namespace adit {

/// Siblings of the leftmost leaf from the leaf upwards.
using MerkleBranch = std::vector<Hash256>;

/// The branch of leaf 0 over `others` (the txids after the coinbase); empty when there are none.
MerkleBranch merkle_branch(std::span<const Txid> others);
/// The root reached from a coinbase txid along the branch. No allocation.
MerkleRoot merkle_fold(const Txid& coinbase, std::span<const Hash256> branch);
/// The root over all leaves, the slow way that the branch is checked against. `mutated` (optional)
/// is set when two equal siblings meet (CVE-2012-2459).
Hash256 merkle_root(std::vector<Hash256> leaves, bool* mutated = nullptr);
/// BIP141: sha256d(witness root || reserved value); the coinbase's wtxid counts as zero.
Hash256 witness_commitment(std::span<const Wtxid> others,
                           const std::array<std::uint8_t, 32>& reserved);

}  // namespace adit
