// SPDX-License-Identifier: MIT
// MinerWork: a miner's side of a job, whichever protocol brought it. From the job and the two
// extranonces come the coinbase, the merkle root and the header. Written from the wire's meaning,
// so that it is a second opinion on what the pool sends.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "adit/bitcoin/header.h"
#include "adit/bitcoin/merkle.h"

namespace adit::client {

/// A job, decoded: V1's mining.notify, or V2's job together with its previous hash.
struct Notify {
  std::string job_id;  ///< as people read it
  BlockHash prev;
  ByteVec coinbase1, coinbase2;
  MerkleBranch branch;
  std::uint32_t version = 0;
  CompactTarget bits;
  std::uint32_t ntime = 0;
  bool clean = false;
};

/// The eight words of a notify's previous hash, each turned round on the wire. Exactly 64 digits.
std::optional<BlockHash> parse_prevhash(std::string_view hex);

/// All that hashing needs. Immutable once made, so threads share it.
struct MinerWork {
  Notify job;
  ByteVec extranonce1;
  std::size_t extranonce2_size = 0;  ///< 0 where only headers are rolled
  std::optional<MerkleRoot> root;    ///< known already: nothing of the coinbase is rolled
  std::uint32_t channel_id = 0, job_number = 0;  ///< V2's names of it
  std::optional<std::uint32_t> version_mask;     ///< absent: rolling was not agreed
  Difficulty difficulty;
  Target target;
};
using WorkPtr = std::shared_ptr<const MinerWork>;

MerkleRoot merkle_root_of(const MinerWork& work, Bytes extranonce2);
/// The job's version with these bits rolled. Bits outside the mask are ignored.
std::uint32_t version_of(const MinerWork& work, std::uint32_t version_bits);
/// The header with nonce 0.
HeaderBytes header_of(const MinerWork& work, const MerkleRoot& root, std::uint32_t version_bits);

/// The low bits of `counter` laid into the mask's places from the lowest up: counting walks through
/// every version that may be rolled.
std::uint32_t spread_bits(std::uint32_t counter, std::uint32_t mask);
/// `counter` as big-endian bytes: cut at the front or padded with zeroes to the size.
ByteVec extranonce2_of(std::uint64_t counter, std::size_t size);
/// The 32 highest bits of a target: what scan_nonces compares.
std::uint32_t top_word(const Target& target);

}  // namespace adit::client
