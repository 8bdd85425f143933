// SPDX-License-Identifier: MIT
// Fields that an extension appends to a message: extension U16, field U8, length U16, value.
#pragma once

#include <cstdint>
#include <optional>

#include "adit/base/bytes.h"

namespace adit::v2 {

enum class TlvSearch : std::uint8_t { Found, Absent, Malformed };

/// Looks for a field behind a message; the first one wins. Little-endian as the specification's
/// general rule has it; big-endian, as its example is printed, when the bytes make sense only so.
TlvSearch find_tlv(Bytes trailing, std::uint16_t extension, std::uint8_t field, Bytes& value);

}  // namespace adit::v2
