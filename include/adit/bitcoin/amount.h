// SPDX-License-Identifier: MIT
// Satoshi: integer money whose arithmetic is checked. An overflow is our bug, hence a CHECK.
#pragma once

#include <compare>
#include <cstdint>

#include "adit/base/check.h"

namespace adit {

class Satoshi {
 public:
  constexpr Satoshi() = default;
  constexpr explicit Satoshi(std::int64_t value) : value_(value) {}
  constexpr std::int64_t value() const { return value_; }
  constexpr auto operator<=>(const Satoshi&) const = default;

  friend Satoshi operator+(Satoshi a, Satoshi b) {
    std::int64_t sum = 0;
    ADIT_CHECK(!__builtin_add_overflow(a.value_, b.value_, &sum));
    return Satoshi(sum);
  }
  friend Satoshi operator-(Satoshi a, Satoshi b) {
    std::int64_t difference = 0;
    ADIT_CHECK(!__builtin_sub_overflow(a.value_, b.value_, &difference));
    return Satoshi(difference);
  }
  Satoshi& operator+=(Satoshi b) { return *this = *this + b; }
  Satoshi& operator-=(Satoshi b) { return *this = *this - b; }

 private:
  std::int64_t value_ = 0;
};

inline constexpr std::int64_t kCoin = 100'000'000;
inline constexpr Satoshi kMaxMoney{21'000'000 * kCoin};

}  // namespace adit
