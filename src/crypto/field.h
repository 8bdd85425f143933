// SPDX-License-Identifier: MIT
// Arithmetic modulo p = 2^256 - 2^32 - 977, the field of secp256k1, for ElligatorSwift's formulas.
// Public values only: branches depend on them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "adit/base/bytes.h"

namespace adit {

class Field {
 public:
  constexpr Field() = default;
  constexpr explicit Field(std::uint64_t small) : limbs_{small, 0, 0, 0} {}
  /// 32 bytes big-endian, reduced modulo p.
  static Field from_bytes(std::span<const std::uint8_t, 32> bytes);
  static constexpr Field from_limbs(std::array<std::uint64_t, 4> reduced) {
    Field out;
    out.limbs_ = reduced;
    return out;
  }
  std::array<std::uint8_t, 32> bytes() const;

  bool is_zero() const { return (limbs_[0] | limbs_[1] | limbs_[2] | limbs_[3]) == 0; }
  bool operator==(const Field&) const = default;
  friend Field operator+(const Field& a, const Field& b);
  friend Field operator-(const Field& a, const Field& b);
  friend Field operator*(const Field& a, const Field& b);
  Field operator-() const { return Field{} - *this; }
  Field squared() const { return *this * *this; }
  Field half() const;
  /// Zero for zero.
  Field inverse() const;
  /// One of the two roots (which of them is fixed); nullopt for a number that is no square.
  std::optional<Field> sqrt() const;
  bool is_square() const { return sqrt().has_value(); }

 private:
  std::array<std::uint64_t, 4> limbs_{};  // least significant first, below p
};

}  // namespace adit
