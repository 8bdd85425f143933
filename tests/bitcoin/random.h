// SPDX-License-Identifier: MIT
// Repeatable noise for property tests (splitmix64).
#pragma once

#include <cstdint>

#include "adit/bitcoin/hash.h"
#include "adit/bitcoin/u256.h"

namespace adit::test {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  std::uint64_t below(std::uint64_t end) { return next() % end; }
  template <class Hash>
  Hash hash() {
    Hash h;
    for (auto& byte : h.bytes) byte = static_cast<std::uint8_t>(next());
    return h;
  }
  /// Of any length from 0 to 256 bits; runs of ones and zeros are as likely as noise.
  U256 number() {
    U256 v;
    for (auto& limb : v.limb) {
      const std::uint64_t kind = below(4);
      limb = kind == 0 ? 0 : kind == 1 ? ~0ull : next();
    }
    return v >> static_cast<unsigned>(below(257));
  }

 private:
  std::uint64_t state_;
};

}  // namespace adit::test
