// SPDX-License-Identifier: MIT
// Made-up shares for tests and measurements of the ledger: seeded, all different, each proving
// 2^32.
#pragma once

#include "adit/ledger/ledger.h"

namespace adit::test {

inline constexpr Work kSampleWork{Uint128{1} << 32};

inline constexpr NetworkFacts kSampleNetwork{Uint128{1} << 40, Satoshi(312'500'000),
                                             Satoshi(1'000'000)};

class ShareMaker {
 public:
  explicit ShareMaker(std::uint64_t seed = 1) : state_(seed * 0xD1342543DE82EF95ull + 1) {}

  std::uint64_t number() {  // splitmix64
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15ull;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t limit) { return number() % limit; }

  static BlockHash tip(std::uint32_t height) {
    BlockHash hash;
    store_le(hash.bytes.data(), height + 1000u);
    return hash;
  }

  ShareCandidate share(LedgerWorkerId worker, std::uint32_t height = 100) {
    ShareCandidate c;
    c.worker = worker;
    for (int i = 0; i < 28; i += 4)
      store_le(c.hash.bytes.data() + i, static_cast<std::uint32_t>(number()));
    c.tip = tip(height);
    c.work = kSampleWork;
    c.height = height;
    return c;
  }

 private:
  std::uint64_t state_;
};

}  // namespace adit::test
