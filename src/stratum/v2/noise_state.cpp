// SPDX-License-Identifier: MIT
#include "stratum/v2/noise_state.h"

#include "adit/base/check.h"
#include "adit/crypto/hmac.h"

namespace adit::v2 {
namespace {

constexpr std::string_view kProtocol = "Noise_NX_Secp256k1+EllSwift_ChaChaPoly_SHA256";

}  // namespace

NoiseState::NoiseState() {
  // The name is longer than a hash, so it is hashed; hashing again mixes the empty prologue in.
  static const Digest name = sha256(bytes_of(kProtocol));
  static const Digest begin = sha256(name);
  chaining_ = Secret<32>(name);
  hash_ = begin;
}

void NoiseState::mix_hash(Bytes data) { hash_ = Sha256().write(hash_).write(data).finish(); }

void NoiseState::mix_key(const Secret<32>& shared) {
  auto [chaining, key] = hkdf2(chaining_.bytes(), shared.bytes());
  chaining_ = std::move(chaining);
  cipher_.emplace(std::move(key));
}

void NoiseState::seal(Bytes plain, MutableBytes out) {
  CHECK(cipher_.has_value());
  CHECK(cipher_->seal(hash_, plain, out));
  mix_hash(out);
}

bool NoiseState::open(Bytes sealed, MutableBytes out) {
  CHECK(cipher_.has_value());
  if (!cipher_->open(hash_, sealed, out)) return false;
  mix_hash(sealed);
  return true;
}

std::pair<CipherState, CipherState> NoiseState::split() const {
  auto [first, second] = hkdf2(chaining_.bytes(), {});
  return {CipherState(std::move(first)), CipherState(std::move(second))};
}

}  // namespace adit::v2
