// SPDX-License-Identifier: MIT
// ChaCha20-Poly1305 and HKDF: vectors of the RFCs, and OpenSSL as a second opinion.
#include "adit/crypto/aead.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "adit/crypto/hmac.h"
#include "sha256_support.h"

using namespace adit;
using namespace adit::test;

namespace {

ByteVec hex(std::string_view text) {
  const auto out = from_hex(text);
  REQUIRE(out.has_value());
  return *out;
}

AeadKey key_of(Bytes bytes) { return AeadKey(bytes.first<32>()); }

AeadNonce nonce_of(Bytes bytes) {
  AeadNonce out{};
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

ByteVec openssl_seal(Bytes key, Bytes nonce, Bytes ad, Bytes plain) {
  ByteVec out(plain.size() + kAeadTag);
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  int count = 0;
  REQUIRE(EVP_EncryptInit_ex(context, EVP_chacha20_poly1305(), nullptr, key.data(), nonce.data()));
  REQUIRE(EVP_EncryptUpdate(context, nullptr, &count, ad.data(), static_cast<int>(ad.size())));
  REQUIRE(
      EVP_EncryptUpdate(context, out.data(), &count, plain.data(), static_cast<int>(plain.size())));
  REQUIRE(EVP_EncryptFinal_ex(context, out.data() + count, &count));
  REQUIRE(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, out.data() + plain.size()));
  EVP_CIPHER_CTX_free(context);
  return out;
}

}  // namespace

TEST_CASE("RFC 8439 section 2.8.2") {
  const AeadKey key =
      key_of(hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"));
  const AeadNonce nonce = nonce_of(hex("070000004041424344454647"));
  const ByteVec ad = hex("50515253c0c1c2c3c4c5c6c7");
  const std::string_view text =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
      "sunscreen would be it.";
  const std::string expected =
      "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92"
      "728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b"
      "4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691";
  ByteVec sealed(text.size() + kAeadTag);
  aead_seal(key, nonce, ad, bytes_of(text), sealed);
  CHECK(to_hex(sealed) == expected);
  ByteVec opened(text.size());
  CHECK(aead_open(key, nonce, ad, sealed, opened));
  CHECK(text_of(opened) == text);
}

TEST_CASE("in place, and as OpenSSL does it, at every length") {
  SplitMix random(20);
  for (std::size_t size = 0; size < 300; ++size) {
    const ByteVec key = random.bytes(32), nonce = random.bytes(12);
    const ByteVec ad = random.bytes(random.below(40)), plain = random.bytes(size);
    ByteVec buffer = plain;
    buffer.resize(size + kAeadTag);
    aead_seal(key_of(key), nonce_of(nonce), ad, Bytes(buffer).first(size), buffer);
    CHECK(buffer == openssl_seal(key, nonce, ad, plain));
    CHECK(aead_open(key_of(key), nonce_of(nonce), ad, buffer, MutableBytes(buffer).first(size)));
    CHECK(std::equal(plain.begin(), plain.end(), buffer.begin()));
  }
}

TEST_CASE("one changed bit anywhere is refused, and so is what is too short") {
  SplitMix random(21);
  const ByteVec key = random.bytes(32), nonce = random.bytes(12), ad = random.bytes(5);
  const ByteVec plain = random.bytes(40);
  ByteVec sealed(56), out(40);
  aead_seal(key_of(key), nonce_of(nonce), ad, plain, sealed);
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    ByteVec changed = sealed;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    CHECK_FALSE(aead_open(key_of(key), nonce_of(nonce), ad, changed, out));
    CHECK(out != plain);
  }
  ByteVec other = ad;
  other[4] ^= 1;
  CHECK_FALSE(aead_open(key_of(key), nonce_of(nonce), other, sealed, out));
  ByteVec nonce2 = nonce;
  nonce2[11] ^= 0x80;
  CHECK_FALSE(aead_open(key_of(key), nonce_of(nonce2), ad, sealed, out));
  CHECK_FALSE(aead_open(key_of(key), nonce_of(nonce), ad, Bytes(sealed).first(15), {}));
  CHECK_FALSE(aead_open(key_of(key), nonce_of(nonce), ad, {}, {}));
}

TEST_CASE("HMAC-SHA256: RFC 4231") {
  struct Row {
    ByteVec key;
    ByteVec message;
    const char* expected;
  };
  const auto text = [](std::string_view t) { return ByteVec(t.begin(), t.end()); };
  const Row rows[] = {
      {ByteVec(20, 0x0b), text("Hi There"),
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {text("Jefe"), text("what do ya want for nothing?"),
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {ByteVec(20, 0xaa), ByteVec(50, 0xdd),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {hex("0102030405060708090a0b0c0d0e0f10111213141516171819"), ByteVec(50, 0xcd),
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {ByteVec(131, 0xaa), text("Test Using Larger Than Block-Size Key - Hash Key First"),
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {ByteVec(131, 0xaa),
       text("This is a test using a larger than block-size key and a larger than block-size data. "
            "The key needs to be hashed before being used by the HMAC algorithm."),
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
  };
  for (const Row& row : rows) CHECK(to_hex(hmac_sha256(row.key, row.message)) == row.expected);
  // Test 5 shows 128 bits only.
  const Digest fifth = hmac_sha256(ByteVec(20, 0x0c), bytes_of("Test With Truncation"));
  CHECK(to_hex(Bytes(fifth).first(16)) == "a3b6167473100ee06e0c796c2955552b");
}

TEST_CASE("HKDF: RFC 5869 test 3, which has no info") {
  const auto out = hkdf2({}, ByteVec(22, 0x0b));
  CHECK(to_hex(out[0].bytes()) ==
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
  CHECK(to_hex(Bytes(out[1].bytes()).first(10)) == "9d201395faa4b61a96c8");
}

TEST_CASE("HKDF as its text defines it, with OpenSSL's HMAC") {
  const auto hmac = [](Bytes key, Bytes message) {
    Digest out;
    REQUIRE(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), message.data(),
                 message.size(), out.data(), nullptr) != nullptr);
    return out;
  };
  SplitMix random(22);
  for (std::size_t size = 0; size < 130; ++size) {
    const ByteVec salt = random.bytes(32), input = random.bytes(size);
    const Digest extracted = hmac(salt, input);
    const Digest first = hmac(extracted, ByteVec{1});
    ByteVec next(first.begin(), first.end());
    next.push_back(2);
    const auto out = hkdf2(salt, input);
    CHECK(out[0].bytes() == first);
    CHECK(out[1].bytes() == hmac(extracted, next));
  }
}

TEST_CASE("wiped bytes are zero") {
  ByteVec secret(100, 0xaa);
  wipe(MutableBytes(secret).first(99));
  CHECK(std::count(secret.begin(), secret.end(), 0) == 99);
  CHECK(secret[99] == 0xaa);
  wipe({});
}
