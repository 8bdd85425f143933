// SPDX-License-Identifier: MIT
// Hex by table, CompactSize, and the bounded reader.
#include "adit/base/bytes.h"

#include <algorithm>

namespace adit {
namespace {

constexpr char kDigits[] = "0123456789abcdef";
constexpr std::uint8_t kBad = 0xff;

constexpr std::array<std::uint8_t, 256> make_nibbles() {
  std::array<std::uint8_t, 256> table{};
  table.fill(kBad);
  for (std::uint8_t i = 0; i < 10; ++i) table['0' + i] = i;
  for (std::uint8_t i = 0; i < 6; ++i) {
    table['a' + i] = static_cast<std::uint8_t>(10 + i);
    table['A' + i] = static_cast<std::uint8_t>(10 + i);
  }
  return table;
}
constexpr auto kNibbles = make_nibbles();

char* put_hex(char* at, std::uint8_t byte) {
  *at++ = kDigits[byte >> 4];
  *at++ = kDigits[byte & 15];
  return at;
}

}  // namespace

std::string to_hex(Bytes bytes) {
  std::string out;
  append_hex(out, bytes);
  return out;
}

std::string to_hex_reversed(Bytes bytes) {
  std::string out(bytes.size() * 2, '\0');
  char* at = out.data();
  for (std::size_t i = bytes.size(); i > 0; --i) at = put_hex(at, bytes[i - 1]);
  return out;
}

void append_hex(std::string& out, Bytes bytes) {
  const std::size_t start = out.size();
  out.resize(start + bytes.size() * 2);
  char* at = out.data() + start;
  for (const std::uint8_t byte : bytes) at = put_hex(at, byte);
}

bool from_hex(std::string_view hex, MutableBytes out) {
  if (hex.size() % 2 != 0 || hex.size() / 2 != out.size()) return false;
  // A bad digit sets the high bits; one test at the end is cheaper than one a digit.
  unsigned seen = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const unsigned high = kNibbles[static_cast<std::uint8_t>(hex[2 * i])];
    const unsigned low = kNibbles[static_cast<std::uint8_t>(hex[2 * i + 1])];
    seen |= high | low;
    out[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return seen < 16;
}

std::optional<ByteVec> from_hex(std::string_view hex) {
  ByteVec out(hex.size() / 2);
  if (!from_hex(hex, MutableBytes(out))) return std::nullopt;
  return out;
}

std::optional<std::uint32_t> hex_u32(std::string_view hex) {
  std::array<std::uint8_t, 4> bytes;
  if (!from_hex(hex, bytes)) return std::nullopt;
  return load_be32(bytes.data());
}

void append_compact_size(ByteVec& out, std::uint64_t value) {
  if (value < 0xfd) {
    out.push_back(static_cast<std::uint8_t>(value));
  } else if (value <= 0xffff) {
    out.push_back(0xfd);
    append_le(out, static_cast<std::uint16_t>(value));
  } else if (value <= 0xffffffff) {
    out.push_back(0xfe);
    append_le(out, static_cast<std::uint32_t>(value));
  } else {
    out.push_back(0xff);
    append_le(out, value);
  }
}

std::size_t compact_size_length(std::uint64_t value) {
  if (value < 0xfd) return 1;
  if (value <= 0xffff) return 3;
  return value <= 0xffffffff ? 5 : 9;
}

Bytes ByteReader::take(std::size_t count) {
  if (count > rest_.size()) {
    fail();
    return {};
  }
  const Bytes taken = rest_.first(count);
  rest_ = rest_.subspan(count);
  return taken;
}

std::uint64_t ByteReader::compact_size() {
  const std::uint8_t first = u8();
  if (first < 0xfd) return first;
  std::uint64_t value = 0;
  if (first == 0xfd) value = le<std::uint16_t>();
  if (first == 0xfe) value = le<std::uint32_t>();
  if (first == 0xff) value = le<std::uint64_t>();
  const std::size_t length = first == 0xfd ? 3 : first == 0xfe ? 5 : 9;
  if (!ok_ || compact_size_length(value) != length) {
    fail();
    return 0;
  }
  return value;
}

}  // namespace adit
