// SPDX-License-Identifier: MIT
// ElligatorSwift: BIP324's official vectors, in both roles, and the code without libsecp256k1's
// module against the code in use.
#include "adit/crypto/ellswift.h"

#include <set>

#include "crypto/curve.h"
#include "crypto/ellswift_map.h"
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

std::array<std::uint8_t, 32> seed_from(SplitMix& source) {
  std::array<std::uint8_t, 32> seed;
  random_from(source)(seed);
  return seed;
}

}  // namespace

TEST_CASE("BIP324: the 76 vectors of decoding") {
  const auto rows = read_vectors("bip324_ellswift_decode_test_vectors.csv");
  REQUIRE(rows.size() == 76);
  for (const VectorRow& row : rows) {
    CAPTURE(row.text("comment"));
    const EllSwift encoding{row.array<64>("ellswift")};
    CHECK(ellswift_decode(encoding).bytes == row.array<32>("x"));
    CHECK(ellswift_decode_in_house(encoding).bytes == row.array<32>("x"));
  }
}

TEST_CASE("BIP324: the 256 vectors of the inverse map") {
  const auto rows = read_vectors("bip324_xswiftec_inv_test_vectors.csv");
  REQUIRE(rows.size() == 32);
  int found = 0, none = 0;
  for (const VectorRow& row : rows) {
    CAPTURE(row.text("comment"));
    const Field u = Field::from_bytes(row.array<32>("u")),
                x = Field::from_bytes(row.array<32>("x"));
    for (unsigned branch = 0; branch < 8; ++branch) {
      CAPTURE(branch);
      const auto t = xswiftec_inverse(x, u, branch);
      const std::string expected = row.text("case" + std::to_string(branch) + "_t");
      CHECK((t ? to_hex(t->bytes()) : "") == expected);
      if (t) CHECK(xswiftec(u, *t) == x);
      ++(t ? found : none);
    }
  }
  CHECK(found + none == 256);
  CHECK(found > 50);
  CHECK(none > 50);
}

TEST_CASE("BIP324: the 7 vectors of the shared secret, from both sides' view") {
  const auto rows = read_vectors("bip324_packet_encoding_test_vectors.csv");
  REQUIRE(rows.size() == 7);
  for (const VectorRow& row : rows) {
    CAPTURE(row.text("in_idx"));
    const auto ours = SecretKey::from_bytes(row.bytes("in_priv_ours"));
    REQUIRE(ours.has_value());
    const EllSwift our_encoding{row.array<64>("in_ellswift_ours")};
    const EllSwift their_encoding{row.array<64>("in_ellswift_theirs")};
    CHECK(public_key_of(*ours).bytes == row.array<32>("mid_x_ours"));
    CHECK(ellswift_decode(our_encoding).bytes == row.array<32>("mid_x_ours"));
    const XOnlyKey theirs = ellswift_decode(their_encoding);
    CHECK(theirs.bytes == row.array<32>("mid_x_theirs"));
    CHECK(ecdh_x(*ours, theirs)->bytes() == row.array<32>("mid_x_shared"));
    const bool initiating = row.text("in_initiating") == "1";
    const auto secret = initiating ? ellswift_ecdh(*ours, theirs, our_encoding, their_encoding)
                                   : ellswift_ecdh(*ours, theirs, their_encoding, our_encoding);
    CHECK(secret.bytes() == row.array<32>("mid_shared_secret"));
    const auto swapped = initiating ? ellswift_ecdh(*ours, theirs, their_encoding, our_encoding)
                                    : ellswift_ecdh(*ours, theirs, our_encoding, their_encoding);
    CHECK(swapped.bytes() != secret.bytes());
  }
}

TEST_CASE("what is encoded decodes to the key, each seed to another encoding") {
  SplitMix source(3);
  std::set<EllSwift> seen;
  const SecretKey same = SecretKey::generate(random_from(source));
  for (int i = 0; i < 200; ++i) {
    const EllSwiftKey key = EllSwiftKey::generate(random_from(source));
    CHECK(ellswift_decode(key.encoding) == public_key_of(key.secret));
    const EllSwift in_house = ellswift_create_in_house(key.secret, seed_from(source));
    CHECK(ellswift_decode(in_house) == public_key_of(key.secret));
    seen.insert(ellswift_create(same, seed_from(source)));
  }
  CHECK(seen.size() == 200);
  const auto seed = seed_from(source);
  CHECK(ellswift_create(same, seed) == ellswift_create(same, seed));
}

TEST_CASE("any 64 bytes are an encoding of a valid key") {
  SplitMix source(4);
  for (int i = 0; i < 500; ++i) {
    EllSwift encoding;
    random_from(source)(encoding.bytes);
    const XOnlyKey key = ellswift_decode(encoding);
    CHECK(is_valid(key));
    CHECK(key == ellswift_decode_in_house(encoding));
  }
}

TEST_CASE("every bit of an encoding is a coin") {
  SplitMix source(5);
  const SecretKey key = SecretKey::generate(random_from(source));
  std::array<int, 512> ones{};
  for (int i = 0; i < 400; ++i) {
    const EllSwift encoding = ellswift_create_in_house(key, seed_from(source));
    for (std::size_t bit = 0; bit < 512; ++bit)
      ones[bit] += (encoding.bytes[bit / 8] >> (bit % 8)) & 1;
  }
  // 400 fair throws: mean 200, deviation 10; six deviations to either side.
  for (const int count : ones) CHECK((count > 140 && count < 260));
}
