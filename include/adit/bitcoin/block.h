// SPDX-License-Identifier: MIT
// A whole block: assembled for submitblock, or taken apart again by checks.
#pragma once

#include <span>
#include <vector>

#include "adit/bitcoin/header.h"
#include "adit/bitcoin/transaction.h"

namespace adit {

struct Block {
  BlockHeader header;
  std::vector<Transaction> transactions;

  ByteVec serialize() const;
  static Result<Block> parse(Bytes bytes);
  MerkleRoot compute_merkle_root() const;
  std::uint64_t weight() const;
};

/// header || count || coinbase || transactions, from bytes that already exist.
ByteVec assemble_block(const HeaderBytes& header, Bytes coinbase_with_witness,
                       std::span<const ByteVec> transactions);

/// The independent second look before a found block is submitted: parses the bytes, recomputes the
/// merkle root, the witness commitment, BIP34 height, weight and the coinbase script's length. An
/// error names the rule by its BIP22 word.
Status check_block(Bytes block, std::uint32_t height);

}  // namespace adit
