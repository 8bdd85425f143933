// SPDX-License-Identifier: MIT
// Hex, endian helpers, CompactSize and the bounded reader.
#include "adit/base/bytes.h"

#include <doctest/doctest.h>

#include <cctype>

using namespace adit;

TEST_CASE("hex: writes lower case, forwards and reversed") {
  const ByteVec bytes{0x00, 0x01, 0x7f, 0xab, 0xff};
  CHECK(to_hex(bytes) == "00017fabff");
  CHECK(to_hex_reversed(bytes) == "ffab7f0100");
  std::string out = "x";
  append_hex(out, bytes);
  CHECK(out == "x00017fabff");
  CHECK(to_hex({}).empty());
}

TEST_CASE("hex: every byte in every position is judged as isxdigit would") {
  for (int c = 0; c < 256; ++c) {
    for (std::size_t position = 0; position < 4; ++position) {
      std::string text = "0aF9";
      text[position] = static_cast<char>(c);
      const bool good = c < 128 && std::isxdigit(c) != 0;
      CHECK(from_hex(text).has_value() == good);
    }
  }
}

TEST_CASE("hex: refuses odd length, blanks, prefixes, wrong size") {
  CHECK_FALSE(from_hex("abc"));
  CHECK_FALSE(from_hex("0x12"));
  CHECK_FALSE(from_hex(" 12 "));
  CHECK_FALSE(from_hex("-1"));
  CHECK(from_hex("") == ByteVec{});
  CHECK(from_hex("DEADbeef") == ByteVec{0xde, 0xad, 0xbe, 0xef});
  std::array<std::uint8_t, 2> two{};
  CHECK(from_hex("0102", two));
  CHECK_FALSE(from_hex("010203", two));
  CHECK_FALSE(from_hex("01", two));
  CHECK_FALSE(from_hex("01020", two));
}

TEST_CASE("hex_u32: exactly eight digits, big-endian") {
  CHECK(hex_u32("1fffe000") == 0x1fffe000u);
  CHECK(hex_u32("00000001") == 1u);
  CHECK(hex_u32("FFFFFFFF") == 0xffffffffu);
  CHECK_FALSE(hex_u32("1fffe00"));
  CHECK_FALSE(hex_u32("1fffe0000"));
  CHECK_FALSE(hex_u32("0x1fffe0"));
  CHECK_FALSE(hex_u32(""));
}

TEST_CASE("endian: loads and stores") {
  std::array<std::uint8_t, 8> b{1, 2, 3, 4, 5, 6, 7, 8};
  CHECK(load_le<std::uint32_t>(b.data()) == 0x04030201u);
  CHECK(load_be16(b.data()) == 0x0102u);
  CHECK(load_be32(b.data()) == 0x01020304u);
  CHECK(load_be64(b.data()) == 0x0102030405060708ull);
  store_be64(b.data(), 0x1122334455667788ull);
  CHECK(to_hex(b) == "1122334455667788");
  store_be32(b.data(), 0xaabbccdd);
  store_be16(b.data() + 4, 0xeeff);
  CHECK(to_hex(b) == "aabbccddeeff7788");
  ByteVec out;
  append_le(out, std::uint16_t{0x0102});
  append_le(out, std::int32_t{-2});
  CHECK(to_hex(out) == "0201feffffff");
}

TEST_CASE("CompactSize: boundaries go out and come back in the shortest form") {
  const std::pair<std::uint64_t, const char*> cases[] = {
      {0, "00"},
      {0xfc, "fc"},
      {0xfd, "fdfd00"},
      {0xffff, "fdffff"},
      {0x10000, "fe00000100"},
      {0xffffffff, "feffffffff"},
      {0x100000000, "ff0000000001000000"},
      {~0ull, "ffffffffffffffffff"},
  };
  for (const auto& [value, hex] : cases) {
    ByteVec out;
    append_compact_size(out, value);
    CHECK(to_hex(out) == hex);
    CHECK(compact_size_length(value) == out.size());
    ByteReader reader(out);
    CHECK(reader.compact_size() == value);
    CHECK(reader.ok());
    CHECK(reader.remaining() == 0);
    for (std::size_t cut = 0; cut < out.size(); ++cut) {
      ByteReader truncated(Bytes(out).first(cut));
      CHECK(truncated.compact_size() == 0);
      CHECK_FALSE(truncated.ok());
    }
  }
}

TEST_CASE("CompactSize: longer spellings are refused") {
  for (const char* hex : {"fd0000", "fdfc00", "fe00000000", "feffff0000", "ff0000000000000000",
                          "ffffffffff00000000"}) {
    const auto bytes = from_hex(hex);
    REQUIRE(bytes);
    ByteReader reader(*bytes);
    CHECK(reader.compact_size() == 0);
    CHECK_FALSE(reader.ok());
  }
}

TEST_CASE("ByteReader: a failed read is for good") {
  const ByteVec bytes{1, 2, 3, 4, 5};
  ByteReader reader(bytes);
  CHECK(reader.u8() == 1);
  CHECK(reader.le<std::uint16_t>() == 0x0302);
  CHECK(reader.remaining() == 2);
  CHECK(reader.take(0).empty());
  CHECK(reader.ok());
  CHECK(reader.le<std::uint32_t>() == 0);
  CHECK_FALSE(reader.ok());
  CHECK(reader.remaining() == 0);
  CHECK(reader.u8() == 0);
  CHECK(reader.take(~std::size_t{0}).empty());
  CHECK_FALSE(reader.ok());
}
