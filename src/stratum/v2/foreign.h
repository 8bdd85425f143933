// SPDX-License-Identifier: MIT
// Telling protocols apart by their first bytes. A V2 hello is 64 bytes that look random, so any
// byte may come first; text and TLS betray themselves within a few more.
#pragma once

#include <cstdint>
#include <optional>

#include "adit/base/bytes.h"

namespace adit::v2 {

enum class Foreign : std::uint8_t { StratumV1, Http, Tls };

/// What `start` (up to 64 bytes) certainly is, if not a V2 hello. A random key is mistaken less
/// than once in 10^8.
std::optional<Foreign> foreign_protocol(Bytes start);

enum class Guess : std::uint8_t { V1, V2, Unknown };

/// For a port that serves both. V1 is text up to the first line's end or for 64 bytes; the first
/// byte that text cannot have says V2. Unknown: more bytes are needed.
Guess guess_protocol(Bytes start);

}  // namespace adit::v2
