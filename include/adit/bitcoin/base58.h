// SPDX-License-Identifier: MIT
// Base58 and base58check: the older addresses, and keys of Stratum V2.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "adit/base/bytes.h"

namespace adit {

/// At most 256 bytes (CHECK): the cost is quadratic.
std::string base58_encode(Bytes bytes);
/// nullopt on a foreign character (blanks included) or more than 384 characters.
std::optional<ByteVec> base58_decode(std::string_view text);
/// With the first four bytes of SHA-256d behind the payload.
std::string base58check_encode(Bytes payload);
/// The payload; nullopt where base58 or checksum is wrong.
std::optional<ByteVec> base58check_decode(std::string_view text);

}  // namespace adit
