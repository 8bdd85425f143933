// SPDX-License-Identifier: MIT
// Wide: 384 bits, for the few products of difficulty arithmetic that are longer than a U256
// (0xFFFF * 2^208 * 10^30 has 324 bits).
#pragma once

#include <array>
#include <cstdint>

#include "adit/bitcoin/u256.h"

namespace adit {

struct Wide {
  std::array<std::uint64_t, 6> limb{};  ///< least significant first

  static Wide from(const U256& v) { return {{v.limb[0], v.limb[1], v.limb[2], v.limb[3], 0, 0}}; }
  bool fits_u256() const { return (limb[4] | limb[5]) == 0; }
  U256 low_u256() const { return {{limb[0], limb[1], limb[2], limb[3]}}; }
  bool is_zero() const { return fits_u256() && low_u256().is_zero(); }

  /// The caller knows that the product fits.
  void multiply(std::uint64_t factor) {
    std::uint64_t carry = 0;
    for (auto& l : limb) {
      const Uint128 product = Uint128{l} * factor + carry;
      l = static_cast<std::uint64_t>(product);
      carry = static_cast<std::uint64_t>(product >> 64);
    }
  }
  /// floor(this / divisor); divisor > 0.
  void divide(std::uint64_t divisor) {
    std::uint64_t rest = 0;
    for (std::size_t i = limb.size(); i > 0; --i) {
      const Uint128 part = Uint128{rest} << 64 | limb[i - 1];
      limb[i - 1] = static_cast<std::uint64_t>(part / divisor);
      rest = static_cast<std::uint64_t>(part % divisor);
    }
  }
  /// Takes `v` off when this is not less; says whether it did.
  bool subtract_if_not_less(const U256& v) {
    if (fits_u256() && low_u256() < v) return false;
    std::uint64_t borrow = 0;
    for (std::size_t i = 0; i < limb.size(); ++i) {
      const Uint128 difference = Uint128{limb[i]} - (i < 4 ? v.limb[i] : 0) - borrow;
      limb[i] = static_cast<std::uint64_t>(difference);
      borrow = static_cast<std::uint64_t>(difference >> 64) & 1;
    }
    return true;
  }
};

}  // namespace adit
