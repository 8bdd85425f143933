// SPDX-License-Identifier: MIT
// nBits, targets and work.
#include "adit/bitcoin/target.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "random.h"

using namespace adit;

namespace {

Target from_bits(std::uint32_t bits) {
  const auto target = Target::from_compact(CompactTarget(bits));
  REQUIRE(target);
  return *target;
}

}  // namespace

TEST_CASE("compact: negative, overflowing and zero forms are refused (arith_uint256_tests)") {
  for (const std::uint32_t bits :
       {0x00000000u, 0x00123456u, 0x01003456u, 0x02000056u, 0x03000000u, 0x04000000u, 0x00923456u,
        0x01803456u, 0x02800056u, 0x03800000u, 0x04800000u, 0x01fedcbau, 0x04923456u, 0xff123456u,
        0x23000001u, 0x22000100u, 0x21010000u}) {
    CHECK_FALSE(Target::from_compact(CompactTarget(bits)));
  }
}

TEST_CASE("compact: values and their shortest form (arith_uint256_tests)") {
  struct Case {
    std::uint32_t bits;
    const char* value;
    std::uint32_t again;
  };
  for (const Case& c : {
           Case{0x01123456, "12", 0x01120000},
           Case{0x02123456, "1234", 0x02123400},
           Case{0x03123456, "123456", 0x03123456},
           Case{0x04123456, "12345600", 0x04123456},
           Case{0x05009234, "92340000", 0x05009234},
           Case{0x02008000, "80", 0x02008000},
           Case{0x20123456, "1234560000000000000000000000000000000000000000000000000000000000",
                0x20123456},
           Case{0x1d00ffff, "ffff0000000000000000000000000000000000000000000000000000", 0x1d00ffff},
           Case{0x207fffff, "7fffff0000000000000000000000000000000000000000000000000000000000",
                0x207fffff},
           Case{0x220000ff, "ff00000000000000000000000000000000000000000000000000000000000000",
                0x2100ff00},
           Case{0x2100ffff, "ffff000000000000000000000000000000000000000000000000000000000000",
                0x2100ffff},
       }) {
    const std::string value = c.value;
    CHECK(from_bits(c.bits).hex() == std::string(64 - value.size(), '0') + value);
    CHECK(from_bits(c.bits).to_compact() == CompactTarget(c.again));
  }
  CHECK(Target().to_compact() == CompactTarget(0));
}

TEST_CASE("compact: rounds down and loses nothing but low bits") {
  test::Random random(4);
  for (int i = 0; i < 3000; ++i) {
    const Target target(random.number());
    const CompactTarget bits = target.to_compact();
    if (target.value().is_zero()) continue;
    const auto back = Target::from_compact(bits);
    REQUIRE(back);
    CHECK(*back <= target);
    CHECK(back->to_compact() == bits);
    const int length = target.value().bit_length();
    CHECK((target.value() - back->value()).bit_length() <= std::max(0, length - 15));
  }
}

TEST_CASE("target: hex and comparison with a hash") {
  const std::string hex = "00000000ffff0000000000000000000000000000000000000000000000000000";
  CHECK(Target::difficulty_one().hex() == hex);
  CHECK(Target::from_hex(hex) == Target::difficulty_one());
  CHECK_FALSE(Target::from_hex(hex.substr(1)));
  CHECK_FALSE(Target::from_hex("0x" + hex.substr(2)));
  const Target one = Target::difficulty_one();
  CHECK(meets(*BlockHash::from_hex(hex), one));
  CHECK(meets(BlockHash{}, Target()));
  CHECK(meets(
      *BlockHash::from_hex("00000000fffeffffffffffffffffffffffffffffffffffffffffffffffffffff"),
      one));
  CHECK_FALSE(meets(
      *BlockHash::from_hex("00000000ffff0000000000000000000000000000000000000000000000000001"),
      one));
  CHECK_FALSE(meets(
      *BlockHash::from_hex("0000000100000000000000000000000000000000000000000000000000000000"),
      one));
}

TEST_CASE("work: known figures") {
  CHECK(Work::of(from_bits(0x1d00ffff)).value() == 4295032833u);
  CHECK(Work::of(from_bits(0x207fffff)).value() == 2);
  CHECK(Work::of(from_bits(0x1b0404cb)).value() == 70040908352512u);
  CHECK(Work::of(from_bits(0x170331db)).decimal() == "378410393580124934176862");
  CHECK(Work::of(Target::max()).value() == 1);
  CHECK(Work::of(Target(U256::max() - U256::from(1))).value() == 1);
  CHECK(Work::of(Target(U256::from(1) << 255)).value() == 1);
  CHECK(Work::of(Target((U256::from(1) << 255) - U256::from(1))).value() == 2);
}

TEST_CASE("work: saturates at 2^128 - 1") {
  const Work full(~Uint128{0});
  CHECK(Work::of(Target()) == full);
  CHECK(Work::of(Target(U256::from_u128(~Uint128{0}))) == full);
  CHECK(Work::of(Target((U256::from(1) << 128))) == full);  // 2^256 / (2^128 + 1) = 2^128 - 1
  CHECK(Work::of(Target((U256::from(1) << 128) + U256::from(1))).value() == ~Uint128{0} - 1);
  CHECK(full.decimal() == "340282366920938463463374607431768211455");
  CHECK(Work::proved_by(BlockHash{}) == full);
}

TEST_CASE("work: a hash that meets a target proves at least its work") {
  test::Random random(5);
  for (int i = 0; i < 2000; ++i) {
    const auto hash = random.hash<BlockHash>();
    const Target target(random.number());
    if (meets(hash, target)) CHECK(Work::proved_by(hash) >= Work::of(target));
  }
}

TEST_CASE("work: decimal text is strict") {
  for (const char* text : {"0", "1", "4295032833", "340282366920938463463374607431768211455"}) {
    const auto work = Work::from_decimal(text);
    REQUIRE(work);
    CHECK(work->decimal() == text);
  }
  for (const char* text :
       {"", "00", "01", "-1", "+1", " 1", "1 ", "1.0", "0x1", "1e3",
        "340282366920938463463374607431768211456", "999999999999999999999999999999999999999",
        "1000000000000000000000000000"
        "000000000000"}) {
    CHECK_FALSE(Work::from_decimal(text));
  }
  Work sum(1);
  sum += Work(2);
  CHECK((sum + Work(4)).value() == 7);
}
