// SPDX-License-Identifier: MIT
// On our own SHA-256, which uses the CPU's instructions for it; libsodium's does not.
#include "adit/crypto/hmac.h"

#include "crypto/wiped.h"

namespace adit {
namespace {

constexpr std::size_t kBlock = 64;

Digest hmac_of_two(Bytes key, Bytes message, Bytes rest) {
  Secret<kBlock> padded;
  if (key.size() > kBlock) {
    const Digest digest = sha256(key);
    std::copy(digest.begin(), digest.end(), padded.bytes().begin());
  } else {
    std::copy(key.begin(), key.end(), padded.bytes().begin());
  }
  for (std::uint8_t& byte : padded.bytes()) byte ^= 0x36;
  Wiped<Sha256> inner;
  Digest digest = inner.value.write(padded.bytes()).write(message).write(rest).finish();
  for (std::uint8_t& byte : padded.bytes()) byte ^= 0x36 ^ 0x5c;
  Wiped<Sha256> outer;
  Digest out = outer.value.write(padded.bytes()).write(digest).finish();
  wipe(digest);
  return out;
}

}  // namespace

Digest hmac_sha256(Bytes key, Bytes message) { return hmac_of_two(key, message, {}); }

std::array<Secret<32>, 2> hkdf2(Bytes salt, Bytes input) {
  const Secret<32> extracted(hmac_sha256(salt, input));
  const std::array<std::uint8_t, 1> one{1}, two{2};
  Secret<32> first(hmac_sha256(extracted.bytes(), one));
  Secret<32> second(hmac_of_two(extracted.bytes(), first.bytes(), two));
  return {std::move(first), std::move(second)};
}

}  // namespace adit
