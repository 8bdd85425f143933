// SPDX-License-Identifier: MIT
// Merkle branches against the slow tree.
#include "adit/bitcoin/merkle.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "adit/crypto/sha256.h"
#include "random.h"

using namespace adit;

namespace {

Hash256 pair_hash(const Hash256& a, const Hash256& b) {
  ByteVec both;
  append(both, a.bytes);
  append(both, b.bytes);
  return {sha256d(both)};
}

/// The tree by its definition, one node after another.
Hash256 naive_root(std::vector<Hash256> level) {
  while (level.size() > 1) {
    std::vector<Hash256> up;
    for (std::size_t i = 0; i < level.size(); i += 2) {
      up.push_back(pair_hash(level[i], level[std::min(i + 1, level.size() - 1)]));
    }
    level = up;
  }
  return level.front();
}

}  // namespace

TEST_CASE("merkle: branch, fold and tree agree for 1 to 41 leaves") {
  test::Random random(9);
  for (std::size_t others = 0; others <= 40; ++others) {
    const auto coinbase = random.hash<Txid>();
    std::vector<Txid> rest(others);
    for (Txid& t : rest) t = random.hash<Txid>();
    std::vector<Hash256> leaves{Hash256::from(coinbase)};
    for (const Txid& t : rest) leaves.push_back(Hash256::from(t));
    const MerkleBranch branch = merkle_branch(rest);
    std::size_t depth = 0;
    while ((std::size_t{1} << depth) < leaves.size()) ++depth;
    CHECK(branch.size() == depth);
    CHECK(merkle_fold(coinbase, branch).bytes == naive_root(leaves).bytes);
    bool mutated = true;
    CHECK(merkle_root(leaves, &mutated) == naive_root(leaves));
    CHECK_FALSE(mutated);
  }
}

TEST_CASE("merkle: one leaf is its own root, none is zero") {
  test::Random random(10);
  const auto coinbase = random.hash<Txid>();
  CHECK(merkle_branch({}).empty());
  CHECK(merkle_fold(coinbase, {}).bytes == coinbase.bytes);
  CHECK(merkle_root({Hash256::from(coinbase)}).bytes == coinbase.bytes);
  CHECK(merkle_root({}) == Hash256{});
}

TEST_CASE("merkle: CVE-2012-2459, doubled leaves give the same root and are reported") {
  test::Random random(11);
  std::vector<Hash256> leaves(6);
  for (Hash256& h : leaves) h = random.hash<Hash256>();
  std::vector<Hash256> doubled = leaves;
  doubled.push_back(leaves[4]);
  doubled.push_back(leaves[5]);
  bool mutated = true;
  const Hash256 root = merkle_root(leaves, &mutated);
  CHECK_FALSE(mutated);
  CHECK(merkle_root(doubled, &mutated) == root);
  CHECK(mutated);
  (void)merkle_root({leaves[0], leaves[1], leaves[1], leaves[2]}, &mutated);
  CHECK_FALSE(mutated);  // equal neighbours that are no siblings
  std::vector<Hash256> three(leaves.begin(), leaves.begin() + 3);
  (void)merkle_root(three, &mutated);
  CHECK_FALSE(mutated);
  three.push_back(three[2]);
  (void)merkle_root(three, &mutated);
  CHECK(mutated);
}

TEST_CASE("merkle: witness commitment is sha256d(root with a zero coinbase, reserved)") {
  test::Random random(12);
  const std::array<std::uint8_t, 32> reserved = random.hash<Hash256>().bytes;
  for (std::size_t count : {0, 1, 2, 6, 7}) {
    std::vector<Wtxid> others(count);
    std::vector<Hash256> leaves(1);
    for (Wtxid& w : others) {
      w = random.hash<Wtxid>();
      leaves.push_back(Hash256::from(w));
    }
    CHECK(witness_commitment(others, reserved) == pair_hash(naive_root(leaves), {reserved}));
  }
  // The default commitment that nodes give for an empty block.
  CHECK(to_hex(witness_commitment({}, {}).bytes) ==
        "e2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf9");
}
