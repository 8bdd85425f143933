// SPDX-License-Identifier: MIT
// For the SHA-256 tests: pseudo-random bytes, a textbook SHA-256 to compare with, and a way to run
// a piece of a test under each implementation.
#pragma once

#include <doctest/doctest.h>

#include <bit>
#include <cstdint>
#include <string>

#include "adit/crypto/sha256.h"

namespace adit::test {

/// SplitMix64 (Steele, Lea, Flood 2014): enough to make inputs, the same ones in every run.
class SplitMix {
 public:
  explicit SplitMix(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  ByteVec bytes(std::size_t count) {
    ByteVec out(count);
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(next());
    return out;
  }

 private:
  std::uint64_t state_;
};

/// FIPS 180-4 section 6.2.2 word for word; the constants come from their definition: the first 32
/// bits of the fractional parts of the roots of the first primes.
Digest textbook_sha256(Bytes message);
Digest textbook_sha256d(Bytes message);

/// Runs `body` under each implementation this CPU has, then selects the best again.
template <class Body>
void under_each_implementation(const Body& body) {
  const auto names = sha256_implementations();
  for (const std::string_view name : names) {
    REQUIRE(sha256_select(name));
    const std::string shown(name);
    CAPTURE(shown);
    body();
  }
  REQUIRE(sha256_select(names.front()));
}

}  // namespace adit::test
