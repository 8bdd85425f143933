// SPDX-License-Identifier: MIT
// Transactions to bytes and back (BIP144).
#include "adit/bitcoin/transaction.h"

#include <algorithm>

#include "adit/crypto/sha256.h"

namespace adit {
namespace {

// The fewest bytes one of each can take; a count above what the rest can hold is refused unread.
constexpr std::size_t kMinInput = 32 + 4 + 1 + 4;
constexpr std::size_t kMinOutput = 8 + 1;
constexpr std::size_t kMinWitnessItem = 1;

void append_bytes(ByteVec& out, Bytes data) {
  append_compact_size(out, data.size());
  append(out, data);
}

void append_body(ByteVec& out, const Transaction& tx) {
  append_compact_size(out, tx.inputs.size());
  for (const TxIn& in : tx.inputs) {
    append(out, in.previous.txid.bytes);
    append_le(out, in.previous.index);
    append_bytes(out, in.script_sig);
    append_le(out, in.sequence);
  }
  append_compact_size(out, tx.outputs.size());
  for (const TxOut& tx_out : tx.outputs) append_tx_out(out, tx_out);
}

std::size_t base_size(const Transaction& tx) {
  std::size_t size = 4 + 4 + compact_size_length(tx.inputs.size());
  for (const TxIn& in : tx.inputs) {
    size += 40 + compact_size_length(in.script_sig.size()) + in.script_sig.size();
  }
  size += compact_size_length(tx.outputs.size());
  for (const TxOut& out : tx.outputs) {
    size += 8 + compact_size_length(out.script.size()) + out.script.size();
  }
  return size;
}

/// Marker, flag and the witnesses; 0 where there is none.
std::size_t witness_size(const Transaction& tx) {
  if (!tx.has_witness()) return 0;
  std::size_t size = 2;
  for (const TxIn& in : tx.inputs) {
    size += compact_size_length(in.witness.size());
    for (const ByteVec& item : in.witness) size += compact_size_length(item.size()) + item.size();
  }
  return size;
}

/// A count whose elements can fit in what is left; otherwise the reader fails.
std::size_t read_count(ByteReader& reader, std::size_t min_size) {
  const std::uint64_t count = reader.compact_size();
  if (count > reader.remaining() / min_size) {
    reader.fail();
    return 0;
  }
  return static_cast<std::size_t>(count);
}

ByteVec read_bytes(ByteReader& reader) {
  const Bytes bytes = reader.take(read_count(reader, 1));
  return {bytes.begin(), bytes.end()};
}

TxIn read_input(ByteReader& reader) {
  TxIn in;
  const Bytes txid = reader.take(32);
  std::copy(txid.begin(), txid.end(), in.previous.txid.bytes.begin());
  in.previous.index = reader.le<std::uint32_t>();
  in.script_sig = read_bytes(reader);
  in.sequence = reader.le<std::uint32_t>();
  return in;
}

void read_inputs(ByteReader& reader, std::size_t count, std::vector<TxIn>& inputs) {
  inputs.reserve(count);
  for (std::size_t i = 0; i < count && reader.ok(); ++i) inputs.push_back(read_input(reader));
}

void read_outputs(ByteReader& reader, std::vector<TxOut>& outputs) {
  const std::size_t count = read_count(reader, kMinOutput);
  outputs.reserve(count);
  for (std::size_t i = 0; i < count && reader.ok(); ++i) {
    TxOut out;
    out.value = Satoshi(reader.le<std::int64_t>());
    out.script = read_bytes(reader);
    outputs.push_back(std::move(out));
  }
}

void read_witness(ByteReader& reader, std::vector<ByteVec>& witness) {
  const std::size_t count = read_count(reader, kMinWitnessItem);
  for (std::size_t i = 0; i < count && reader.ok(); ++i) witness.push_back(read_bytes(reader));
}

Error broken(const char* why) {
  return {ErrorCode::Invalid, std::string("transaction does not decode: ") + why};
}

}  // namespace

void append_tx_out(ByteVec& out, const TxOut& tx_out) {
  append_le(out, tx_out.value.value());
  append_bytes(out, tx_out.script);
}

bool Transaction::has_witness() const {
  return std::any_of(inputs.begin(), inputs.end(),
                     [](const TxIn& in) { return !in.witness.empty(); });
}

ByteVec Transaction::serialize() const {
  if (!has_witness()) return serialize_without_witness();
  ByteVec out;
  out.reserve(base_size(*this) + witness_size(*this));
  append_le(out, version);
  out.push_back(0);  // marker: no inputs, as an old parser reads it
  out.push_back(1);  // flag
  append_body(out, *this);
  for (const TxIn& in : inputs) {
    append_compact_size(out, in.witness.size());
    for (const ByteVec& item : in.witness) append_bytes(out, item);
  }
  append_le(out, lock_time);
  return out;
}

ByteVec Transaction::serialize_without_witness() const {
  ByteVec out;
  out.reserve(base_size(*this));
  append_le(out, version);
  append_body(out, *this);
  append_le(out, lock_time);
  return out;
}

Txid Transaction::txid() const { return {sha256d(serialize_without_witness())}; }

Wtxid Transaction::wtxid() const { return {sha256d(serialize())}; }

std::uint64_t Transaction::weight() const { return 4 * base_size(*this) + witness_size(*this); }

Result<Transaction> Transaction::parse(Bytes bytes) {
  ByteReader reader(bytes);
  Result<Transaction> tx = parse(reader);
  if (tx && reader.remaining() != 0) return broken("bytes are left over");
  return tx;
}

Result<Transaction> Transaction::parse(ByteReader& reader) {
  Transaction tx;
  tx.version = reader.le<std::int32_t>();
  std::size_t inputs = read_count(reader, kMinInput);
  const bool with_witness = reader.ok() && inputs == 0;
  if (with_witness) {
    if (reader.u8() != 1) return broken("no inputs, or an unknown flag");
    inputs = read_count(reader, kMinInput);
    if (inputs == 0) return broken("no inputs");
  }
  read_inputs(reader, inputs, tx.inputs);
  read_outputs(reader, tx.outputs);
  for (std::size_t i = 0; with_witness && i < tx.inputs.size(); ++i) {
    read_witness(reader, tx.inputs[i].witness);
  }
  tx.lock_time = reader.le<std::uint32_t>();
  if (!reader.ok()) return broken("it ends early, or a length is wrong");
  if (with_witness && !tx.has_witness()) return broken("a witness flag without a witness");
  return tx;
}

std::optional<std::uint32_t> coinbase_height(const Transaction& transaction) {
  if (transaction.inputs.size() != 1 || transaction.inputs[0].previous != kNoOutPoint)
    return std::nullopt;
  const Script& script = transaction.inputs[0].script_sig;
  if (script.empty()) return std::nullopt;
  std::uint32_t height = 0;
  if (script[0] >= 0x51 && script[0] <= 0x60) {  // OP_1 to OP_16
    height = script[0] - 0x50u;
  } else {
    if (script[0] > 4 || script.size() <= script[0]) return std::nullopt;
    for (std::size_t i = script[0]; i > 0; --i) height = height << 8 | script[i];
  }
  const Script wanted = height_push(height);
  if (!std::equal(
          wanted.begin(), wanted.end(), script.begin(),
          script.begin() + static_cast<std::ptrdiff_t>(std::min(wanted.size(), script.size()))))
    return std::nullopt;
  return height;
}

}  // namespace adit
