// SPDX-License-Identifier: MIT
// A 256-bit unsigned integer: just what targets, work and difficulty need, and exact.
#pragma once

#include <array>
#include <compare>
#include <cstdint>

#include "adit/base/bytes.h"

namespace adit {

__extension__ typedef unsigned __int128 Uint128;

struct U256 {
  std::array<std::uint64_t, 4> limb{};  ///< least significant first

  static U256 from(std::uint64_t low) { return {{low, 0, 0, 0}}; }
  static U256 from_u128(Uint128 v) {
    return {{static_cast<std::uint64_t>(v), static_cast<std::uint64_t>(v >> 64), 0, 0}};
  }
  static U256 max() { return {{~0ull, ~0ull, ~0ull, ~0ull}}; }
  static U256 from_le(const std::uint8_t* bytes32) {
    return {{load_le<std::uint64_t>(bytes32), load_le<std::uint64_t>(bytes32 + 8),
             load_le<std::uint64_t>(bytes32 + 16), load_le<std::uint64_t>(bytes32 + 24)}};
  }
  std::array<std::uint8_t, 32> to_le() const;

  std::strong_ordering operator<=>(const U256& o) const {
    for (int i = 3; i > 0; --i)
      if (limb[i] != o.limb[i]) return limb[i] <=> o.limb[i];
    return limb[0] <=> o.limb[0];
  }
  bool operator==(const U256&) const = default;
  bool is_zero() const { return (limb[0] | limb[1] | limb[2] | limb[3]) == 0; }
  int bit_length() const;
};

U256 operator<<(const U256& a, unsigned bits);
U256 operator>>(const U256& a, unsigned bits);
U256 operator+(const U256& a, const U256& b);  ///< wraps
U256 operator-(const U256& a, const U256& b);  ///< wraps
U256 operator~(const U256& a);
/// Truncated product and whether anything was cut off.
U256 multiply(const U256& a, const U256& b, bool& overflow);
/// floor(a / b); b must not be zero (CHECK).
U256 divide(const U256& a, const U256& b);

}  // namespace adit
