// SPDX-License-Identifier: MIT
// Building what is hashed: see work.h.
#include "client/work.h"

#include <algorithm>

#include "adit/crypto/sha256.h"

namespace adit::client {

std::optional<BlockHash> parse_prevhash(std::string_view hex) {
  BlockHash prev;
  if (hex.size() != 64 || !from_hex(hex, prev.bytes)) return std::nullopt;
  for (std::size_t word = 0; word < 32; word += 4)
    std::reverse(prev.bytes.begin() + word, prev.bytes.begin() + word + 4);
  return prev;
}

MerkleRoot merkle_root_of(const MinerWork& work, Bytes extranonce2) {
  if (work.root) return *work.root;
  Sha256 coinbase;
  coinbase.write(work.job.coinbase1).write(work.extranonce1);
  coinbase.write(extranonce2).write(work.job.coinbase2);
  return merkle_fold(Txid{coinbase.finish_double()}, work.job.branch);
}

std::uint32_t version_of(const MinerWork& work, std::uint32_t version_bits) {
  const std::uint32_t mask = work.version_mask.value_or(0);
  return (work.job.version & ~mask) | (version_bits & mask);
}

HeaderBytes header_of(const MinerWork& work, const MerkleRoot& root, std::uint32_t version_bits) {
  BlockHeader header;
  header.version = static_cast<std::int32_t>(version_of(work, version_bits));
  header.prev = work.job.prev;
  header.merkle_root = root;
  header.time = work.job.ntime;
  header.bits = work.job.bits;
  return header.bytes();
}

std::uint32_t spread_bits(std::uint32_t counter, std::uint32_t mask) {
  std::uint32_t out = 0;
  for (; mask != 0 && counter != 0; counter >>= 1, mask &= mask - 1)
    if ((counter & 1) != 0) out |= mask & -mask;
  return out;
}

ByteVec extranonce2_of(std::uint64_t counter, std::size_t size) {
  ByteVec out(size);
  for (std::size_t i = 0; i < size && i < 8; ++i)
    out[size - 1 - i] = static_cast<std::uint8_t>(counter >> (8 * i));
  return out;
}

std::uint32_t top_word(const Target& target) {
  return static_cast<std::uint32_t>(target.value().limb[3] >> 32);
}

}  // namespace adit::client
