// SPDX-License-Identifier: MIT
// SHA-256 of eight messages side by side in registers of 256 bits: what AVX2 and AVX-512 share. The
// intrinsics are AVX2's; where a compiler may use AVX-512VL, its rotations and three-way logic take
// half the instructions.
#pragma once

#include <immintrin.h>

#include "crypto/sha256_lanes.h"

namespace adit::sha {

typedef std::uint32_t EightWords __attribute__((vector_size(32)));

/// `Rest`: the Impl for messages that come alone. `kWorth`: as many messages in one go take less
/// time in eight lanes, some of them idle, than by `Rest`.
template <const Impl& Rest, std::size_t kWorth>
struct EightImpl {
  using Vec = EightWords;
  using Eight = Lanes<Vec>;
  static constexpr std::size_t kLanes = 8;

  ADIT_INLINE static Vec swap_bytes(Vec v) {
    const __m256i order = _mm256_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203,
                                            0x0c0d0e0f08090a0b, 0x0405060700010203);
    return reinterpret_cast<Vec>(_mm256_shuffle_epi8(reinterpret_cast<__m256i>(v), order));
  }

  template <class T>
  ADIT_INLINE static Vec load(const T* from) {
    return reinterpret_cast<Vec>(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
  }
  template <class T>
  ADIT_INLINE static void store(T* to, Vec v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), reinterpret_cast<__m256i>(v));
  }

  /// Rows become columns: word j of vector i changes places with word i of vector j.
  ADIT_INLINE static void transpose(Vec (&v)[8]) {
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

  /// Big-endian words, eight each of `count` messages `stride` bytes apart. Idle lanes repeat the
  /// last message.
  ADIT_INLINE static void load_rows(Vec (&w)[8], const std::uint8_t* in, std::size_t stride,
                                    std::size_t count) {
    unroll<0, 8>([&](auto i) ADIT_INLINE_BODY {
      constexpr std::size_t I = decltype(i)::value;
      w[I] = swap_bytes(load(in + (I < count ? I : count - 1) * stride));
    });
    transpose(w);
  }
  ADIT_INLINE static void load_block(Eight::Block& w, const std::uint8_t* in, std::size_t stride,
                                     std::size_t count) {
    Vec front[8], back[8];
    load_rows(front, in, stride, count);
    load_rows(back, in + 32, stride, count);
    unroll<0, 8>([&](auto i) ADIT_INLINE_BODY {
      w[decltype(i)::value] = front[decltype(i)::value];
      w[decltype(i)::value + 8] = back[decltype(i)::value];
    });
  }
  /// The same block in every lane.
  ADIT_INLINE static void splat_block(Eight::Block& w, const std::uint8_t* in) {
    unroll<0, 16>([&](auto i) ADIT_INLINE_BODY {
      w[decltype(i)::value] = Eight::splat(load_word(in + 4 * decltype(i)::value));
    });
  }
  ADIT_INLINE static void store_hashes(std::uint8_t* out, Eight::State& s, std::size_t count) {
    transpose(s);
    unroll<0, 8>([&](auto i) ADIT_INLINE_BODY {
      constexpr std::size_t I = decltype(i)::value;
      if (I < count) store(out + 32 * I, swap_bytes(s[I]));
    });
  }

  ADIT_INLINE static void hash_64(Eight::State& s, Eight::Block& w) {
    Eight::start(s);
    Eight::compress(s, w);
    Eight::compress_padding_64(s);
    Eight::hash_again(s);
  }

  static void d64_lanes(std::uint8_t* out, const std::uint8_t* in, std::size_t count) {
    Eight::Block w;
    load_block(w, in, 64, count);
    Eight::State s;
    hash_64(s, w);
    store_hashes(out, s, count);
  }

  static void fold_lanes(std::uint8_t* nodes, std::size_t count, const std::uint8_t* siblings,
                         std::size_t levels) {
    Eight::State s;
    load_rows(s, nodes, 32, count);
    for (; levels > 0; --levels, siblings += 32) {
      Eight::Block w;
      unroll<0, 8>([&](auto i) ADIT_INLINE_BODY {
        constexpr int I = decltype(i)::value;
        w[I] = s[I];
        w[I + 8] = Eight::splat(load_word(siblings + 4 * I));
      });
      hash_64(s, w);
    }
    store_hashes(nodes, s, count);
  }

  static void compress_lanes(std::uint32_t* states, const std::uint8_t* data, std::size_t stride,
                             std::size_t blocks, std::size_t count) {
    Eight::State s;
    unroll<0, 8>([&](auto i) ADIT_INLINE_BODY {
      constexpr std::size_t I = decltype(i)::value;
      s[I] = load(states + 8 * (I < count ? I : count - 1));
    });
    transpose(s);
    for (; blocks > 0; --blocks, data += 64) {
      Eight::Block w;
      if (stride == 0)
        splat_block(w, data);
      else
        load_block(w, data, stride, count);
      Eight::compress(s, w);
    }
    transpose(s);
    unroll<0, 8>([&](auto i) ADIT_INLINE_BODY {
      constexpr std::size_t I = decltype(i)::value;
      if (I < count) store(states + 8 * I, s[I]);
    });
  }

  static std::size_t lanes_of(std::size_t count) { return count < kLanes ? count : kLanes; }

  static void compress(std::uint32_t* state, const std::uint8_t* data, std::size_t blocks) {
    Rest.compress(state, data, blocks);
  }

  static void compress_many(std::uint32_t* states, const std::uint8_t* data, std::size_t stride,
                            std::size_t blocks, std::size_t count) {
    while (count >= kWorth) {
      const std::size_t now = lanes_of(count);
      compress_lanes(states, data, stride, blocks, now);
      states += 8 * now, data += now * stride, count -= now;
    }
    if (count > 0) Rest.compress_many(states, data, stride, blocks, count);
  }

  static void d80(std::uint8_t* out, const std::uint8_t* in) { Rest.d80(out, in); }

  static void d64_many(std::uint8_t* out, const std::uint8_t* in, std::size_t count) {
    while (count >= kWorth) {
      const std::size_t now = lanes_of(count);
      d64_lanes(out, in, now);
      out += 32 * now, in += 64 * now, count -= now;
    }
    if (count > 0) Rest.d64_many(out, in, count);
  }

  static std::size_t scan(const ScanFront& front, std::uint32_t first, std::uint32_t count,
                          std::uint32_t top_word, std::uint32_t* found) {
    const typename Eight::ScanStart start(front);
    constexpr Vec kSteps = {0, 1, 2, 3, 4, 5, 6, 7};
    std::size_t hits = 0;
    for (std::uint32_t i = 0; i < count; i += 8) {
      // A header holds its nonce little-endian; the message word is big-endian. So for the hash.
      const Vec last = swap_bytes(Eight::scan(start, swap_bytes(kSteps + (first + i))));
      const auto fits = reinterpret_cast<__m256>(last <= top_word);
      for (auto mask = static_cast<unsigned>(_mm256_movemask_ps(fits)); mask != 0;
           mask &= mask - 1) {
        const std::uint32_t lane = static_cast<std::uint32_t>(__builtin_ctz(mask));
        if (i + lane < count) found[hits++] = first + i + lane;
      }
    }
    return hits;
  }

  static constexpr Impl table(const char* name) {
    return {name, compress, compress_many, d80, d64_many, fold_lanes, kWorth, scan};
  }
};

}  // namespace adit::sha
