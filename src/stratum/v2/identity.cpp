// SPDX-License-Identifier: MIT
#include "adit/stratum/v2/identity.h"

#include <fmt/format.h>

#include <algorithm>

#include "adit/base/check.h"
#include "adit/stratum/v2/key_text.h"

namespace adit::v2 {
namespace {

EllSwiftKey encoded(SecretKey secret, const FillRandom& random) {
  std::array<std::uint8_t, 32> seed;
  random(seed);
  const EllSwift encoding = ellswift_create(secret, seed);
  return {std::move(secret), encoding};
}

Certificate sign(const SecretKey& authority, const SecretKey& static_secret, std::uint32_t days,
                 UnixSeconds now, const FillRandom& random) {
  std::array<std::uint8_t, 32> aux;
  random(aux);
  const std::uint64_t from = now.value() - std::min(now.value(), IdentityKeeper::kBackdate);
  const std::uint64_t until = now.value() + std::uint64_t{days} * IdentityKeeper::kDay;
  return issue_certificate(
      authority, public_key_of(static_secret), UnixSeconds(static_cast<std::uint32_t>(from)),
      UnixSeconds(static_cast<std::uint32_t>(std::min<std::uint64_t>(until, ~std::uint32_t{0}))),
      aux);
}

IdentityKeeper::Shared share(EllSwiftKey key, const Certificate& certificate) {
  return std::make_shared<const StaticIdentity>(StaticIdentity{std::move(key), certificate});
}

}  // namespace

std::string IssuedCertificate::text() const {
  return authority_key_text(authority) + " " + to_hex(certificate.encode());
}

Result<IssuedCertificate> IssuedCertificate::parse(std::string_view line) {
  const std::size_t blank = line.find(' ');
  if (blank == std::string_view::npos)
    return Error{
        ErrorCode::Invalid,
        "not a certificate: expected the authority's public key, a blank and 148 hex digits"};
  auto authority = parse_authority_key(line.substr(0, blank));
  if (!authority) return authority.error();
  std::array<std::uint8_t, kCertificateSize> bytes;
  if (!from_hex(line.substr(blank + 1), bytes))
    return Error{ErrorCode::Invalid, "not a certificate: expected 148 hex digits after the key"};
  return IssuedCertificate{*authority, Certificate::decode(bytes)};
}

IdentityKeeper IdentityKeeper::self_issued(SecretKey authority, std::uint32_t days, UnixSeconds now,
                                           const FillRandom& random) {
  CHECK(days >= 1 && days <= 3'650);
  IdentityKeeper keeper;
  keeper.authority_ = public_key_of(authority);
  keeper.days_ = days;
  EllSwiftKey key = EllSwiftKey::generate(random);
  const Certificate certificate = sign(authority, key.secret, days, now, random);
  keeper.authority_secret_ = std::move(authority);
  keeper.identity_ = share(std::move(key), certificate);
  return keeper;
}

Result<IdentityKeeper> IdentityKeeper::offline(SecretKey static_secret,
                                               const IssuedCertificate& issued, UnixSeconds now,
                                               const FillRandom& random) {
  const auto verdict =
      check_certificate(issued.certificate, public_key_of(static_secret), issued.authority, now, 0);
  if (verdict != CertificateVerdict::Good) {
    const bool foreign = verdict == CertificateVerdict::WrongSignature;
    return Error{
        ErrorCode::Invalid,
        fmt::format("the certificate cannot be used: {}{}; valid from {} to {} (unix time)",
                    certificate_verdict_text(verdict),
                    foreign ? ", or it was issued for another static key" : "",
                    issued.certificate.valid_from.value(),
                    issued.certificate.not_valid_after.value())};
  }
  IdentityKeeper keeper;
  keeper.authority_ = issued.authority;
  keeper.identity_ = share(encoded(std::move(static_secret), random), issued.certificate);
  return keeper;
}

bool IdentityKeeper::renew_due(UnixSeconds now) const {
  if (!authority_secret_) return false;
  const std::uint64_t from = identity_->certificate.valid_from.value();
  const std::uint64_t until = identity_->certificate.not_valid_after.value();
  const std::uint64_t third = until > from ? (until - from) / 3 : 0;
  return now.value() < from || now.value() + third >= until;
}

Status IdentityKeeper::renew(UnixSeconds now, const FillRandom& random) {
  if (!authority_secret_)
    return Error{
        ErrorCode::Refused,
        fmt::format("the certificate was issued offline and is valid until {} (unix time): "
                    "issue a new one with adit keygen --issue",
                    identity_->certificate.not_valid_after.value())};
  const EllSwiftKey& key = identity_->key;
  const Certificate certificate = sign(*authority_secret_, key.secret, days_, now, random);
  identity_ = share({key.secret.clone(), key.encoding}, certificate);
  return {};
}

}  // namespace adit::v2
