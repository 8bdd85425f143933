// SPDX-License-Identifier: MIT
// What both sides compute along a handshake (Noise's SymmetricState): a chaining key, the hash of
// all that was said, and the cipher of the moment.
#pragma once

#include <optional>
#include <utility>

#include "adit/crypto/sha256.h"
#include "adit/stratum/v2/cipher_state.h"

namespace adit::v2 {

class NoiseState {
 public:
  NoiseState();
  void mix_hash(Bytes data);
  /// A fresh key with its counter at zero.
  void mix_key(const Secret<32>& shared);
  /// After mix_key only (CHECK). Sizes as in aead_seal; `plain` and `out` do not overlap.
  void seal(Bytes plain, MutableBytes out);
  [[nodiscard]] bool open(Bytes sealed, MutableBytes out);
  /// The two directions: client to server, server to client.
  std::pair<CipherState, CipherState> split() const;
  const Digest& hash() const { return hash_; }

 private:
  Secret<32> chaining_;
  Digest hash_;
  std::optional<CipherState> cipher_;
};

}  // namespace adit::v2
