// SPDX-License-Identifier: MIT
// What the ledger writes. Shares are fixed, versioned, little-endian records; accounts, workers and
// blocks are JSON, so that payout tools in any language read them with a stock RocksDB binding.
// docs/ledger.md is the reference.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "adit/base/result.h"
#include "adit/base/time.h"
#include "adit/bitcoin/amount.h"
#include "adit/bitcoin/hash.h"
#include "adit/bitcoin/script.h"
#include "adit/bitcoin/target.h"
#include "adit/crypto/sha256.h"

namespace adit {

using Sequence = Strong<std::uint64_t, struct SequenceTag>;    ///< shares, from 1, without holes
using AccountId = Strong<std::uint32_t, struct AccountIdTag>;  ///< from 1, in order of first share
using LedgerWorkerId = Strong<std::uint32_t, struct LedgerWorkerIdTag>;

/// One paid share. On disk 112 bytes: version u8 = 1, flags u8 (bit 0: met the network target),
/// reserved u16 = 0, height u32, sequence u64, time_ms i64, account u32, worker u32, hash 32, tip
/// 32 (the header's prev), work u128.
struct ShareRecord {
  static constexpr std::size_t kSize = 112;
  static constexpr std::uint8_t kVersion = 1;
  Sequence sequence;
  UnixMillis time;
  AccountId account;
  LedgerWorkerId worker;
  std::uint32_t height = 0;
  bool is_block = false;
  BlockHash hash;
  BlockHash tip;
  Work work;

  void encode(std::uint8_t* out) const;  ///< kSize bytes
  static Result<ShareRecord> decode(Bytes bytes);
  bool operator==(const ShareRecord&) const = default;
};

/// chain(n) = SHA-256(chain(n-1) || record n); chain(0) = 32 zero bytes.
Digest chain_next(const Digest& previous, Bytes record);

/// The found-block state machine (reliability: FOUND -> ... -> MATURE). States only move along
/// these arrows.
enum class BlockState : std::uint8_t {
  Found,      ///< known, perhaps not yet on disk
  Submitted,  ///< sent to the nodes, no final answer
  Side,       ///< a node keeps it beside the best chain; may still win
  Accepted,   ///< a node connected it
  Refused,    ///< consensus refusal; final
  Orphaned,   ///< positive proof: another block at that height, 6 deep; final unless a reorg brings
              ///< it back
  Mature,     ///< 100 confirmations; final unless a deeper reorg proves it orphaned
};
std::string_view block_state_name(BlockState state);
std::optional<BlockState> block_state_from(std::string_view name);
/// Whether `from -> to` is an arrow of the state machine.
bool block_may_move(BlockState from, BlockState to);

struct BlockRecord {
  BlockHash hash;
  BlockHash prev;
  std::uint32_t height = 0;
  UnixMillis found;
  Satoshi value;                ///< the coinbase's whole value
  std::string account, worker;  ///< the finder
  Sequence after;               ///< the last share booked when it was found
  BlockState state = BlockState::Found;
  std::string detail;  ///< the newest answer of a node, verbatim
  std::uint32_t confirmations = 0;
  /// The payout plan its coinbase was made by: the newest slice and the newest journal entry the
  /// plan counted, and the weight units its outputs could take. Zero where the coinbase pays the
  /// pool alone.
  std::uint64_t plan_slice = 0, plan_entry = 0, plan_weight = 0;
  std::string terms;   ///< what its job promised (PayoutTerms::text)
  Script pool_script;  ///< the pool's own then

  std::string json() const;
  static Result<BlockRecord> from_json(std::string_view text);
  bool operator==(const BlockRecord&) const = default;
};

}  // namespace adit
