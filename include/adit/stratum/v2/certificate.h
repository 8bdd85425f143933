// SPDX-License-Identifier: MIT
// The certificate of a Stratum V2 server (spec section 4.5.3): the pool's authority key vouches for
// a static key for some time. The miner knows the authority key from the pool's URL.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "adit/base/time.h"
#include "adit/crypto/secp256k1.h"

namespace adit::v2 {

inline constexpr std::size_t kCertificateSize = 74;

/// SIGNATURE_NOISE_MESSAGE. The static key is not part of it; it comes with the handshake.
struct Certificate {
  std::uint16_t version = 0;  ///< 0 is the only one that peers accept
  UnixSeconds valid_from{};
  UnixSeconds not_valid_after{};  ///< the last second that counts
  SchnorrSignature signature{};

  static Certificate decode(std::span<const std::uint8_t, kCertificateSize> bytes);
  std::array<std::uint8_t, kCertificateSize> encode() const;
  bool operator==(const Certificate&) const = default;
};

/// `aux`: 32 fresh random bytes for the signature.
Certificate issue_certificate(const SecretKey& authority, const XOnlyKey& static_key,
                              UnixSeconds valid_from, UnixSeconds not_valid_after,
                              const std::array<std::uint8_t, 32>& aux);

enum class CertificateVerdict : std::uint8_t {
  Good,
  UnknownVersion,
  NotYetValid,
  Expired,
  WrongSignature,
};
std::string_view certificate_verdict_text(CertificateVerdict verdict);

/// Whether the clock is inside the validity, give or take `skew_s` seconds.
CertificateVerdict check_validity(const Certificate& certificate, UnixSeconds now,
                                  std::uint32_t skew_s);
/// Version, signature, then validity.
CertificateVerdict check_certificate(const Certificate& certificate, const XOnlyKey& static_key,
                                     const XOnlyKey& authority, UnixSeconds now,
                                     std::uint32_t skew_s);

}  // namespace adit::v2
