// SPDX-License-Identifier: MIT
// SHA-256 itself: official vectors, every way to cut a message into writes, midstates, and each
// implementation against a textbook one.
#include "adit/crypto/sha256.h"

#include <algorithm>

#include "sha256_support.h"

using namespace adit;
using namespace adit::test;

namespace {

std::string hash_hex(std::string_view text) { return to_hex(sha256(bytes_of(text))); }

Digest in_chunks(Bytes message, std::size_t chunk) {
  Sha256 hasher;
  for (; !message.empty(); message = message.subspan(std::min(chunk, message.size())))
    hasher.write(message.first(std::min(chunk, message.size())));
  return hasher.finish();
}

}  // namespace

TEST_CASE("the best implementation is chosen by itself, portable is always there") {
  const auto names = sha256_implementations();
  REQUIRE(!names.empty());
  CHECK(sha256_selected() == names.front());
  CHECK(names.back() == "portable");
  for (const std::string_view name : names) MESSAGE("implementation: ", std::string(name));
}

TEST_CASE("selecting an implementation by name") {
  CHECK_FALSE(sha256_select("no-such-thing"));
  CHECK_FALSE(sha256_select(""));
  under_each_implementation([] { CHECK(sha256_select(sha256_selected())); });
  CHECK(sha256_select("portable"));
  CHECK(sha256_selected() == "portable");
  CHECK(sha256_select(sha256_implementations().front()));
}

// https://csrc.nist.gov/projects/cryptographic-standards-and-guidelines/example-values
TEST_CASE("NIST example values") {
  under_each_implementation([] {
    CHECK(hash_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(hash_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(hash_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    CHECK(hash_hex("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                   "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu") ==
          "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
    const std::string million(1'000'000, 'a');
    constexpr auto* kMillion = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
    CHECK(hash_hex(million) == kMillion);
    CHECK(to_hex(in_chunks(bytes_of(million), 997)) == kMillion);
  });
}

TEST_CASE("every length up to 300, cut in every place and into every chunk size") {
  const ByteVec data = SplitMix(1).bytes(300);
  under_each_implementation([&] {
    int wrong = 0;
    for (std::size_t length = 0; length <= data.size(); ++length) {
      const Bytes message = Bytes(data).first(length);
      const Digest expected = textbook_sha256(message);
      wrong += sha256(message) != expected;
      wrong += sha256d(message) != textbook_sha256(expected);
      for (std::size_t cut = 0; cut <= length; ++cut) {
        Sha256 hasher;
        hasher.write(message.first(cut)).write({}).write(message.subspan(cut));
        wrong += hasher.finish() != expected;
      }
      for (std::size_t chunk = 1; chunk <= 130; chunk += chunk < 8 ? 1 : 7)
        wrong += in_chunks(message, chunk) != expected;
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("thousands of pseudo-random messages equal the textbook") {
  under_each_implementation([] {
    SplitMix random(2);
    int wrong = 0;
    for (int i = 0; i < 3000; ++i) {
      const ByteVec message = random.bytes(random.below(700));
      wrong += sha256(message) != textbook_sha256(message);
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("a copy is a midstate") {
  const ByteVec data = SplitMix(3).bytes(200);
  const Bytes all = data;
  under_each_implementation([&] {
    for (const std::size_t front : {0, 1, 63, 64, 65, 128, 150}) {
      Sha256 common;
      common.write(all.first(front));
      Sha256 one = common, two = common;
      one.write(all.subspan(front));
      two.write(all.subspan(front, 10));
      CHECK(one.finish() == textbook_sha256(all));
      CHECK(two.finish_double() == textbook_sha256d(all.first(front + 10)));
      CHECK(common.finish() == textbook_sha256(all.first(front)));
    }
  });
}

TEST_CASE("a midstate of one implementation is good for another") {
  const ByteVec data = SplitMix(4).bytes(500);
  const Bytes all = data;
  const auto names = sha256_implementations();
  for (const std::string_view first : names) {
    for (const std::string_view second : names) {
      REQUIRE(sha256_select(first));
      Sha256 hasher;
      hasher.write(all.first(300));
      REQUIRE(sha256_select(second));
      CHECK(hasher.write(all.subspan(300)).finish() == textbook_sha256(all));
    }
  }
  CHECK(sha256_select(names.front()));
}
