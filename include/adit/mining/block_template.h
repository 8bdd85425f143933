// SPDX-License-Identifier: MIT
// BlockTemplate: what a node proposes to mine, parsed, checked and never changed again (BIP22,
// BIP23, BIP145).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adit/base/time.h"
#include "adit/bitcoin/network.h"
#include "adit/bitcoin/target.h"
#include "adit/bitcoin/transaction.h"

namespace adit {

struct TemplateTransaction {
  ByteVec data;  ///< as it goes into the block, with witness
  Txid txid;
  Wtxid wtxid;
  Satoshi fee;
  std::uint32_t sigops = 0;  ///< cost, witness-scaled
  std::uint32_t weight = 0;
};

struct BlockTemplate {
  Network network = Network::Main;
  std::uint32_t height = 0;
  BlockHash prev;
  std::int32_t version = 0;
  CompactTarget bits;
  Target target;
  std::uint32_t curtime = 0;
  std::uint32_t mintime = 0;
  Satoshi coinbase_value;
  std::vector<TemplateTransaction> transactions;
  /// Recomputed, not copied; absent when the node gave none (no witness transaction, before
  /// segwit).
  std::optional<Hash256> witness_commitment;
  std::string long_poll_id;
  std::uint32_t sigop_limit = 80'000;
  std::uint64_t weight_limit = 4'000'000;
  Instant received{};  ///< when `curtime` was true
};
/// The header, the count of transactions, and a coinbase with the longest script, one output and
/// the commitment, rounded up. What accounts' outputs take comes on top, as far as there is room.
inline constexpr std::uint64_t kBareBlockWeight = 1'600;
inline constexpr std::uint64_t kBareBlockSigops = 8;

using TemplatePtr = std::shared_ptr<const BlockTemplate>;

}  // namespace adit
