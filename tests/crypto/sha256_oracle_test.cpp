// SPDX-License-Identifier: MIT
// OpenSSL as a second opinion: a fault shared by the code and its textbook twin would show here.
#include <openssl/sha.h>

#include "sha256_support.h"

using namespace adit;
using namespace adit::test;

namespace {

Digest openssl_sha256(Bytes message) {
  Digest out;
  SHA256(message.data(), message.size(), out.data());
  return out;
}

}  // namespace

TEST_CASE("OpenSSL agrees") {
  under_each_implementation([] {
    SplitMix random(10);
    int wrong = 0;
    for (int i = 0; i < 2000; ++i) {
      const ByteVec message = random.bytes(80 + random.below(5000));
      wrong += sha256(message) != openssl_sha256(message);
      wrong += sha256d(message) != openssl_sha256(openssl_sha256(message));
      const Bytes header = Bytes(message).first(80);
      wrong += sha256d_80(header.data()) != openssl_sha256(openssl_sha256(header));
    }
    CHECK(wrong == 0);
  });
}
