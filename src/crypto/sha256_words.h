// SPDX-License-Identifier: MIT
// The numbers of FIPS 180-4 and the few helpers every SHA-256 implementation shares. Files that
// include this are compiled with different CPU flags, so everything here is forced inline or plain
// data: a shared out-of-line copy could hold instructions the running CPU does not have.
#pragma once

#include <cstddef>
#include <cstdint>

#define ADIT_INLINE [[gnu::always_inline]] inline
#define ADIT_INLINE_BODY __attribute__((always_inline))  // for a lambda

namespace adit::sha {

/// 64 words, one a round.
struct alignas(64) RoundWords {
  std::uint32_t v[64];
};

// clang-format off
inline constexpr RoundWords kRound = {{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
}};

alignas(32) inline constexpr std::uint32_t kInitial[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};
// clang-format on

inline constexpr std::uint32_t kPadBit = 0x80000000;  ///< the 1 bit that ends every message

/// Uniform for a word and for a vector of words (GCC vector extension).
template <class V>
ADIT_INLINE constexpr V rotr(V x, int n) {
  return (x >> n) | (x << (32 - n));
}
template <class V>
ADIT_INLINE constexpr V sigma0(V x) {
  return rotr(x, 7) ^ rotr(x, 18) ^ (x >> 3);
}
template <class V>
ADIT_INLINE constexpr V sigma1(V x) {
  return rotr(x, 17) ^ rotr(x, 19) ^ (x >> 10);
}

/// Round constants with the schedule of the padding block of a 64-byte message already added: that
/// block is the same for every such message.
constexpr RoundWords padding_rounds_64() {
  RoundWords w{};
  w.v[0] = kPadBit;
  w.v[15] = 64 * 8;
  for (int i = 16; i < 64; ++i)
    w.v[i] = sigma1(w.v[i - 2]) + w.v[i - 7] + sigma0(w.v[i - 15]) + w.v[i - 16];
  for (int i = 0; i < 64; ++i) w.v[i] += kRound.v[i];
  return w;
}
inline constexpr RoundWords kPadding64 = padding_rounds_64();

ADIT_INLINE std::uint32_t load_word(const std::uint8_t* p) {
  std::uint32_t word;
  __builtin_memcpy(&word, p, 4);
  return __builtin_bswap32(word);
}
ADIT_INLINE void store_word(std::uint8_t* p, std::uint32_t word) {
  word = __builtin_bswap32(word);
  __builtin_memcpy(p, &word, 4);
}

template <int I>
struct Index {
  static constexpr int value = I;
};
template <int From, int To, class F>
ADIT_INLINE void unroll(const F& f) {
  if constexpr (From < To) {
    f(Index<From>{});
    unroll<From + 1, To>(f);
  }
}

}  // namespace adit::sha
