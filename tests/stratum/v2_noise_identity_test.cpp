// SPDX-License-Identifier: MIT
// Certificates, the text form of keys, and the keeper that never lets an unusable certificate
// through.
#include "adit/stratum/v2/identity.h"

#include "adit/stratum/v2/key_text.h"
#include "v2_noise_support.h"

using namespace adit;
using namespace adit::v2;
using namespace adit::v2::test;

namespace {

constexpr std::uint32_t kDay = IdentityKeeper::kDay;

UnixSeconds later(UnixSeconds from, std::int64_t seconds) {
  return UnixSeconds(static_cast<std::uint32_t>(from.value() + seconds));
}

}  // namespace

TEST_CASE("the specification's vector of an authority key") {
  const XOnlyKey key{
      hex_array<32>("76637000979c1c11af0c300bcd8c7fe48610fce9b9c11e3daee35ae0b08a7455")};
  const std::string text = "9bXiEd8boQVhq7WddEcERUL5tyyJVFYdU8th3HfbNXK3Yw6GRXh";
  CHECK(authority_key_text(key) == text);
  const auto parsed = parse_authority_key(text);
  REQUIRE(parsed.ok());
  CHECK(*parsed == key);
  CHECK(pool_url("thepool.com:34254", key) == "stratum2+tcp://thepool.com:34254/" + text);
  CHECK_FALSE(is_demo_key(key));
}

TEST_CASE("the demo pair is known, from both halves") {
  const auto key = parse_authority_key("9auqWEzQDVyd2oe1JVGFLMLHZtCo2FFqZwtKA5gd9xbuEu7PH72");
  REQUIRE(key.ok());
  CHECK(is_demo_key(*key));
  const std::string text = "mkDLTBBRxdBv998612qipDYoTK3YUrqLe8uWw7gu3iXbSrn2n";
  const auto secret = parse_secret_key(text);
  REQUIRE(secret.ok());
  CHECK(public_key_of(*secret) == *key);
  CHECK(secret_key_text(*secret) == text);
}

TEST_CASE("texts that are no keys, and why") {
  const auto why = [](std::string_view text) {
    const auto key = parse_authority_key(text);
    return key ? "good" : key.error().text.substr(key.error().text.find(": ") + 2);
  };
  const std::string checksum = "wrong checksum, or characters that base58 does not have";
  CHECK(why("9bXiEd8boQVhq7WddEcERUL5tyyJVFYdU8th3HfbNXK3Yw6GRXi") == checksum);
  CHECK(why("") == checksum);
  CHECK(why(" 9bXiEd8boQVhq7WddEcERUL5tyyJVFYdU8th3HfbNXK3Yw6GRXh") == checksum);
  CHECK(why(std::string(1000, 'z')) == checksum);
  CHECK(why("mkDLTBBRxdBv998612qipDYoTK3YUrqLe8uWw7gu3iXbSrn2n") == "wrong length");
  XOnlyKey nowhere{
      hex_array<32>("eefdea4cdb677750a420fee807eacf21eb9898ae79b9768766e4faa04a2d4a34")};
  CHECK(why(authority_key_text(nowhere)) == "no point of the curve has this X");
  const auto secret = [](std::string_view text) { return parse_secret_key(text).ok(); };
  CHECK_FALSE(secret("9bXiEd8boQVhq7WddEcERUL5tyyJVFYdU8th3HfbNXK3Yw6GRXh"));
  CHECK_FALSE(secret("mkDLTBBRxdBv998612qipDYoTK3YUrqLe8uWw7gu3iXbSrn2o"));
}

TEST_CASE("a certificate's 74 bytes, and every one of them counts") {
  SplitMix random(1);
  const SecretKey authority = SecretKey::generate(random.source());
  const XOnlyKey key = public_key_of(SecretKey::generate(random.source()));
  const XOnlyKey other = public_key_of(SecretKey::generate(random.source()));
  const Certificate certificate =
      issue_certificate(authority, key, UnixSeconds(0x01020304), UnixSeconds(0xf1f2f3f4), {});
  const auto bytes = certificate.encode();
  CHECK(to_hex(Bytes(bytes).first(10)) == "000004030201f4f3f2f1");
  CHECK(Certificate::decode(bytes) == certificate);
  const XOnlyKey issuer = public_key_of(authority);
  CHECK(check_certificate(certificate, key, issuer, kNow, 0) == CertificateVerdict::Good);
  CHECK(check_certificate(certificate, other, issuer, kNow, 0) ==
        CertificateVerdict::WrongSignature);
  CHECK(check_certificate(certificate, key, other, kNow, 0) == CertificateVerdict::WrongSignature);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    auto changed = bytes;
    changed[at] ^= 0x10;
    CHECK(check_certificate(Certificate::decode(changed), key, issuer, kNow, 0) ==
          (at < 2 ? CertificateVerdict::UnknownVersion : CertificateVerdict::WrongSignature));
  }
}

TEST_CASE("validity includes its first and last second, and does not overflow") {
  const Certificate certificate{0, UnixSeconds(1000), UnixSeconds(2000), {}};
  using enum CertificateVerdict;
  CHECK(check_validity(certificate, UnixSeconds(999), 0) == NotYetValid);
  CHECK(check_validity(certificate, UnixSeconds(1000), 0) == Good);
  CHECK(check_validity(certificate, UnixSeconds(2000), 0) == Good);
  CHECK(check_validity(certificate, UnixSeconds(2001), 0) == Expired);
  CHECK(check_validity(certificate, UnixSeconds(0), 1000) == Good);
  const Certificate forever{0, UnixSeconds(0), UnixSeconds(~0u), {}};
  CHECK(check_validity(forever, UnixSeconds(~0u), ~0u) == Good);
  CHECK(check_validity(forever, UnixSeconds(0), 0) == Good);
  for (const auto verdict : {Good, UnknownVersion, NotYetValid, Expired, WrongSignature})
    CHECK_FALSE(certificate_verdict_text(verdict).empty());
}

TEST_CASE("a self-issued identity is back-dated, renewed in time, and keeps its key") {
  SplitMix random(2);
  auto keeper =
      IdentityKeeper::self_issued(SecretKey::generate(random.source()), 7, kNow, random.source());
  const auto first = keeper.identity();
  CHECK(first->certificate.valid_from == later(kNow, -3600));
  CHECK(first->certificate.not_valid_after == later(kNow, 7 * kDay));
  const XOnlyKey key = public_key_of(first->key.secret);
  CHECK(ellswift_decode(first->key.encoding) == key);
  CHECK(check_certificate(first->certificate, key, keeper.authority(), kNow, 0) ==
        CertificateVerdict::Good);
  CHECK_FALSE(keeper.renew_due(kNow));
  CHECK_FALSE(keeper.renew_due(later(kNow, 4 * kDay)));
  CHECK(keeper.renew_due(later(kNow, 5 * kDay)));
  CHECK(keeper.renew_due(later(kNow, 30 * kDay)));
  CHECK(keeper.renew_due(later(kNow, -kDay)));  // the clock was wrong at the start

  const UnixSeconds renewed = later(kNow, 5 * kDay);
  CHECK(keeper.renew(renewed, random.source()).ok());
  const auto second = keeper.identity();
  CHECK(second != first);
  CHECK(second->key.secret.bytes() == first->key.secret.bytes());
  CHECK(second->key.encoding == first->key.encoding);
  CHECK(second->certificate.not_valid_after == later(renewed, 7 * kDay));
  CHECK(check_certificate(second->certificate, key, keeper.authority(), renewed, 0) ==
        CertificateVerdict::Good);
  CHECK_FALSE(keeper.renew_due(renewed));
}

TEST_CASE("times at the ends of the 32 bits") {
  SplitMix random(3);
  const auto early = IdentityKeeper::self_issued(SecretKey::generate(random.source()), 1,
                                                 UnixSeconds(100), random.source());
  CHECK(early.identity()->certificate.valid_from == UnixSeconds(0));
  const auto late = IdentityKeeper::self_issued(SecretKey::generate(random.source()), 3650,
                                                UnixSeconds(~0u - 5), random.source());
  CHECK(late.identity()->certificate.not_valid_after == UnixSeconds(~0u));
}

TEST_CASE("an offline certificate is used as it is, or refused with the reason") {
  SplitMix random(4);
  const SecretKey authority = SecretKey::generate(random.source());
  const SecretKey secret = SecretKey::generate(random.source());
  const IssuedCertificate issued{public_key_of(authority),
                                 issue_certificate(authority, public_key_of(secret),
                                                   later(kNow, -100), later(kNow, 90 * kDay), {})};
  auto keeper = IdentityKeeper::offline(secret.clone(), issued, kNow, random.source());
  REQUIRE(keeper.ok());
  CHECK(keeper->identity()->certificate == issued.certificate);
  CHECK(keeper->authority() == issued.authority);
  CHECK_FALSE(keeper->renew_due(kNow));
  CHECK_FALSE(keeper->renew_due(later(kNow, 61 * kDay)));  // nobody here can sign
  CHECK_FALSE(keeper->renew_due(later(kNow, -200)));
  const Status status = keeper->renew(later(kNow, 61 * kDay), random.source());
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().text.find("adit keygen --issue") != std::string::npos);
  CHECK(keeper->identity()->certificate == issued.certificate);

  const auto refusal = [&](const SecretKey& key, const IssuedCertificate& certificate,
                           UnixSeconds now) {
    const auto made = IdentityKeeper::offline(key.clone(), certificate, now, random.source());
    return made ? "good" : made.error().text;
  };
  const auto says = [](const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
  };
  CHECK(says(refusal(secret, issued, later(kNow, 91 * kDay)), "it has expired"));
  CHECK(says(refusal(secret, issued, later(kNow, -101)), "it is not valid yet"));
  CHECK(says(refusal(authority, issued, kNow), "it was issued for another static key"));
  IssuedCertificate newer = issued;
  newer.certificate.version = 1;
  CHECK(says(refusal(secret, newer, kNow), "its version is not 0"));
  IssuedCertificate foreign = issued;
  foreign.authority = public_key_of(secret);
  CHECK(says(refusal(secret, foreign, kNow), "its signature is not the authority's"));
}

TEST_CASE("a certificate's line of text") {
  SplitMix random(5);
  const SecretKey authority = SecretKey::generate(random.source());
  const IssuedCertificate issued{
      public_key_of(authority),
      issue_certificate(authority, public_key_of(authority), kNow, later(kNow, 5), {})};
  const std::string line = issued.text();
  const auto parsed = IssuedCertificate::parse(line);
  REQUIRE(parsed.ok());
  CHECK(*parsed == issued);
  for (const std::string& wrong :
       {std::string(), line.substr(1), line + "00", line.substr(0, line.size() - 1), line + " ",
        std::string("x y"), line.substr(0, line.find(' '))})
    CHECK_FALSE(IssuedCertificate::parse(wrong).ok());
}
