// SPDX-License-Identifier: MIT
// Target, nBits, Work and Difficulty. A hash meets a target when, read as a little-endian number,
// it is not above it. Difficulty 1 is the target 0xFFFF * 2^208 ("bdiff"), as every V1 firmware
// means it.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "adit/base/strong.h"
#include "adit/bitcoin/hash.h"
#include "adit/bitcoin/u256.h"

namespace adit {

/// nBits as it stands in a header.
using CompactTarget = Strong<std::uint32_t, struct CompactTargetTag>;

class Target {
 public:
  constexpr Target() = default;  ///< zero: met by nothing but the zero hash
  explicit Target(const U256& value) : value_(value) {}
  /// nullopt for negative, overflowing or zero compact forms (Core arith_uint256::SetCompact).
  static std::optional<Target> from_compact(CompactTarget bits);
  /// Rounds down, as Core's GetCompact.
  CompactTarget to_compact() const;
  /// 64 hex digits, most significant first (getblocktemplate's "target", mining.suggest_target).
  static std::optional<Target> from_hex(std::string_view text);
  std::string hex() const;
  static Target max() { return Target(U256::max()); }
  static Target difficulty_one();

  const U256& value() const& { return value_; }
  U256 value() && { return value_; }  ///< of a temporary: never a dangling reference
  auto operator<=>(const Target&) const = default;

 private:
  U256 value_;
};

template <class Tag>
inline bool meets(const HashOf<Tag>& hash, const Target& target) {
  return U256::from_le(hash.bytes.data()) <= target.value();
}

/// Expected hashes: floor(2^256 / (target + 1)), in 128 bits, saturating at 2^128 - 1. The only
/// unit of credit. Sums are checked.
class Work {
 public:
  constexpr Work() = default;
  constexpr explicit Work(Uint128 value) : value_(value) {}
  static Work of(const Target& target);
  /// The work a hash proves: that of the target equal to the hash itself.
  template <class Tag>
  static Work proved_by(const HashOf<Tag>& hash) {
    return of(Target(U256::from_le(hash.bytes.data())));
  }
  constexpr Uint128 value() const { return value_; }
  constexpr auto operator<=>(const Work&) const = default;
  Work& operator+=(Work more);
  std::string decimal() const;
  static std::optional<Work> from_decimal(std::string_view text);

 private:
  Uint128 value_ = 0;
};
Work operator+(Work a, Work b);

/// A difficulty as people and firmware write it, exact: mantissa * 10^exponent with 1 <= mantissa <
/// 10^18 and -30 <= exponent <= 30 (zero is not a difficulty).
class Difficulty {
 public:
  /// 1.
  constexpr Difficulty() = default;
  /// Decimal with optional fraction and exponent ("0.00016", "1e-10", "1024", "1E3"). nullopt:
  /// empty, sign, NaN, hex, zero, out of range, more than 40 characters. Digits past the 18th are
  /// dropped.
  static std::optional<Difficulty> parse(std::string_view text);
  /// value >= 1 (CHECK); digits past the 18th are dropped.
  static Difficulty from_u64(std::uint64_t value);
  /// The nearest difficulty to a finite positive double that firmware reads back without loss:
  /// whole numbers above 1, at most six significant digits below. For vardiff; CHECK on non-finite
  /// or <= 0.
  static Difficulty from_estimate(double value);
  /// The difficulty of a target, rounded down to 18 significant digits: for messages and
  /// statistics.
  static Difficulty of(const Target& target);

  /// Without its fraction, or with it made whole: much firmware cuts off what stands behind the
  /// point. Below 1 the value itself.
  Difficulty whole_below() const { return whole(0); }
  Difficulty whole_above() const { return whole(1); }

  /// floor(0xFFFF * 2^208 / difficulty), at most 2^256 - 1 and at least 1.
  Target to_target() const;
  /// Shortest plain text that parse() reads back as the same value: "0.00016", "1024"; "1e-10".
  std::string text() const;
  /// For statistics and vardiff only.
  double approximate() const;
  std::strong_ordering operator<=>(const Difficulty& other) const;
  bool operator==(const Difficulty& other) const { return (*this <=> other) == 0; }

 private:
  /// Strips trailing zeros, so that equal values have equal members; nullopt when out of range.
  static std::optional<Difficulty> make(std::uint64_t mantissa, std::int32_t exponent);
  Difficulty whole(std::uint64_t for_a_fraction) const;

  std::uint64_t mantissa_ = 1;
  std::int32_t exponent_ = 0;
};

}  // namespace adit
