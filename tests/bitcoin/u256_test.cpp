// SPDX-License-Identifier: MIT
// 256-bit arithmetic against naive twins that work bit by bit.
#include "adit/bitcoin/u256.h"

#include <doctest/doctest.h>

#include "random.h"

using namespace adit;

namespace {

U256 number(std::string_view hex) {
  const auto h = Hash256::from_hex(std::string(64 - hex.size(), '0') + std::string(hex));
  REQUIRE(h);
  return U256::from_le(h->bytes.data());
}

bool bit(const U256& v, unsigned i) { return (v.limb[i / 64] >> i % 64 & 1) != 0; }

U256 slow_divide(const U256& a, const U256& b) {
  U256 quotient;
  U256 rest;
  for (unsigned i = 256; i-- > 0;) {
    const bool carry = bit(rest, 255);
    rest = rest << 1;
    rest.limb[0] |= bit(a, i) ? 1 : 0;
    if (!carry && rest < b) continue;
    rest = rest - b;
    quotient.limb[i / 64] |= 1ull << i % 64;
  }
  return quotient;
}

U256 slow_shift(const U256& a, unsigned bits, bool left) {
  U256 out;
  for (unsigned i = 0; i < 256; ++i) {
    const unsigned from = left ? i - bits : i + bits;
    if (from < 256 && bit(a, from)) out.limb[i / 64] |= 1ull << i % 64;
  }
  return out;
}

}  // namespace

TEST_CASE("U256: order, length, bytes") {
  CHECK(U256{}.is_zero());
  CHECK(U256{}.bit_length() == 0);
  CHECK(U256::from(1).bit_length() == 1);
  CHECK(U256::from(0xff).bit_length() == 8);
  CHECK((U256::from(1) << 255).bit_length() == 256);
  CHECK(U256::from(~0ull) < (U256::from(1) << 64));
  CHECK((U256::from(1) << 192) > U256::from_u128(~Uint128{0}));
  CHECK(U256::max() > number("fe"));
  const U256 v = number("0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20");
  CHECK(v.limb[0] == 0x191a1b1c1d1e1f20ull);
  CHECK(v.to_le()[0] == 0x20);
  CHECK(U256::from_le(v.to_le().data()) == v);
}

TEST_CASE("U256: shifts by every count agree with bit moves") {
  test::Random random(1);
  for (unsigned bits = 0; bits <= 256; ++bits) {
    const U256 v = random.number();
    CHECK((v << bits) == slow_shift(v, bits, true));
    CHECK((v >> bits) == slow_shift(v, bits, false));
  }
  CHECK((U256::max() << 1000).is_zero());
  CHECK((U256::max() >> 1000).is_zero());
}

TEST_CASE("U256: sums and differences wrap and undo each other") {
  CHECK((U256::max() + U256::from(1)).is_zero());
  CHECK((U256{} - U256::from(1)) == U256::max());
  CHECK(~U256{} == U256::max());
  test::Random random(2);
  for (int i = 0; i < 2000; ++i) {
    const U256 a = random.number();
    const U256 b = random.number();
    CHECK((a + b) - b == a);
    CHECK(a - a == U256{});
    CHECK((a - b) + b == a);
    CHECK((a < b) == (a - b > a));
  }
}

TEST_CASE("U256: division agrees with long division by bits") {
  CHECK(divide(U256::max(), U256::max()) == U256::from(1));
  CHECK(divide(U256::max(), U256::from(1)) == U256::max());
  CHECK(divide(U256{}, U256::max()).is_zero());
  // Hacker's Delight's cases where the trial digit is one too large and must be given back.
  const U256 add_back = number("800000000000000000000000000000000000000000000003");
  CHECK(divide(add_back, number("200000000000000000000000000000000000000000000001")) ==
        slow_divide(add_back, number("200000000000000000000000000000000000000000000001")));
  // The dividend starts with the divisor's own limbs: the trial digit does not fit 64 bits.
  const U256 same{{5, 3, 1ull << 63, 0}};
  const U256 just_below{{7, 4, 3, 1ull << 63}};
  CHECK(divide(just_below, same) == U256::from(~0ull));
  test::Random random(3);
  for (int i = 0; i < 4000; ++i) {
    const U256 b = random.number();
    if (b.is_zero()) continue;
    // Every other dividend is just below a multiple, where digits are hardest to guess.
    const U256 near = (b << static_cast<unsigned>(random.below(256))) - U256::from(random.below(9));
    const U256 a = i % 2 == 0 ? random.number() : near;
    const U256 q = divide(a, b);
    CHECK(q == slow_divide(a, b));
    bool overflow = true;
    const U256 product = multiply(q, b, overflow);
    CHECK_FALSE(overflow);
    CHECK(product <= a);
    CHECK(a - product < b);
  }
}

TEST_CASE("U256: a product says when it is cut") {
  bool overflow = false;
  CHECK(multiply(U256::max(), U256::from(2), overflow) == U256::max() - U256::from(1));
  CHECK(overflow);
  CHECK(multiply(U256::from(1) << 127, U256::from(1) << 128, overflow) == U256::from(1) << 255);
  CHECK_FALSE(overflow);
  (void)multiply(U256::from(1) << 128, U256::from(1) << 128, overflow);
  CHECK(overflow);
  CHECK(multiply(U256::from(~0ull), U256::from(~0ull), overflow) ==
        number("fffffffffffffffe0000000000000001"));
  CHECK_FALSE(overflow);
}
