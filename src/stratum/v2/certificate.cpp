// SPDX-License-Identifier: MIT
#include "adit/stratum/v2/certificate.h"

#include <algorithm>

#include "adit/base/check.h"
#include "adit/crypto/sha256.h"

namespace adit::v2 {
namespace {

constexpr std::size_t kSignedFields = 10;

/// What the authority signs: the hash of the fields before the signature and the static key.
Digest signed_message(const Certificate& certificate, const XOnlyKey& static_key) {
  const auto bytes = certificate.encode();
  return Sha256().write(Bytes(bytes).first(kSignedFields)).write(static_key.bytes).finish();
}

}  // namespace

Certificate Certificate::decode(std::span<const std::uint8_t, kCertificateSize> bytes) {
  Certificate out;
  out.version = load_le<std::uint16_t>(bytes.data());
  out.valid_from = UnixSeconds(load_le<std::uint32_t>(bytes.data() + 2));
  out.not_valid_after = UnixSeconds(load_le<std::uint32_t>(bytes.data() + 6));
  std::copy(bytes.begin() + kSignedFields, bytes.end(), out.signature.begin());
  return out;
}

std::array<std::uint8_t, kCertificateSize> Certificate::encode() const {
  std::array<std::uint8_t, kCertificateSize> out;
  store_le(out.data(), version);
  store_le(out.data() + 2, valid_from.value());
  store_le(out.data() + 6, not_valid_after.value());
  std::copy(signature.begin(), signature.end(), out.begin() + kSignedFields);
  return out;
}

Certificate issue_certificate(const SecretKey& authority, const XOnlyKey& static_key,
                              UnixSeconds valid_from, UnixSeconds not_valid_after,
                              const std::array<std::uint8_t, 32>& aux) {
  Certificate out{0, valid_from, not_valid_after, {}};
  out.signature = schnorr_sign(authority, signed_message(out, static_key), aux);
  return out;
}

std::string_view certificate_verdict_text(CertificateVerdict verdict) {
  switch (verdict) {
    case CertificateVerdict::Good:
      return "good";
    case CertificateVerdict::UnknownVersion:
      return "its version is not 0";
    case CertificateVerdict::NotYetValid:
      return "it is not valid yet";
    case CertificateVerdict::Expired:
      return "it has expired";
    case CertificateVerdict::WrongSignature:
      return "its signature is not the authority's";
  }
  UNREACHABLE();
}

CertificateVerdict check_validity(const Certificate& certificate, UnixSeconds now,
                                  std::uint32_t skew_s) {
  const std::uint64_t time = now.value(), skew = skew_s;
  if (time + skew < certificate.valid_from.value()) return CertificateVerdict::NotYetValid;
  if (time > certificate.not_valid_after.value() + skew) return CertificateVerdict::Expired;
  return CertificateVerdict::Good;
}

CertificateVerdict check_certificate(const Certificate& certificate, const XOnlyKey& static_key,
                                     const XOnlyKey& authority, UnixSeconds now,
                                     std::uint32_t skew_s) {
  if (certificate.version != 0) return CertificateVerdict::UnknownVersion;
  if (!schnorr_verify(authority, signed_message(certificate, static_key), certificate.signature))
    return CertificateVerdict::WrongSignature;
  return check_validity(certificate, now, skew_s);
}

}  // namespace adit::v2
