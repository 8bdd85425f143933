// SPDX-License-Identifier: MIT
// The coinbase transaction around its extranonce gap. The halves are the serialisation without
// witness, as V1 sends them and as the txid hashes them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "adit/base/result.h"
#include "adit/bitcoin/transaction.h"

namespace adit {

/// Bytes of extranonce in every scriptSig: prefix (ours) + rolled part (the miner's).
inline constexpr std::size_t kExtranonceSize = 16;
using Extranonce = std::array<std::uint8_t, kExtranonceSize>;

struct CoinbasePlan {
  std::uint32_t height = 0;
  std::string tag;             ///< printable, e.g. "/example/"; cut is an error, not silent
  std::vector<TxOut> outputs;  ///< who is paid; their sum is the whole coinbase value
  std::optional<Hash256> witness_commitment;
};

struct CoinbaseHalves {
  ByteVec prefix;  ///< version .. just before the extranonce
  ByteVec suffix;  ///< just after the extranonce .. lock time
  bool operator==(const CoinbaseHalves&) const = default;
};

/// scriptSig = height push, tag push (none if empty), push of 16 extranonce bytes; 2..100 bytes in
/// all. Locked to height - 1 with sequence 0xfffffffe (BIP54-ready, harmless today; height 0 locks
/// to 0). The commitment is the last output. Errors: script too long, tag not printable, no
/// outputs, value out of range.
Result<CoinbaseHalves> build_coinbase(const CoinbasePlan& plan);

Txid coinbase_txid(const CoinbaseHalves& halves, const Extranonce& extranonce);
/// The form that goes into the block: with the 32-byte zero witness reserved value iff
/// `has_commitment` (BIP141).
ByteVec coinbase_for_block(const CoinbaseHalves& halves, const Extranonce& extranonce,
                           bool has_commitment);

}  // namespace adit
