// SPDX-License-Identifier: MIT
// Targets in their compact and hexadecimal forms, and the work they stand for.
#include "adit/bitcoin/target.h"

#include <algorithm>

#include "adit/base/check.h"

namespace adit {

std::optional<Target> Target::from_compact(CompactTarget bits) {
  const std::uint32_t compact = bits.value();
  const unsigned size = compact >> 24;
  std::uint32_t word = compact & 0x007fffff;
  if (size <= 3) word >>= 8 * (3 - size);
  if (word == 0 || (compact & 0x00800000) != 0) return std::nullopt;
  if (size > 34 || (word > 0xff && size > 33) || (word > 0xffff && size > 32)) return std::nullopt;
  const U256 value = U256::from(word);
  return Target(size <= 3 ? value : value << 8 * (size - 3));
}

CompactTarget Target::to_compact() const {
  unsigned size = static_cast<unsigned>(value_.bit_length() + 7) / 8;
  std::uint64_t word =
      size <= 3 ? value_.limb[0] << 8 * (3 - size) : (value_ >> 8 * (size - 3)).limb[0];
  // Bit 23 is the sign: where the number would set it, one byte fewer is kept.
  if ((word & 0x00800000) != 0) {
    word >>= 8;
    ++size;
  }
  return CompactTarget(static_cast<std::uint32_t>(word) | size << 24);
}

std::optional<Target> Target::from_hex(std::string_view text) {
  const auto number = Hash256::from_hex(text);
  if (!number) return std::nullopt;
  return Target(U256::from_le(number->bytes.data()));
}

std::string Target::hex() const { return to_hex_reversed(value_.to_le()); }

Target Target::difficulty_one() { return Target(U256::from(0xffff) << 208); }

Work Work::of(const Target& target) {
  const U256& t = target.value();
  // Below 2^128 the quotient does not fit 128 bits.
  if ((t.limb[2] | t.limb[3]) == 0) return Work(~Uint128{0});
  const U256 divisor = t + U256::from(1);
  if (divisor.is_zero()) return Work(1);
  // 2^256 does not fit 256 bits, but 2^256 = (2^256 - 1 - t) + (t + 1).
  const U256 quotient = divide(~t, divisor) + U256::from(1);
  return Work(Uint128{quotient.limb[1]} << 64 | quotient.limb[0]);
}

Work operator+(Work a, Work b) {
  Uint128 sum = 0;
  CHECK(!__builtin_add_overflow(a.value(), b.value(), &sum));
  return Work(sum);
}

Work& Work::operator+=(Work more) { return *this = *this + more; }

std::string Work::decimal() const {
  std::string out;
  Uint128 rest = value_;
  do {
    out += static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  } while (rest != 0);
  std::reverse(out.begin(), out.end());
  return out;
}

std::optional<Work> Work::from_decimal(std::string_view text) {
  if (text.empty() || text.size() > 39 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  Uint128 value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<unsigned>(c - '0');
    if (__builtin_mul_overflow(value, Uint128{10}, &value)) return std::nullopt;
    if (__builtin_add_overflow(value, Uint128{digit}, &value)) return std::nullopt;
  }
  return Work(value);
}

}  // namespace adit
