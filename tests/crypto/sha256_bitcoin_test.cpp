// SPDX-License-Identifier: MIT
// The special shapes of double SHA-256: block headers, merkle steps, and the nonce scan.
#include <algorithm>
#include <limits>

#include "adit/crypto/sha256.h"
#include "sha256_support.h"

using namespace adit;
using namespace adit::test;

namespace {

constexpr std::uint32_t kGenesisNonce = 2083236893;

ByteVec genesis_header() {
  return *from_hex(
      "01000000"
      "0000000000000000000000000000000000000000000000000000000000000000"
      "3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a"
      "29ab5f49"
      "ffff001d"
      "1dac2b7c");
}

std::vector<std::uint32_t> naive_scan(ByteVec header, std::uint32_t first, std::uint32_t count,
                                      std::uint32_t top_word) {
  std::vector<std::uint32_t> out;
  for (std::uint32_t i = 0; i < count; ++i) {
    store_le(header.data() + 76, first + i);
    const Digest hash = textbook_sha256d(header);
    if (load_le<std::uint32_t>(hash.data() + 28) <= top_word) out.push_back(first + i);
  }
  return out;
}

}  // namespace

TEST_CASE("the genesis header hashes to the genesis hash") {
  const ByteVec header = genesis_header();
  under_each_implementation([&] {
    const Digest hash = sha256d_80(header.data());
    CHECK(to_hex_reversed(hash) ==
          "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f");
    CHECK(hash == sha256d(header));
  });
}

// The first two transactions of block 170, and that block's merkle root.
TEST_CASE("a merkle step of the chain") {
  ByteVec pair = *from_hex(
      "82501c1178fa0b222c1f3d474ec726b832013f0a532b44bb620cce8624a5feb1"
      "169e1e83e930853391bc6f35f605c6754cfead57cf8387639d3b4096c54f18f4");
  under_each_implementation([&] {
    CHECK(to_hex_reversed(sha256d_64(pair.data())) ==
          "7dac2c5666815c17a3b36427de37bb9d2e2c5ccec3f8633eb91a4205cb4c10ff");
  });
}

TEST_CASE("thousands of headers and merkle steps equal the textbook") {
  under_each_implementation([] {
    SplitMix random(5);
    int wrong = 0;
    for (int i = 0; i < 4000; ++i) {
      const ByteVec bytes = random.bytes(80);
      wrong += sha256d_80(bytes.data()) != textbook_sha256d(bytes);
      wrong += sha256d_64(bytes.data()) != textbook_sha256d(Bytes(bytes).first(64));
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("inputs may lie at any address") {
  const ByteVec bytes = SplitMix(6).bytes(80 + 64);
  under_each_implementation([&] {
    for (std::size_t at = 0; at < 64; ++at) {
      const Bytes header = Bytes(bytes).subspan(at, 80);
      CHECK(sha256d_80(header.data()) == textbook_sha256d(header));
      CHECK(sha256d_64(header.data()) == textbook_sha256d(header.first(64)));
      CHECK(sha256(header) == textbook_sha256(header));
    }
  });
}

TEST_CASE("many merkle steps, also in place, touch nothing beyond their output") {
  under_each_implementation([] {
    SplitMix random(7);
    for (std::size_t count = 0; count <= 40; ++count) {
      CAPTURE(count);
      const ByteVec in = random.bytes(64 * count);
      ByteVec expected;
      for (std::size_t i = 0; i < count; ++i)
        append(expected, textbook_sha256d(Bytes(in).subspan(64 * i, 64)));

      ByteVec apart(32 * count + 32, 0xee);
      sha256d_64_many(apart.data(), in.data(), count);
      CHECK(std::equal(expected.begin(), expected.end(), apart.begin()));
      CHECK(std::all_of(apart.end() - 32, apart.end(), [](auto byte) { return byte == 0xee; }));

      ByteVec place = in;
      sha256d_64_many(place.data(), place.data(), count);
      CHECK(std::equal(expected.begin(), expected.end(), place.begin()));
      CHECK(std::equal(place.begin() + 32 * count, place.end(), in.begin() + 32 * count));
    }
  });
}

TEST_CASE("the scan finds the genesis nonce, whatever the header's nonce field says") {
  ByteVec header = genesis_header();
  std::fill(header.begin() + 76, header.end(), std::uint8_t{0x5a});
  under_each_implementation([&] {
    const std::vector<std::uint32_t> only = {kGenesisNonce};
    CHECK(scan_nonces(header, kGenesisNonce - 3001, 5000, 0) == only);
    CHECK(scan_nonces(header, kGenesisNonce, 1, 0) == only);
    CHECK(scan_nonces(header, kGenesisNonce - 20, 20, 0).empty());
    CHECK(scan_nonces(header, kGenesisNonce + 1, 20, 0).empty());
  });
}

TEST_CASE("the scan equals a naive loop") {
  under_each_implementation([] {
    SplitMix random(8);
    for (std::uint32_t count = 0; count <= 40; ++count) {
      const ByteVec header = random.bytes(80);
      const auto first = static_cast<std::uint32_t>(random.next());
      const auto top_word = static_cast<std::uint32_t>(random.next());
      CHECK(scan_nonces(header, first, count, top_word) ==
            naive_scan(header, first, count, top_word));
    }
    const ByteVec header = random.bytes(80);
    CHECK(scan_nonces(header, 1'000'000, 5001, 0x01000000) ==
          naive_scan(header, 1'000'000, 5001, 0x01000000));
  });
}

TEST_CASE("the scan's bound is inclusive, unsigned, and its nonces wrap") {
  constexpr std::uint32_t kMax = std::numeric_limits<std::uint32_t>::max();
  ByteVec header = SplitMix(9).bytes(80);
  under_each_implementation([&] {
    CHECK(scan_nonces(header, 77, 4100, kMax).size() == 4100);
    CHECK(scan_nonces(header, kMax - 4, 10, kMax) ==
          std::vector<std::uint32_t>{kMax - 4, kMax - 3, kMax - 2, kMax - 1, kMax, 0, 1, 2, 3, 4});
    for (std::uint32_t nonce = 0; nonce < 50; ++nonce) {
      store_le(header.data() + 76, nonce);
      const std::uint32_t top = load_le<std::uint32_t>(textbook_sha256d(header).data() + 28);
      CHECK(scan_nonces(header, nonce, 1, top).size() == 1);
      CHECK(scan_nonces(header, nonce, 1, top - 1).empty());
    }
  });
}
