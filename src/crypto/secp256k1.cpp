// SPDX-License-Identifier: MIT
#include "adit/crypto/secp256k1.h"

#include <secp256k1_ecdh.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>

#include <cstring>

#include "adit/base/check.h"
#include "crypto/curve.h"
#include "crypto/wiped.h"

namespace adit {
namespace {

using KeyPair = Wiped<secp256k1_keypair>;

void make_pair_of(const SecretKey& secret, KeyPair& pair) {
  CHECK(secp256k1_keypair_create(curve_context(), &pair.value, secret.bytes().data()) == 1);
}

/// The point with this X and an even Y.
bool lift(const XOnlyKey& key, secp256k1_pubkey& point) {
  std::array<std::uint8_t, 33> compressed{2};
  std::copy(key.bytes.begin(), key.bytes.end(), compressed.begin() + 1);
  return secp256k1_ec_pubkey_parse(curve_context(), &point, compressed.data(), compressed.size()) ==
         1;
}

int copy_x(unsigned char* out, const unsigned char* x, const unsigned char*, void*) {
  std::memcpy(out, x, 32);
  return 1;
}

}  // namespace

const secp256k1_context* curve_context() {
  static const secp256k1_context* const context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
  return context;
}

XOnlyKey x_of(const secp256k1_pubkey& point) {
  std::array<std::uint8_t, 33> compressed;
  std::size_t size = compressed.size();
  CHECK(secp256k1_ec_pubkey_serialize(curve_context(), compressed.data(), &size, &point,
                                      SECP256K1_EC_COMPRESSED) == 1);
  XOnlyKey key;
  std::copy(compressed.begin() + 1, compressed.end(), key.bytes.begin());
  return key;
}

std::optional<SecretKey> SecretKey::from_bytes(Bytes bytes) {
  if (bytes.size() != 32 || secp256k1_ec_seckey_verify(curve_context(), bytes.data()) != 1)
    return std::nullopt;
  return SecretKey(Secret<32>(bytes.first<32>()));
}

SecretKey SecretKey::generate(const FillRandom& random) {
  Secret<32> draw;
  // One in 2^128 draws is no key; a source that gives such bytes again and again is broken.
  for (int attempt = 0; attempt < 8; ++attempt) {
    random(draw.bytes());
    if (auto key = from_bytes(draw.bytes())) return std::move(*key);
  }
  UNREACHABLE();
}

bool is_valid(const XOnlyKey& key) {
  secp256k1_pubkey point;
  return lift(key, point);
}

XOnlyKey public_key_of(const SecretKey& secret) {
  secp256k1_pubkey point;
  CHECK(secp256k1_ec_pubkey_create(curve_context(), &point, secret.bytes().data()) == 1);
  return x_of(point);
}

SchnorrSignature schnorr_sign(const SecretKey& secret, Bytes message,
                              const std::array<std::uint8_t, 32>& aux) {
  KeyPair pair;
  make_pair_of(secret, pair);
  secp256k1_schnorrsig_extraparams extra = SECP256K1_SCHNORRSIG_EXTRAPARAMS_INIT;
  std::array<std::uint8_t, 32> aux_copy = aux;
  extra.ndata = aux_copy.data();
  SchnorrSignature signature;
  CHECK(secp256k1_schnorrsig_sign_custom(curve_context(), signature.data(), message.data(),
                                         message.size(), &pair.value, &extra) == 1);
  return signature;
}

bool schnorr_verify(const XOnlyKey& key, Bytes message, const SchnorrSignature& signature) {
  secp256k1_xonly_pubkey point;
  return secp256k1_xonly_pubkey_parse(curve_context(), &point, key.bytes.data()) == 1 &&
         secp256k1_schnorrsig_verify(curve_context(), signature.data(), message.data(),
                                     message.size(), &point) == 1;
}

std::optional<Secret<32>> ecdh_x(const SecretKey& ours, const XOnlyKey& theirs) {
  secp256k1_pubkey point;
  if (!lift(theirs, point)) return std::nullopt;
  std::optional<Secret<32>> x(std::in_place);
  CHECK(secp256k1_ecdh(curve_context(), x->bytes().data(), &point, ours.bytes().data(), copy_x,
                       nullptr) == 1);
  return x;
}

}  // namespace adit
