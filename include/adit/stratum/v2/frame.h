// SPDX-License-Identifier: MIT
// The six bytes in front of every Stratum V2 message (spec section 3.2), unencrypted.
#pragma once

#include <cstddef>
#include <cstdint>

#include "adit/base/bytes.h"

namespace adit::v2 {

inline constexpr std::size_t kFrameHeaderSize = 6;
/// The largest payload that a header can name: 2^24 - 1 bytes.
inline constexpr std::uint32_t kMaxPayload = 0xff'ffff;
/// Bit 15 of extension_type: the payload begins with a channel id. On receive it is masked off and
/// never judged; peers disagree on it.
inline constexpr std::uint16_t kChannelBit = 0x8000;

struct FrameHeader {
  std::uint16_t extension_type = 0;  ///< with the channel bit, as on the wire
  std::uint8_t msg_type = 0;         ///< its meaning depends on the extension
  std::uint32_t length = 0;          ///< of the plaintext payload, at most kMaxPayload

  std::uint16_t extension() const {
    return static_cast<std::uint16_t>(extension_type & ~kChannelBit);
  }
  bool channel_message() const { return (extension_type & kChannelBit) != 0; }
  bool operator==(const FrameHeader&) const = default;
};

/// `out` has kFrameHeaderSize bytes; length is at most kMaxPayload (CHECK).
void write_frame_header(const FrameHeader& header, std::uint8_t* out);
/// `in` has kFrameHeaderSize bytes; every value is a header.
FrameHeader read_frame_header(const std::uint8_t* in);

}  // namespace adit::v2
