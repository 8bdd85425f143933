// SPDX-License-Identifier: MIT
// ChaCha20-Poly1305 (RFC 8439, IETF): the cipher of Stratum V2. Buffers are the caller's, nothing
// is allocated. All functions: any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "adit/base/bytes.h"
#include "adit/crypto/secret.h"

namespace adit {

inline constexpr std::size_t kAeadTag = 16;

using AeadKey = Secret<32>;
using AeadNonce = std::array<std::uint8_t, 12>;

/// Writes ciphertext and tag; `out` has plain.size() + kAeadTag bytes (CHECK). `out` may begin
/// where `plain` begins (in place), else they must not overlap.
void aead_seal(const AeadKey& key, const AeadNonce& nonce, Bytes ad, Bytes plain, MutableBytes out);
/// The reverse: `out` has sealed.size() - kAeadTag bytes (CHECK) and may begin where `sealed`
/// begins. False when the tag is wrong (too short counts as wrong); `out` then holds no plaintext.
[[nodiscard]] bool aead_open(const AeadKey& key, const AeadNonce& nonce, Bytes ad, Bytes sealed,
                             MutableBytes out);

}  // namespace adit
