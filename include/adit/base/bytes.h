// SPDX-License-Identifier: MIT
// Bytes as a view, strict hex, and fixed-width little- and big-endian integers.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace adit {

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;
using ByteVec = std::vector<std::uint8_t>;

inline Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline void append(ByteVec& to, Bytes more) { to.insert(to.end(), more.begin(), more.end()); }

/// Lower-case hex, two digits a byte.
std::string to_hex(Bytes bytes);
/// As to_hex, of the bytes in reverse order (how hashes are shown).
std::string to_hex_reversed(Bytes bytes);
/// Appends lower-case hex to `out`.
void append_hex(std::string& out, Bytes bytes);

/// Decodes exactly `out.size() * 2` digits (either case); anything else is false and `out` is
/// unspecified. No `0x`, no blanks, no signs.
[[nodiscard]] bool from_hex(std::string_view hex, MutableBytes out);
/// Decodes an even number of digits; nullopt on any other input.
[[nodiscard]] std::optional<ByteVec> from_hex(std::string_view hex);
/// Exactly eight hex digits as a big-endian number (V1's ntime, nonce, version bits).
[[nodiscard]] std::optional<std::uint32_t> hex_u32(std::string_view hex);

template <class T>
inline T load_le(const std::uint8_t* p) {
  static_assert(std::endian::native == std::endian::little, "Adit is built for little-endian CPUs");
  T value;
  std::memcpy(&value, p, sizeof value);
  return value;
}
template <class T>
inline void store_le(std::uint8_t* p, T value) {
  std::memcpy(p, &value, sizeof value);
}
inline std::uint16_t load_be16(const std::uint8_t* p) {
  return __builtin_bswap16(load_le<std::uint16_t>(p));
}
inline std::uint32_t load_be32(const std::uint8_t* p) {
  return __builtin_bswap32(load_le<std::uint32_t>(p));
}
inline std::uint64_t load_be64(const std::uint8_t* p) {
  return __builtin_bswap64(load_le<std::uint64_t>(p));
}
inline void store_be16(std::uint8_t* p, std::uint16_t v) { store_le(p, __builtin_bswap16(v)); }
inline void store_be32(std::uint8_t* p, std::uint32_t v) { store_le(p, __builtin_bswap32(v)); }
inline void store_be64(std::uint8_t* p, std::uint64_t v) { store_le(p, __builtin_bswap64(v)); }

template <class T>
inline void append_le(ByteVec& out, T value) {
  const std::size_t at = out.size();
  out.resize(at + sizeof value);
  store_le(out.data() + at, value);
}

/// Bitcoin's CompactSize. The writer uses the shortest form.
void append_compact_size(ByteVec& out, std::uint64_t value);
std::size_t compact_size_length(std::uint64_t value);

/// Consumes a byte view from the front. Every read is bounded: past the end it returns zero or an
/// empty view and `ok()` turns false for good.
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : rest_(bytes) {}
  template <class T>
  T le() {
    const Bytes b = take(sizeof(T));
    return b.size() == sizeof(T) ? load_le<T>(b.data()) : T{};
  }
  std::uint8_t u8() { return le<std::uint8_t>(); }
  Bytes take(std::size_t count);
  /// Shortest-form CompactSize only; a longer spelling makes the reader fail.
  std::uint64_t compact_size();
  bool ok() const { return ok_; }
  std::size_t remaining() const { return rest_.size(); }
  void fail() {
    ok_ = false;
    rest_ = {};
  }

 private:
  Bytes rest_;
  bool ok_ = true;
};

}  // namespace adit
