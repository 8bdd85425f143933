// SPDX-License-Identifier: MIT
// 256-bit arithmetic on four 64-bit limbs. Division is Knuth's algorithm D (TAOCP 2, 4.3.1),
// because the ledger divides once a share.
#include "adit/bitcoin/u256.h"

#include "adit/base/check.h"

namespace adit {
namespace {

constexpr std::uint64_t low(Uint128 v) { return static_cast<std::uint64_t>(v); }
constexpr std::uint64_t high(Uint128 v) { return static_cast<std::uint64_t>(v >> 64); }

int limbs_used(const U256& v) {
  int n = 4;
  while (n > 0 && v.limb[n - 1] == 0) --n;
  return n;
}

U256 divide_small(const U256& a, std::uint64_t b) {
  U256 quotient;
  std::uint64_t rest = 0;
  for (int i = 3; i >= 0; --i) {
    const Uint128 part = Uint128{rest} << 64 | a.limb[i];
    quotient.limb[i] = low(part / b);
    rest = low(part % b);
  }
  return quotient;
}

/// Step D3: the trial digit for u[0..n] / v[0..n-1], at most one too large.
std::uint64_t trial_digit(const std::uint64_t* u, const std::uint64_t* v, int n) {
  const Uint128 top = Uint128{u[n]} << 64 | u[n - 1];
  Uint128 digit = top / v[n - 1];
  Uint128 rest = top % v[n - 1];
  while (high(digit) != 0 || digit * v[n - 2] > (rest << 64 | u[n - 2])) {
    --digit;
    rest += v[n - 1];
    if (high(rest) != 0) break;
  }
  return low(digit);
}

/// Steps D4 to D6: u -= digit * v, and one v back when that was one too much.
std::uint64_t subtract_multiple(std::uint64_t* u, const std::uint64_t* v, int n,
                                std::uint64_t digit) {
  std::uint64_t carry = 0;
  std::uint64_t borrow = 0;
  for (int i = 0; i <= n; ++i) {
    const Uint128 product = Uint128{digit} * (i < n ? v[i] : 0) + carry;
    carry = high(product);
    const Uint128 difference = Uint128{u[i]} - low(product) - borrow;
    u[i] = low(difference);
    borrow = high(difference) & 1;
  }
  if (borrow == 0) return digit;
  std::uint64_t up = 0;
  for (int i = 0; i <= n; ++i) {
    const Uint128 sum = Uint128{u[i]} + (i < n ? v[i] : 0) + up;
    u[i] = low(sum);
    up = high(sum);
  }
  return digit - 1;
}

}  // namespace

std::array<std::uint8_t, 32> U256::to_le() const {
  std::array<std::uint8_t, 32> out;
  for (std::size_t i = 0; i < 4; ++i) store_le(out.data() + 8 * i, limb[i]);
  return out;
}

int U256::bit_length() const {
  const int n = limbs_used(*this);
  return n == 0 ? 0 : 64 * n - std::countl_zero(limb[n - 1]);
}

U256 operator<<(const U256& a, unsigned bits) {
  U256 out;
  const unsigned whole = bits / 64;
  const unsigned part = bits % 64;
  for (unsigned i = whole; i < 4; ++i) {
    out.limb[i] = a.limb[i - whole] << part;
    if (part != 0 && i > whole) out.limb[i] |= a.limb[i - whole - 1] >> (64 - part);
  }
  return out;
}

U256 operator>>(const U256& a, unsigned bits) {
  U256 out;
  const unsigned whole = bits / 64;
  const unsigned part = bits % 64;
  for (unsigned i = 0; i + whole < 4; ++i) {
    out.limb[i] = a.limb[i + whole] >> part;
    if (part != 0 && i + whole < 3) out.limb[i] |= a.limb[i + whole + 1] << (64 - part);
  }
  return out;
}

U256 operator+(const U256& a, const U256& b) {
  U256 out;
  std::uint64_t carry = 0;
  for (int i = 0; i < 4; ++i) {
    const Uint128 sum = Uint128{a.limb[i]} + b.limb[i] + carry;
    out.limb[i] = low(sum);
    carry = high(sum);
  }
  return out;
}

U256 operator-(const U256& a, const U256& b) { return a + ~b + U256::from(1); }

U256 operator~(const U256& a) { return {{~a.limb[0], ~a.limb[1], ~a.limb[2], ~a.limb[3]}}; }

U256 multiply(const U256& a, const U256& b, bool& overflow) {
  std::array<std::uint64_t, 8> product{};
  for (int i = 0; i < 4; ++i) {
    std::uint64_t carry = 0;
    for (int j = 0; j < 4; ++j) {
      const Uint128 sum = Uint128{a.limb[i]} * b.limb[j] + product[i + j] + carry;
      product[i + j] = low(sum);
      carry = high(sum);
    }
    product[i + 4] = carry;
  }
  overflow = (product[4] | product[5] | product[6] | product[7]) != 0;
  return {{product[0], product[1], product[2], product[3]}};
}

U256 divide(const U256& a, const U256& b) {
  const int n = limbs_used(b);
  CHECK(n != 0);
  if (n == 1) return divide_small(a, b.limb[0]);
  // D1: normalise, so that the divisor's top bit is set.
  const unsigned shift = static_cast<unsigned>(std::countl_zero(b.limb[n - 1]));
  const U256 v = b << shift;
  const U256 shifted = a << shift;
  std::array<std::uint64_t, 5> u{shifted.limb[0], shifted.limb[1], shifted.limb[2], shifted.limb[3],
                                 shift == 0 ? 0 : a.limb[3] >> (64 - shift)};
  U256 quotient;
  for (int j = 4 - n; j >= 0; --j) {
    const std::uint64_t digit = trial_digit(&u[j], v.limb.data(), n);
    quotient.limb[j] = subtract_multiple(&u[j], v.limb.data(), n, digit);
  }
  return quotient;
}

}  // namespace adit
