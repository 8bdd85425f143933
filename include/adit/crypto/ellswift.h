// SPDX-License-Identifier: MIT
// ElligatorSwift (BIP324): a public key as 64 bytes that look random. Every 64 bytes are a valid
// encoding, and a key has about 2^256 of them. All functions: any thread, no allocation.
#pragma once

#include <array>
#include <compare>
#include <cstdint>

#include "adit/crypto/secp256k1.h"
#include "adit/crypto/sha256.h"

namespace adit {

struct EllSwift {
  std::array<std::uint8_t, 64> bytes{};
  auto operator<=>(const EllSwift&) const = default;
};

/// The encoded X coordinate; always a valid key. Public data only: not constant in time.
XOnlyKey ellswift_decode(const EllSwift& encoding);

/// One of the encodings of this secret's public key, chosen by `seed`: 32 fresh random bytes.
EllSwift ellswift_create(const SecretKey& secret, const std::array<std::uint8_t, 32>& seed);

/// BIP324's shared secret: tagged hash of both encodings, the initiator's first, and the common X.
/// The encodings are the very bytes that crossed the wire. `theirs` is the decoded X of the peer's,
/// so that a key used twice is decoded once.
Secret<32> ellswift_ecdh(const SecretKey& ours, const XOnlyKey& theirs, const EllSwift& initiator,
                         const EllSwift& responder);

/// A secret with the encoding that is shown to others.
struct EllSwiftKey {
  SecretKey secret;
  EllSwift encoding;
  static EllSwiftKey generate(const FillRandom& random);
};

}  // namespace adit
