// SPDX-License-Identifier: MIT
#include "adit/crypto/aead.h"

#include <sodium.h>

#include "adit/base/check.h"

namespace adit {
namespace {

/// Without it libsodium works, but leaves the CPU's vector instructions alone.
void start_sodium() {
  static const bool started = sodium_init() >= 0;
  CHECK(started);
}

}  // namespace

void wipe(MutableBytes bytes) { sodium_memzero(bytes.data(), bytes.size()); }

void aead_seal(const AeadKey& key, const AeadNonce& nonce, Bytes ad, Bytes plain,
               MutableBytes out) {
  CHECK(out.size() == plain.size() + kAeadTag);
  start_sodium();
  CHECK(crypto_aead_chacha20poly1305_ietf_encrypt(out.data(), nullptr, plain.data(), plain.size(),
                                                  ad.data(), ad.size(), nullptr, nonce.data(),
                                                  key.bytes().data()) == 0);
}

bool aead_open(const AeadKey& key, const AeadNonce& nonce, Bytes ad, Bytes sealed,
               MutableBytes out) {
  if (sealed.size() < kAeadTag) return false;
  CHECK(out.size() == sealed.size() - kAeadTag);
  start_sodium();
  return crypto_aead_chacha20poly1305_ietf_decrypt(out.data(), nullptr, nullptr, sealed.data(),
                                                   sealed.size(), ad.data(), ad.size(),
                                                   nonce.data(), key.bytes().data()) == 0;
}

}  // namespace adit
