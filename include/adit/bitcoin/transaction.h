// SPDX-License-Identifier: MIT
// Transactions with and without witness (BIP144), enough to build a coinbase, to check what a node
// sent and to take a whole block apart.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "adit/base/result.h"
#include "adit/bitcoin/amount.h"
#include "adit/bitcoin/hash.h"
#include "adit/bitcoin/script.h"

namespace adit {

struct OutPoint {
  Txid txid;
  std::uint32_t index = 0;
  auto operator<=>(const OutPoint&) const = default;
};
struct TxIn {
  OutPoint previous;
  Script script_sig;
  std::uint32_t sequence = 0xffffffff;
  std::vector<ByteVec> witness;
};
struct TxOut {
  Satoshi value;
  Script script;
  bool operator==(const TxOut&) const = default;
};

struct Transaction {
  std::int32_t version = 2;
  std::vector<TxIn> inputs;
  std::vector<TxOut> outputs;
  std::uint32_t lock_time = 0;

  bool has_witness() const;
  ByteVec serialize() const;                  ///< with witness where there is one
  ByteVec serialize_without_witness() const;  ///< what the txid hashes
  Txid txid() const;
  Wtxid wtxid() const;
  std::uint64_t weight() const;  ///< BIP141
  /// The whole of `bytes` must be one transaction; counts are bounded by the bytes there are.
  static Result<Transaction> parse(Bytes bytes);
  /// Reads one transaction from the front.
  static Result<Transaction> parse(ByteReader& reader);
};

/// What a coinbase spends: nothing.
inline constexpr OutPoint kNoOutPoint{Txid{}, 0xffffffff};
/// The height a coinbase names in its script (BIP34); nullopt: it is no coinbase, or names none.
std::optional<std::uint32_t> coinbase_height(const Transaction& transaction);

void append_tx_out(ByteVec& out, const TxOut& tx_out);

}  // namespace adit
