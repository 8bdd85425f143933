// SPDX-License-Identifier: MIT
// Keys, BIP340 with its official vectors, and the X of Diffie-Hellman.
#include "adit/crypto/secp256k1.h"

#include "sha256_support.h"
#include "vectors.h"

using namespace adit;
using namespace adit::test;

namespace {

FillRandom random_from(SplitMix& source) {
  return [&source](MutableBytes out) {
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(source.next());
  };
}

std::array<std::uint8_t, 32> bytes32(const std::string& hex) {
  std::array<std::uint8_t, 32> out;
  REQUIRE(from_hex(hex, out));
  return out;
}

const std::string kOrder = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

}  // namespace

TEST_CASE("BIP340: the 19 official vectors") {
  const auto rows = read_vectors("bip340_test_vectors.csv");
  REQUIRE(rows.size() == 19);
  int signed_rows = 0;
  for (const VectorRow& row : rows) {
    CAPTURE(row.text("index"));
    const XOnlyKey key{row.array<32>("public key")};
    const ByteVec message = row.bytes("message");
    const auto signature = row.array<64>("signature");
    CHECK(schnorr_verify(key, message, signature) == (row.text("verification result") == "TRUE"));
    if (row.text("secret key").empty()) continue;
    const auto secret = SecretKey::from_bytes(row.bytes("secret key"));
    REQUIRE(secret.has_value());
    CHECK(public_key_of(*secret) == key);
    CHECK(schnorr_sign(*secret, message, row.array<32>("aux_rand")) == signature);
    ++signed_rows;
  }
  CHECK(signed_rows == 8);
}

TEST_CASE("a signature holds for one message and one key") {
  SplitMix source(1);
  const SecretKey secret = SecretKey::generate(random_from(source));
  const SecretKey other = SecretKey::generate(random_from(source));
  const ByteVec message = source.bytes(32);
  const SchnorrSignature signature = schnorr_sign(secret, message, {});
  CHECK(schnorr_verify(public_key_of(secret), message, signature));
  CHECK_FALSE(schnorr_verify(public_key_of(other), message, signature));
  for (std::size_t bit = 0; bit < 256; bit += 17) {
    ByteVec changed = message;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    CHECK_FALSE(schnorr_verify(public_key_of(secret), changed, signature));
  }
}

TEST_CASE("secret keys are 1 to n - 1") {
  CHECK_FALSE(SecretKey::from_bytes(std::array<std::uint8_t, 32>{}));
  CHECK_FALSE(SecretKey::from_bytes(bytes32(kOrder)));
  CHECK_FALSE(SecretKey::from_bytes(bytes32(std::string(64, 'f'))));
  auto last = bytes32(kOrder);
  --last[31];
  CHECK(SecretKey::from_bytes(last));
  CHECK_FALSE(SecretKey::from_bytes(Bytes(last).first(31)));
  CHECK_FALSE(SecretKey::from_bytes(ByteVec(33, 1)));
}

TEST_CASE("generation draws again where a draw is no key") {
  int draws = 0;
  const SecretKey key = SecretKey::generate([&](MutableBytes out) {
    const std::uint8_t value = draws == 0 ? 0xff : draws == 1 ? 0 : 5;
    std::fill(out.begin(), out.end(), value);
    ++draws;
  });
  CHECK(draws == 3);
  CHECK(key.bytes()[0] == 5);
}

TEST_CASE("a secret that was moved from is gone") {
  auto one = bytes32(std::string(63, '0') + "1");
  SecretKey first = *SecretKey::from_bytes(one);
  const SecretKey copy = first.clone();
  const SecretKey second = std::move(first);
  CHECK(second.bytes() == one);
  CHECK(copy.bytes() == one);
  CHECK(first.bytes() == std::array<std::uint8_t, 32>{});
  alignas(SecretKey) std::array<std::uint8_t, sizeof(SecretKey)> memory;
  auto* third = new (memory.data()) SecretKey(second.clone());
  third->~SecretKey();
  CHECK(memory == std::array<std::uint8_t, sizeof(SecretKey)>{});
}

TEST_CASE("X coordinates that no point has") {
  CHECK(is_valid({bytes32("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")}));
  CHECK_FALSE(
      is_valid({bytes32("eefdea4cdb677750a420fee807eacf21eb9898ae79b9768766e4faa04a2d4a34")}));
  CHECK_FALSE(is_valid({bytes32(std::string(64, 'f'))}));
  CHECK_FALSE(is_valid({}));
}

TEST_CASE("both sides of a Diffie-Hellman get the same X") {
  SplitMix source(2);
  for (int i = 0; i < 20; ++i) {
    const SecretKey a = SecretKey::generate(random_from(source));
    const SecretKey b = SecretKey::generate(random_from(source));
    const auto ab = ecdh_x(a, public_key_of(b));
    const auto ba = ecdh_x(b, public_key_of(a));
    REQUIRE(ab.has_value());
    REQUIRE(ba.has_value());
    CHECK(ab->bytes() == ba->bytes());
  }
  const SecretKey one = *SecretKey::from_bytes(bytes32(std::string(63, '0') + "1"));
  const XOnlyKey key = public_key_of(SecretKey::generate(random_from(source)));
  CHECK(ecdh_x(one, key)->bytes() == key.bytes);
  CHECK_FALSE(ecdh_x(one, {}));
}
