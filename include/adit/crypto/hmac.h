// SPDX-License-Identifier: MIT
// HMAC-SHA256 (RFC 2104) and the HKDF (RFC 5869) of the Noise framework: two outputs, empty info.
// All functions: any thread, no allocation, no failure.
#pragma once

#include <array>

#include "adit/base/bytes.h"
#include "adit/crypto/secret.h"
#include "adit/crypto/sha256.h"

namespace adit {

Digest hmac_sha256(Bytes key, Bytes message);

/// Noise's HKDF(chaining key, input, 2); RFC 5869's extract with `salt`, then two blocks of expand.
std::array<Secret<32>, 2> hkdf2(Bytes salt, Bytes input);

}  // namespace adit
