// SPDX-License-Identifier: MIT
// Bech32 (BIP173) and bech32m (BIP350).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "adit/base/bytes.h"

namespace adit {

enum class Bech32Error { None, Length, MixedCase, Character, Separator, Checksum };
enum class Bech32Kind { Bech32, Bech32m };

struct Bech32 {
  Bech32Error error = Bech32Error::None;
  Bech32Kind kind = Bech32Kind::Bech32;
  std::string prefix;  ///< lower case
  ByteVec data;        ///< five bits each, without the checksum
};

/// At most 90 characters, one case throughout.
Bech32 bech32_decode(std::string_view text);
/// `prefix` in lower case; `data` of five bits each.
std::string bech32_encode(Bech32Kind kind, std::string_view prefix, Bytes data);

/// Eight bits to five, zero bits at the end.
ByteVec to_five_bits(Bytes bytes);
/// Five bits to eight; nullopt where more than four bits, or bits that are not zero, are left.
std::optional<ByteVec> from_five_bits(Bytes groups);

}  // namespace adit
