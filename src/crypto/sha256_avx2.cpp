// SPDX-License-Identifier: MIT
// SHA-256 of eight messages side by side on AVX2, for CPUs without SHA instructions. A single
// message gains nothing from it and takes the portable way.
#include <immintrin.h>

#include "crypto/sha256_lanes.h"

namespace adit::sha {
namespace {

typedef std::uint32_t Vec __attribute__((vector_size(32)));
using Eight = Lanes<Vec>;

ADIT_INLINE Vec swap_bytes(Vec v) {
  const __m256i order = _mm256_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203,
                                          0x0c0d0e0f08090a0b, 0x0405060700010203);
  return reinterpret_cast<Vec>(_mm256_shuffle_epi8(reinterpret_cast<__m256i>(v), order));
}

/// Rows become columns: word j of vector i changes places with word i of vector j.
ADIT_INLINE void transpose(Vec (&v)[8]) {
  __m256i pairs[8], quads[8];
  unroll<0, 4>([&](auto i) ADIT_INLINE_BODY {
    constexpr int I = 2 * decltype(i)::value;
    const auto x = reinterpret_cast<__m256i>(v[I]), y = reinterpret_cast<__m256i>(v[I + 1]);
    pairs[I] = _mm256_unpacklo_epi32(x, y);
    pairs[I + 1] = _mm256_unpackhi_epi32(x, y);
  });
  unroll<0, 4>([&](auto i) ADIT_INLINE_BODY {
    constexpr int I = decltype(i)::value;
    constexpr int kFrom = (I & 1) + (I & 2) * 2;  // 0 1 4 5
    quads[2 * I] = _mm256_unpacklo_epi64(pairs[kFrom], pairs[kFrom + 2]);
    quads[2 * I + 1] = _mm256_unpackhi_epi64(pairs[kFrom], pairs[kFrom + 2]);
  });
  unroll<0, 4>([&](auto i) ADIT_INLINE_BODY {
    constexpr int I = decltype(i)::value;
    v[I] = reinterpret_cast<Vec>(_mm256_permute2x128_si256(quads[I], quads[I + 4], 0x20));
    v[I + 4] = reinterpret_cast<Vec>(_mm256_permute2x128_si256(quads[I], quads[I + 4], 0x31));
  });
}

/// Eight words each of eight messages that lie `kMessage` bytes apart.
ADIT_INLINE void load_half(Vec (&w)[8], const std::uint8_t* in) {
  constexpr int kMessage = 64;
  unroll<0, 8>([&](auto i) ADIT_INLINE_BODY {
    constexpr int I = decltype(i)::value;
    const auto row = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in + I * kMessage));
    w[I] = swap_bytes(reinterpret_cast<Vec>(row));
  });
  transpose(w);
}

void d64_eight(std::uint8_t* out, const std::uint8_t* in) {
  Vec front[8], back[8];
  load_half(front, in);
  load_half(back, in + 32);
  Eight::Block w;
  unroll<0, 8>([&](auto i) ADIT_INLINE_BODY {
    w[decltype(i)::value] = front[decltype(i)::value];
    w[decltype(i)::value + 8] = back[decltype(i)::value];
  });
  Eight::State s;
  Eight::start(s);
  Eight::compress(s, w);
  Eight::compress_padding_64(s);
  Eight::hash_again(s);
  transpose(s);
  unroll<0, 8>([&](auto i) ADIT_INLINE_BODY {
    constexpr int I = decltype(i)::value;
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 32 * I),
                        reinterpret_cast<__m256i>(swap_bytes(s[I])));
  });
}

void compress(std::uint32_t* state, const std::uint8_t* data, std::size_t blocks) {
  kPortable.compress(state, data, blocks);
}

void compress_many(std::uint32_t* states, const std::uint8_t* data, std::size_t stride,
                   std::size_t blocks, std::size_t count) {
  kPortable.compress_many(states, data, stride, blocks, count);
}

void d80(std::uint8_t* out, const std::uint8_t* in) { kPortable.d80(out, in); }

void d64_many(std::uint8_t* out, const std::uint8_t* in, std::size_t count) {
  for (; count >= 8; count -= 8, in += 512, out += 256) d64_eight(out, in);
  if (count > 0) kPortable.d64_many(out, in, count);
}

std::size_t scan(const ScanFront& front, std::uint32_t first, std::uint32_t count,
                 std::uint32_t top_word, std::uint32_t* found) {
  const Eight::ScanStart start(front);
  constexpr Vec kSteps = {0, 1, 2, 3, 4, 5, 6, 7};
  std::size_t hits = 0;
  for (std::uint32_t i = 0; i < count; i += 8) {
    // A header holds its nonce little-endian; the message word is big-endian. So for the hash.
    const Vec last = swap_bytes(Eight::scan(start, swap_bytes(kSteps + (first + i))));
    const auto fits = reinterpret_cast<__m256>(last <= top_word);
    for (auto mask = static_cast<unsigned>(_mm256_movemask_ps(fits)); mask != 0; mask &= mask - 1) {
      const std::uint32_t lane = static_cast<std::uint32_t>(__builtin_ctz(mask));
      if (i + lane < count) found[hits++] = first + i + lane;
    }
  }
  return hits;
}

}  // namespace

constinit const Impl kAvx2 = {"avx2", compress, compress_many, d80, d64_many, scan};

}  // namespace adit::sha
