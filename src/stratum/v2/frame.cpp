// SPDX-License-Identifier: MIT
#include "adit/stratum/v2/frame.h"

#include "adit/base/check.h"

namespace adit::v2 {

void write_frame_header(const FrameHeader& header, std::uint8_t* out) {
  CHECK(header.length <= kMaxPayload);
  store_le(out, header.extension_type);
  out[2] = header.msg_type;
  store_le(out + 3, static_cast<std::uint16_t>(header.length));
  out[5] = static_cast<std::uint8_t>(header.length >> 16);
}

FrameHeader read_frame_header(const std::uint8_t* in) {
  const std::uint32_t low = load_le<std::uint16_t>(in + 3), high = in[5];
  return {load_le<std::uint16_t>(in), in[2], high << 16 | low};
}

}  // namespace adit::v2
