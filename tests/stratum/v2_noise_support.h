// SPDX-License-Identifier: MIT
// For the tests of V2's encryption: random bytes that are the same in every run, keys, and a
// finished handshake.
#pragma once

#include <doctest/doctest.h>

#include <optional>

#include "adit/stratum/v2/identity.h"
#include "adit/stratum/v2/noise.h"

namespace adit::v2::test {

/// SplitMix64 (Steele, Lea, Flood 2014).
class SplitMix {
 public:
  explicit SplitMix(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  ByteVec bytes(std::size_t count) {
    ByteVec out(count);
    fill(out);
    return out;
  }
  void fill(MutableBytes out) {
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(next());
  }
  FillRandom source() {
    return [this](MutableBytes out) { fill(out); };
  }

 private:
  std::uint64_t state_;
};

inline constexpr UnixSeconds kNow{1'800'000'000};

template <std::size_t N>
std::array<std::uint8_t, N> hex_array(std::string_view hex) {
  std::array<std::uint8_t, N> out;
  REQUIRE(from_hex(hex, out));
  return out;
}

inline SecretKey secret_of(std::string_view hex) {
  auto key = SecretKey::from_bytes(hex_array<32>(hex));
  REQUIRE(key.has_value());
  return std::move(*key);
}

struct Link {
  CipherPair client;
  CipherPair server;
};

/// A handshake with everything fresh.
inline Link connect(SplitMix& random) {
  const auto keeper =
      IdentityKeeper::self_issued(SecretKey::generate(random.source()), 1, kNow, random.source());
  Initiator initiator(EllSwiftKey::generate(random.source()));
  Answered answered = Responder(*keeper.identity(), EllSwiftKey::generate(random.source()))
                          .answer(initiator.hello());
  auto finished = std::move(initiator).finish(answered.wire, keeper.authority(), kNow);
  REQUIRE(finished.ok());
  return {std::move(finished->ciphers), std::move(answered.ciphers)};
}

}  // namespace adit::v2::test
