// SPDX-License-Identifier: MIT
// The BCH code of BIP173 with the two constants that tell bech32 from bech32m.
#include "bitcoin/bech32.h"

#include <array>

namespace adit {
namespace {

constexpr std::string_view kCharset = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr std::size_t kMaxText = 90;
constexpr std::size_t kChecksum = 6;
constexpr std::uint32_t kBech32Constant = 1;
constexpr std::uint32_t kBech32mConstant = 0x2bc830a3;

std::uint32_t step(std::uint32_t checksum, std::uint8_t value) {
  constexpr std::array<std::uint32_t, 5> kGenerator{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                                    0x2a1462b3};
  const std::uint32_t top = checksum >> 25;
  checksum = (checksum & 0x1ffffff) << 5 ^ value;
  for (unsigned i = 0; i < 5; ++i) {
    if ((top >> i & 1) != 0) checksum ^= kGenerator[i];
  }
  return checksum;
}

std::uint32_t checksum_of(std::string_view prefix, Bytes data) {
  std::uint32_t checksum = 1;
  for (const char c : prefix) checksum = step(checksum, static_cast<std::uint8_t>(c) >> 5);
  checksum = step(checksum, 0);
  for (const char c : prefix) checksum = step(checksum, static_cast<std::uint8_t>(c) & 31);
  for (const std::uint8_t value : data) checksum = step(checksum, value);
  return checksum;
}

std::uint32_t constant_of(Bech32Kind kind) {
  return kind == Bech32Kind::Bech32 ? kBech32Constant : kBech32mConstant;
}

/// Printable, and one case throughout; `lower` receives the text in lower case.
Bech32Error to_lower(std::string_view text, std::string& lower) {
  bool has_lower = false;
  bool has_upper = false;
  for (const char c : text) {
    if (c < 33 || c > 126) return Bech32Error::Character;
    const bool upper = c >= 'A' && c <= 'Z';
    has_upper = has_upper || upper;
    has_lower = has_lower || (c >= 'a' && c <= 'z');
    lower += upper ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return has_lower && has_upper ? Bech32Error::MixedCase : Bech32Error::None;
}

}  // namespace

Bech32 bech32_decode(std::string_view text) {
  if (text.size() > kMaxText) return {Bech32Error::Length};
  std::string lower;
  const Bech32Error error = to_lower(text, lower);
  if (error != Bech32Error::None) return {error};
  const std::size_t separator = lower.rfind('1');
  if (separator == std::string::npos || separator == 0) return {Bech32Error::Separator};
  if (lower.size() - separator - 1 < kChecksum) return {Bech32Error::Length};
  Bech32 out;
  out.prefix = lower.substr(0, separator);
  for (std::size_t i = separator + 1; i < lower.size(); ++i) {
    const std::size_t value = kCharset.find(lower[i]);
    if (value == std::string_view::npos) return {Bech32Error::Character};
    out.data.push_back(static_cast<std::uint8_t>(value));
  }
  const std::uint32_t checksum = checksum_of(out.prefix, out.data);
  if (checksum != kBech32Constant && checksum != kBech32mConstant) return {Bech32Error::Checksum};
  out.kind = checksum == kBech32Constant ? Bech32Kind::Bech32 : Bech32Kind::Bech32m;
  out.data.resize(out.data.size() - kChecksum);
  return out;
}

std::string bech32_encode(Bech32Kind kind, std::string_view prefix, Bytes data) {
  ByteVec padded(data.begin(), data.end());
  padded.resize(data.size() + kChecksum);
  const std::uint32_t checksum = checksum_of(prefix, padded) ^ constant_of(kind);
  std::string out(prefix);
  out += '1';
  for (const std::uint8_t value : data) out += kCharset[value];
  for (unsigned i = 0; i < kChecksum; ++i) out += kCharset[checksum >> 5 * (5 - i) & 31];
  return out;
}

ByteVec to_five_bits(Bytes bytes) {
  ByteVec out;
  unsigned pool = 0;
  unsigned bits = 0;
  for (const std::uint8_t byte : bytes) {
    pool = (pool << 8 | byte) & 0xfff;
    for (bits += 8; bits >= 5;) {
      bits -= 5;
      out.push_back(static_cast<std::uint8_t>(pool >> bits & 31));
    }
  }
  if (bits != 0) out.push_back(static_cast<std::uint8_t>(pool << (5 - bits) & 31));
  return out;
}

std::optional<ByteVec> from_five_bits(Bytes groups) {
  ByteVec out;
  unsigned pool = 0;
  unsigned bits = 0;
  for (const std::uint8_t group : groups) {
    pool = (pool << 5 | group) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      out.push_back(static_cast<std::uint8_t>(pool >> bits & 0xff));
    }
  }
  const bool padding_is_zero = (pool & ((1u << bits) - 1)) == 0;
  if (bits > 4 || !padding_is_zero) return std::nullopt;
  return out;
}

}  // namespace adit
