// SPDX-License-Identifier: MIT
// Keys on Bitcoin's curve: BIP340 signatures and Diffie-Hellman on X coordinates. A public key is
// its X alone. All functions: any thread, no allocation.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <utility>

#include "adit/base/bytes.h"
#include "adit/crypto/secret.h"

namespace adit {

/// A number from 1 to n - 1, 32 bytes big-endian. Wiped when dropped or moved from.
class SecretKey {
 public:
  /// nullopt unless these are 32 bytes of a valid key.
  static std::optional<SecretKey> from_bytes(Bytes bytes);
  /// Draws until valid (practically once).
  static SecretKey generate(const FillRandom& random);

  SecretKey(SecretKey&&) noexcept = default;
  SecretKey& operator=(SecretKey&&) noexcept = default;
  SecretKey clone() const { return SecretKey(bytes_.clone()); }
  const std::array<std::uint8_t, 32>& bytes() const { return bytes_.bytes(); }

 private:
  explicit SecretKey(Secret<32> bytes) : bytes_(std::move(bytes)) {}
  Secret<32> bytes_;
};

/// The X coordinate of a public key, big-endian (BIP340). Any 32 bytes; see is_valid.
struct XOnlyKey {
  std::array<std::uint8_t, 32> bytes{};
  auto operator<=>(const XOnlyKey&) const = default;
};

/// Whether a point of the curve has this X.
bool is_valid(const XOnlyKey& key);
XOnlyKey public_key_of(const SecretKey& secret);

using SchnorrSignature = std::array<std::uint8_t, 64>;

/// BIP340. `aux` is 32 bytes of fresh randomness (zeros are allowed, and weaker against faults).
SchnorrSignature schnorr_sign(const SecretKey& secret, Bytes message,
                              const std::array<std::uint8_t, 32>& aux);
/// False also for a key that is not on the curve.
[[nodiscard]] bool schnorr_verify(const XOnlyKey& key, Bytes message,
                                  const SchnorrSignature& signature);

/// The X coordinate of secret * point; nullopt when `theirs` is not on the curve. Not hashed: for
/// protocols that hash it themselves.
std::optional<Secret<32>> ecdh_x(const SecretKey& ours, const XOnlyKey& theirs);

}  // namespace adit
