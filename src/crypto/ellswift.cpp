// SPDX-License-Identifier: MIT
// Encoding and decoding by libsecp256k1's own module where it has one (0.4.0 and newer), else by
// the map of this room; the shared secret is the same code for both.
#include "adit/crypto/ellswift.h"

#include "adit/base/check.h"
#include "crypto/curve.h"
#include "crypto/ellswift_map.h"
#include "crypto/wiped.h"

#ifdef ADIT_SECP256K1_ELLSWIFT
#include <secp256k1_ellswift.h>
#endif

namespace adit {
namespace {

/// SHA-256 that begins with a tag, as BIP340 defines it.
Sha256 tagged(std::string_view tag) {
  const Digest digest = sha256(bytes_of(tag));
  Sha256 out;
  out.write(digest).write(digest);
  return out;
}

std::span<const std::uint8_t, 32> half_of(const EllSwift& encoding, std::size_t which) {
  return std::span<const std::uint8_t, 64>(encoding.bytes).subspan(32 * which).first<32>();
}

}  // namespace

XOnlyKey ellswift_decode_in_house(const EllSwift& encoding) {
  const Field u = Field::from_bytes(half_of(encoding, 0));
  const Field t = Field::from_bytes(half_of(encoding, 1));
  return {xswiftec(u, t).bytes()};
}

EllSwift ellswift_create_in_house(const SecretKey& secret,
                                  const std::array<std::uint8_t, 32>& seed) {
  static const Sha256 begin = tagged("adit/ellswift_create");
  const XOnlyKey key = public_key_of(secret);
  const Field x = Field::from_bytes(key.bytes);
  // Four tries on average; 128 in a row fail once in 2^53.
  for (std::uint8_t attempt = 0; attempt < 128; ++attempt) {
    const auto draw = [&](std::uint8_t what) {
      Sha256 hash = begin;
      return hash.write(seed).write(key.bytes).write(std::array{attempt, what}).finish();
    };
    const Field u = Field::from_bytes(draw(0));
    if (u.is_zero()) continue;
    const auto t = xswiftec_inverse(x, u, draw(1)[0] & 7);
    if (!t) continue;
    EllSwift out;
    const auto first = u.bytes(), second = t->bytes();
    std::copy(first.begin(), first.end(), out.bytes.begin());
    std::copy(second.begin(), second.end(), out.bytes.begin() + 32);
    return out;
  }
  UNREACHABLE();
}

#ifdef ADIT_SECP256K1_ELLSWIFT

XOnlyKey ellswift_decode(const EllSwift& encoding) {
  secp256k1_pubkey point;
  CHECK(secp256k1_ellswift_decode(curve_context(), &point, encoding.bytes.data()) == 1);
  return x_of(point);
}

EllSwift ellswift_create(const SecretKey& secret, const std::array<std::uint8_t, 32>& seed) {
  EllSwift out;
  CHECK(secp256k1_ellswift_create(curve_context(), out.bytes.data(), secret.bytes().data(),
                                  seed.data()) == 1);
  return out;
}

#else

XOnlyKey ellswift_decode(const EllSwift& encoding) { return ellswift_decode_in_house(encoding); }

EllSwift ellswift_create(const SecretKey& secret, const std::array<std::uint8_t, 32>& seed) {
  return ellswift_create_in_house(secret, seed);
}

#endif

Secret<32> ellswift_ecdh(const SecretKey& ours, const XOnlyKey& theirs, const EllSwift& initiator,
                         const EllSwift& responder) {
  static const Sha256 begin = tagged("bip324_ellswift_xonly_ecdh");
  const auto x = ecdh_x(ours, theirs);
  CHECK(x.has_value());
  Wiped<Sha256> hash{begin};
  hash.value.write(initiator.bytes).write(responder.bytes).write(x->bytes());
  Wiped<Digest> shared{hash.value.finish()};
  return Secret<32>(shared.value);
}

EllSwiftKey EllSwiftKey::generate(const FillRandom& random) {
  SecretKey secret = SecretKey::generate(random);
  Secret<32> seed;
  random(seed.bytes());
  const EllSwift encoding = ellswift_create(secret, seed.bytes());
  return {std::move(secret), encoding};
}

}  // namespace adit
