// SPDX-License-Identifier: MIT
// The 32-byte hashes of Bitcoin as distinct types. Bytes are in internal order (as SHA-256d wrote
// them, as they stand in headers); text is in display order, reversed, as nodes print it.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "adit/base/bytes.h"

namespace adit {

template <class Tag>
struct HashOf {
  std::array<std::uint8_t, 32> bytes{};

  auto operator<=>(const HashOf&) const = default;
  /// 64 hex digits in display order.
  std::string hex() const { return to_hex_reversed(bytes); }
  /// Exactly 64 hex digits in display order.
  static std::optional<HashOf> from_hex(std::string_view text) {
    HashOf h;
    if (text.size() != 64 || !adit::from_hex(text, h.bytes)) return std::nullopt;
    for (int i = 0; i < 16; ++i) std::swap(h.bytes[i], h.bytes[31 - i]);
    return h;
  }
  template <class Other>
  static HashOf from(const HashOf<Other>& other) {
    return {other.bytes};
  }
};

using Hash256 = HashOf<struct AnyHashTag>;
using BlockHash = HashOf<struct BlockHashTag>;
using Txid = HashOf<struct TxidTag>;
using Wtxid = HashOf<struct WtxidTag>;
using MerkleRoot = HashOf<struct MerkleRootTag>;

}  // namespace adit

template <class Tag>
struct std::hash<adit::HashOf<Tag>> {
  /// The low bytes of a block hash are as good as random; the high ones are zero.
  std::size_t operator()(const adit::HashOf<Tag>& h) const noexcept {
    return adit::load_le<std::uint64_t>(h.bytes.data());
  }
};
