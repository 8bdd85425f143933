// SPDX-License-Identifier: MIT
#include "adit/stratum/v2/cipher_state.h"

namespace adit::v2 {
namespace {

constexpr std::uint64_t kForbidden = ~std::uint64_t{0};

AeadNonce nonce_bytes(std::uint64_t n) {
  AeadNonce out{};
  store_le(out.data() + 4, n);
  return out;
}

}  // namespace

bool CipherState::seal(Bytes ad, Bytes plain, MutableBytes out) {
  if (nonce_ == kForbidden) return false;
  aead_seal(key_, nonce_bytes(nonce_), ad, plain, out);
  ++nonce_;
  return true;
}

bool CipherState::open(Bytes ad, Bytes sealed, MutableBytes out) {
  if (nonce_ == kForbidden) return false;
  if (!aead_open(key_, nonce_bytes(nonce_), ad, sealed, out)) return false;
  ++nonce_;
  return true;
}

}  // namespace adit::v2
