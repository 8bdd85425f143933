// SPDX-License-Identifier: MIT
// One direction of an encrypted connection: a key and a counter (Noise's CipherState).
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "adit/crypto/aead.h"
#include "adit/crypto/sha256.h"

namespace adit::v2 {

/// One thread at a time. Nonce n is four zero bytes and n as 64 bits little-endian; 2^64 - 1 is
/// never used. There is no rekey in Stratum V2.
class CipherState {
 public:
  /// `next_nonce` other than zero is for tests.
  explicit CipherState(AeadKey key, std::uint64_t next_nonce = 0)
      : key_(std::move(key)), nonce_(next_nonce) {}

  /// As aead_seal. False when the nonces are used up; nothing is written then.
  [[nodiscard]] bool seal(Bytes ad, Bytes plain, MutableBytes out);
  /// As aead_open. A wrong tag leaves the counter where it was; the connection is over.
  [[nodiscard]] bool open(Bytes ad, Bytes sealed, MutableBytes out);
  /// The number of successful calls so far.
  std::uint64_t next_nonce() const { return nonce_; }
  const AeadKey& key() const { return key_; }
  /// For tests: two states that go on with the same nonces must never both send.
  CipherState clone() const { return CipherState(key_.clone(), nonce_); }

 private:
  AeadKey key_;
  std::uint64_t nonce_;
};

/// Both directions, as seen by the side that holds it.
struct CipherPair {
  CipherState send;
  CipherState receive;
  Digest handshake_hash{};  ///< names this handshake; equal on both sides
};

}  // namespace adit::v2
