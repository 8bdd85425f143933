// SPDX-License-Identifier: MIT
// Blocks to bytes and back.
#include "adit/bitcoin/block.h"

#include <algorithm>

#include "adit/bitcoin/merkle.h"

namespace adit {
namespace {

constexpr std::size_t kMinTransaction = 4 + 1 + 41 + 1 + 4;

Error broken(std::string why) {
  return {ErrorCode::Invalid, "block does not decode: " + std::move(why)};
}

}  // namespace

ByteVec Block::serialize() const {
  ByteVec out;
  append(out, header.bytes());
  append_compact_size(out, transactions.size());
  for (const Transaction& tx : transactions) append(out, tx.serialize());
  return out;
}

Result<Block> Block::parse(Bytes bytes) {
  ByteReader reader(bytes);
  Block block;
  HeaderBytes header;
  const Bytes head = reader.take(header.size());
  if (!reader.ok()) return broken("it is shorter than a header");
  std::copy(head.begin(), head.end(), header.begin());
  block.header = BlockHeader::from_bytes(header);
  const std::uint64_t count = reader.compact_size();
  if (!reader.ok() || count > reader.remaining() / kMinTransaction) {
    return broken("the transaction count is wrong");
  }
  block.transactions.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i) {
    Result<Transaction> tx = Transaction::parse(reader);
    if (!tx) return broken("transaction " + std::to_string(i) + ": " + tx.error().text);
    block.transactions.push_back(*std::move(tx));
  }
  if (reader.remaining() != 0) return broken("bytes are left over");
  return block;
}

MerkleRoot Block::compute_merkle_root() const {
  std::vector<Hash256> leaves;
  leaves.reserve(transactions.size() + 1);
  for (const Transaction& tx : transactions) leaves.push_back(Hash256::from(tx.txid()));
  return MerkleRoot::from(merkle_root(std::move(leaves)));
}

std::uint64_t Block::weight() const {
  std::uint64_t weight = 4 * (80 + compact_size_length(transactions.size()));
  for (const Transaction& tx : transactions) weight += tx.weight();
  return weight;
}

ByteVec assemble_block(const HeaderBytes& header, Bytes coinbase_with_witness,
                       std::span<const ByteVec> transactions) {
  std::size_t size = header.size() + 9 + coinbase_with_witness.size();
  for (const ByteVec& tx : transactions) size += tx.size();
  ByteVec out;
  out.reserve(size);
  append(out, header);
  append_compact_size(out, 1 + transactions.size());
  append(out, coinbase_with_witness);
  for (const ByteVec& tx : transactions) append(out, tx);
  return out;
}

}  // namespace adit
