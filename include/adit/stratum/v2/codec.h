// SPDX-License-Identifier: MIT
// Reading and writing the values of messages.h (spec section 3.1: little-endian, lengths in front).
// Every read is bounded by the payload; nothing is allocated by decode().
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

#include "adit/base/bytes.h"
#include "adit/base/check.h"
#include "adit/stratum/v2/messages.h"

namespace adit::v2 {

/// Consumes a payload from the front, field by field.
class FieldReader {
 public:
  explicit FieldReader(Bytes payload) : payload_(payload), in_(payload) {}

  template <std::unsigned_integral T>
  requires(!std::same_as<T, bool>) void read(T& value) { value = in_.le<T>(); }
  /// Only bit 0 counts.
  void read(bool& value) { value = (in_.u8() & 1) != 0; }
  void read(float& value) { value = std::bit_cast<float>(in_.le<std::uint32_t>()); }
  void read(Target& value) {
    const Bytes raw = in_.take(32);
    if (in_.ok()) value = Target(U256::from_le(raw.data()));
  }
  template <class Tag>
  void read(HashOf<Tag>& value) {
    const Bytes raw = in_.take(32);
    if (in_.ok()) std::memcpy(value.bytes.data(), raw.data(), 32);
  }
  void read(std::string_view& value) { value = text_of(in_.take(in_.u8())); }
  template <std::size_t Max>
  void read(Blob<Max>& value) {
    static_assert(Max <= 65535);
    const std::size_t size = Max <= 255 ? in_.u8() : in_.le<std::uint16_t>();
    if (size > Max) in_.fail();
    value.bytes = in_.take(size);
  }
  template <class Count, std::size_t ItemSize>
  void read(Sequence<Count, ItemSize>& value) {
    const std::size_t count = in_.le<Count>();
    value.bytes = in_.take(count * ItemSize);
  }
  void read(std::optional<std::uint32_t>& value) {
    const std::uint8_t present = in_.u8();
    if (present > 1) in_.fail();
    if (present == 1)
      value = in_.le<std::uint32_t>();
    else
      value.reset();
  }
  bool ok() const { return in_.ok(); }
  /// What follows the last field read: TLVs, or bytes of a later version of the message.
  Bytes rest() const { return payload_.last(in_.remaining()); }

 private:
  Bytes payload_;
  ByteReader in_;
};

/// Appends fields.
class FieldWriter {
 public:
  explicit FieldWriter(ByteVec& out) : out_(out) {}

  template <std::unsigned_integral T>
  requires(!std::same_as<T, bool>) void write(const T& value) { append_le(out_, value); }
  void write(const bool& value) { out_.push_back(value ? 1 : 0); }
  void write(const float& value) { append_le(out_, std::bit_cast<std::uint32_t>(value)); }
  void write(const Target& value) { append(out_, value.value().to_le()); }
  template <class Tag>
  void write(const HashOf<Tag>& value) {
    append(out_, value.bytes);
  }
  void write(const std::string_view& value) {
    ADIT_CHECK(value.size() <= 255);
    out_.push_back(static_cast<std::uint8_t>(value.size()));
    // Not append(): g++ 14 takes its insert() for an overflow here.
    for (const char c : value) out_.push_back(static_cast<std::uint8_t>(c));
  }
  template <std::size_t Max>
  void write(const Blob<Max>& value) {
    ADIT_CHECK(value.bytes.size() <= Max);
    if constexpr (Max <= 255)
      out_.push_back(static_cast<std::uint8_t>(value.bytes.size()));
    else
      append_le(out_, static_cast<std::uint16_t>(value.bytes.size()));
    append(out_, value.bytes);
  }
  template <class Count, std::size_t ItemSize>
  void write(const Sequence<Count, ItemSize>& value) {
    ADIT_CHECK(value.bytes.size() % ItemSize == 0 && value.size() <= Count(-1));
    append_le(out_, static_cast<Count>(value.size()));
    append(out_, value.bytes);
  }
  void write(const std::optional<std::uint32_t>& value) {
    out_.push_back(value ? 1 : 0);
    if (value) append_le(out_, *value);
  }

 private:
  ByteVec& out_;
};

/// The message at the front of `payload`, or nullopt when it is cut short or a length or an option
/// byte is out of its range. `rest` gets the bytes behind it, which are legal.
template <class Message>
std::optional<Message> decode(Bytes payload, Bytes* rest = nullptr) {
  std::optional<Message> message(std::in_place);
  FieldReader reader(payload);
  std::apply([&](auto&... field) { (reader.read(field), ...); }, Message::fields(*message));
  if (!reader.ok()) return std::nullopt;
  if (rest != nullptr) *rest = reader.rest();
  return message;
}

/// Replaces `out` by the payload. Texts and blobs within their limits (CHECK).
template <class Message>
void encode(const Message& message, ByteVec& out) {
  out.clear();
  FieldWriter writer(out);
  std::apply([&](const auto&... field) { (writer.write(field), ...); }, Message::fields(message));
}

}  // namespace adit::v2
