// SPDX-License-Identifier: MIT
// Merkle trees: a level at a time in place, so that the hash's wide lanes are used.
#include "adit/bitcoin/merkle.h"

#include <algorithm>

#include "adit/crypto/sha256.h"

namespace adit {
namespace {

static_assert(sizeof(Hash256) == 32, "levels are hashed as contiguous bytes");

/// Replaces a level of two or more by its parents; an odd last node is paired with itself.
void hash_level(std::vector<Hash256>& level) {
  if (level.size() % 2 != 0) level.push_back(level.back());
  const std::size_t parents = level.size() / 2;
  std::uint8_t* bytes = level.front().bytes.data();
  sha256d_64_many(bytes, bytes, parents);
  level.resize(parents);
}

Digest hash_pair(const std::array<std::uint8_t, 32>& left,
                 const std::array<std::uint8_t, 32>& right) {
  std::array<std::uint8_t, 64> both;
  std::copy(left.begin(), left.end(), both.begin());
  std::copy(right.begin(), right.end(), both.begin() + 32);
  return sha256d_64(both.data());
}

}  // namespace

MerkleBranch merkle_branch(std::span<const Txid> others) {
  // Leaf 0 is unknown: a zero stands for it and for all above it. No sibling depends on them.
  std::vector<Hash256> level;
  level.reserve(others.size() + 2);
  level.emplace_back();
  for (const Txid& txid : others) level.push_back(Hash256::from(txid));
  MerkleBranch branch;
  while (level.size() > 1) {
    branch.push_back(level[1]);
    hash_level(level);
  }
  return branch;
}

MerkleRoot merkle_fold(const Txid& coinbase, std::span<const Hash256> branch) {
  MerkleRoot root{coinbase.bytes};
  for (const Hash256& sibling : branch) root.bytes = hash_pair(root.bytes, sibling.bytes);
  return root;
}

Hash256 merkle_root(std::vector<Hash256> leaves, bool* mutated) {
  if (mutated != nullptr) *mutated = false;
  if (leaves.empty()) return {};
  while (leaves.size() > 1) {
    // Before the odd node is doubled: only a pair that was given as equal counts.
    for (std::size_t i = 0; mutated != nullptr && i + 1 < leaves.size(); i += 2) {
      *mutated = *mutated || leaves[i] == leaves[i + 1];
    }
    hash_level(leaves);
  }
  return leaves.front();
}

Hash256 witness_commitment(std::span<const Wtxid> others,
                           const std::array<std::uint8_t, 32>& reserved) {
  std::vector<Hash256> leaves;
  leaves.reserve(others.size() + 2);
  leaves.emplace_back();
  for (const Wtxid& wtxid : others) leaves.push_back(Hash256::from(wtxid));
  return {hash_pair(merkle_root(std::move(leaves)).bytes, reserved)};
}

}  // namespace adit
