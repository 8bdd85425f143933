// SPDX-License-Identifier: MIT
// BlockHeader: 80 bytes in, 80 bytes out, and its hash.
#pragma once

#include <array>

#include "adit/bitcoin/hash.h"
#include "adit/bitcoin/target.h"

namespace adit {

using HeaderBytes = std::array<std::uint8_t, 80>;

struct BlockHeader {
  std::int32_t version = 0;
  BlockHash prev;
  MerkleRoot merkle_root;
  std::uint32_t time = 0;
  CompactTarget bits;
  std::uint32_t nonce = 0;

  HeaderBytes bytes() const;
  static BlockHeader from_bytes(const HeaderBytes& bytes);
  BlockHash hash() const;
  bool operator==(const BlockHeader&) const = default;
};

}  // namespace adit
