// SPDX-License-Identifier: MIT
// Building the coinbase transaction in two halves, and putting it together again.
#include "adit/mining/coinbase.h"

#include <algorithm>

#include "adit/base/check.h"
#include "adit/crypto/sha256.h"

namespace adit {
namespace {

constexpr std::uint32_t kVersion = 2;
constexpr std::uint32_t kNullIndex = 0xffffffff;
constexpr std::uint32_t kSequence = 0xfffffffe;
constexpr std::size_t kMaxScriptSig = 100;
constexpr std::size_t kMaxTag = 75;                                 // what one opcode can push
constexpr std::array<std::uint8_t, 2> kMarkerAndFlag = {0, 1};      // BIP144
constexpr std::array<std::uint8_t, 34> kReservedWitness = {1, 32};  // one item: 32 zero bytes
constexpr std::size_t kVersionSize = 4;
constexpr std::size_t kLockTimeSize = 4;

Result<Script> script_sig_front(const CoinbasePlan& plan) {
  if (plan.tag.size() > kMaxTag) {
    return Error{ErrorCode::Invalid, "coinbase tag has " + std::to_string(plan.tag.size()) +
                                         " bytes, at most " + std::to_string(kMaxTag) + " fit"};
  }
  const auto printable = [](char c) { return c >= ' ' && c <= '~'; };
  if (!std::all_of(plan.tag.begin(), plan.tag.end(), printable)) {
    return Error{ErrorCode::Invalid, "coinbase tag is not printable ASCII"};
  }
  Script script = height_push(plan.height);
  if (!plan.tag.empty()) append_push(script, bytes_of(plan.tag));
  script.push_back(static_cast<std::uint8_t>(kExtranonceSize));
  CHECK(script.size() + kExtranonceSize <= kMaxScriptSig);
  return script;
}

Status check_outputs(const std::vector<TxOut>& outputs) {
  if (outputs.empty()) return Error{ErrorCode::Invalid, "coinbase has no outputs"};
  Satoshi sum;
  for (const TxOut& out : outputs) {
    if (out.value < Satoshi{} || out.value > kMaxMoney) {
      return Error{ErrorCode::Invalid,
                   "coinbase output of " + std::to_string(out.value.value()) + " satoshi"};
    }
    sum += out.value;
    if (sum > kMaxMoney) return Error{ErrorCode::Invalid, "coinbase outputs exceed 21 million"};
  }
  return {};
}

ByteVec joined(const CoinbaseHalves& halves, const Extranonce& extranonce) {
  ByteVec bytes;
  bytes.reserve(halves.prefix.size() + extranonce.size() + halves.suffix.size());
  append(bytes, halves.prefix);
  append(bytes, extranonce);
  append(bytes, halves.suffix);
  return bytes;
}

}  // namespace

Result<CoinbaseHalves> build_coinbase(const CoinbasePlan& plan) {
  if (Status status = check_outputs(plan.outputs); !status) return status.error();
  const Result<Script> front = script_sig_front(plan);
  if (!front) return front.error();

  CoinbaseHalves halves;
  append_le(halves.prefix, kVersion);
  append_compact_size(halves.prefix, 1);
  append(halves.prefix, Txid{}.bytes);
  append_le(halves.prefix, kNullIndex);
  append_compact_size(halves.prefix, front->size() + kExtranonceSize);
  append(halves.prefix, *front);

  append_le(halves.suffix, kSequence);
  append_compact_size(halves.suffix, plan.outputs.size() + (plan.witness_commitment ? 1 : 0));
  for (const TxOut& out : plan.outputs) append_tx_out(halves.suffix, out);
  if (plan.witness_commitment) {
    append_tx_out(halves.suffix, {Satoshi{}, commitment_script(*plan.witness_commitment)});
  }
  append_le(halves.suffix, plan.height == 0 ? 0 : plan.height - 1);
  return halves;
}

Txid coinbase_txid(const CoinbaseHalves& halves, const Extranonce& extranonce) {
  Sha256 hash;
  hash.write(halves.prefix).write(extranonce).write(halves.suffix);
  return {hash.finish_double()};
}

ByteVec coinbase_for_block(const CoinbaseHalves& halves, const Extranonce& extranonce,
                           bool has_commitment) {
  ByteVec bytes = joined(halves, extranonce);
  if (!has_commitment) return bytes;
  CHECK(bytes.size() > kVersionSize + kLockTimeSize);
  bytes.insert(bytes.end() - kLockTimeSize, kReservedWitness.begin(), kReservedWitness.end());
  bytes.insert(bytes.begin() + kVersionSize, kMarkerAndFlag.begin(), kMarkerAndFlag.end());
  return bytes;
}

}  // namespace adit
