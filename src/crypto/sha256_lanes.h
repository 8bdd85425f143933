// SPDX-License-Identifier: MIT
// SHA-256 written once for any `V` with the arithmetic of a 32-bit word: std::uint32_t is one
// message, a vector of eight is eight messages side by side. Everything is unrolled, so constant
// message words fold into the round constants and results nobody reads cost nothing.
#pragma once

#include "crypto/sha256_impl.h"
#include "crypto/sha256_words.h"

namespace adit::sha {

template <class V>
struct Lanes {
  using State = V[8];
  using Block = V[16];

  ADIT_INLINE static V splat(std::uint32_t word) { return V{} + word; }

  ADIT_INLINE static void start(State& s) {
    unroll<0, 8>([&](auto i) ADIT_INLINE_BODY {
      s[decltype(i)::value] = splat(kInitial[decltype(i)::value]);
    });
  }

  /// Message word I; words from `Computed` on are made from the sixteen before.
  template <int I, int Computed>
  ADIT_INLINE static V word(Block& w) {
    if constexpr (I >= Computed)
      w[I & 15] += sigma1(w[(I - 2) & 15]) + w[(I - 7) & 15] + sigma0(w[(I - 15) & 15]);
    return w[I & 15];
  }

  /// x rotated by A, by B and by C, xored. A CPU that rotates in place saves two copies by nesting;
  /// a vector, whose rotation is three instructions, would only wait longer.
  template <int A, int B, int C>
  ADIT_INLINE static V sum_of_rotations(V x) {
    if constexpr (sizeof(V) == 4) return rotr(rotr(rotr(x, C - B) ^ x, B - A) ^ x, A);
    return rotr(x, A) ^ rotr(x, B) ^ rotr(x, C);
  }

  /// Round I, given its word with the round constant added. Instead of moving the eight words down
  /// a place, the places turn with I; after eight rounds they are back.
  template <int I>
  ADIT_INLINE static void round(State& s, V kw) {
    const auto at = [&](int k) ADIT_INLINE_BODY -> V& { return s[(k - I) & 7]; };
    const V a = at(0), b = at(1), c = at(2), e = at(4), f = at(5), g = at(6);
    const V t = at(7) + sum_of_rotations<6, 11, 25>(e) + (g ^ (e & (f ^ g))) + kw;
    at(3) += t;
    at(7) = t + sum_of_rotations<2, 13, 22>(a) + (b ^ ((a ^ b) & (b ^ c)));
  }

  template <int From, int Computed = 16>
  ADIT_INLINE static void rounds(State& s, Block& w) {
    unroll<From, 64>([&](auto i) ADIT_INLINE_BODY {
      constexpr int I = decltype(i)::value;
      round<I>(s, word<I, Computed>(w) + kRound.v[I]);
    });
  }

  ADIT_INLINE static void add(State& s, const State& before) {
    unroll<0, 8>([&](auto i)
                     ADIT_INLINE_BODY { s[decltype(i)::value] += before[decltype(i)::value]; });
  }

  ADIT_INLINE static void copy(State& to, const State& from) {
    unroll<0, 8>([&](auto i)
                     ADIT_INLINE_BODY { to[decltype(i)::value] = from[decltype(i)::value]; });
  }

  /// One block: `w` is used up.
  ADIT_INLINE static void compress(State& s, Block& w) {
    State before;
    copy(before, s);
    rounds<0>(s, w);
    add(s, before);
  }

  /// The constant padding block of a 64-byte message.
  ADIT_INLINE static void compress_padding_64(State& s) {
    State before;
    copy(before, s);
    unroll<0, 64>([&](auto i) ADIT_INLINE_BODY {
      constexpr int I = decltype(i)::value;
      round<I>(s, splat(kPadding64.v[I]));
    });
    add(s, before);
  }

  /// Replaces a hash by its hash.
  ADIT_INLINE static void hash_again(State& s) {
    Block w;
    hash_block(w, s);
    start(s);
    compress(s, w);
  }

  /// Message words 4-15 of a header's second block: the padding of 80 bytes.
  ADIT_INLINE static void pad_80(Block& w) {
    w[4] = splat(kPadBit);
    unroll<5, 15>([&](auto i) ADIT_INLINE_BODY { w[decltype(i)::value] = V{}; });
    w[15] = splat(80 * 8);
  }

  /// What of a scan does not depend on the nonce: three rounds and two schedule words.
  struct ScanStart {
    ADIT_INLINE explicit ScanStart(const ScanFront& front) {
      for (int i = 0; i < 8; ++i) before[i] = state[i] = splat(front.midstate[i]);
      for (int i = 0; i < 3; ++i) w[i] = splat(front.tail[i]);
      pad_80(w);
      w[3] = V{};
      unroll<0, 3>([&](auto i) ADIT_INLINE_BODY {
        constexpr int I = decltype(i)::value;
        round<I>(state, w[I] + kRound.v[I]);
      });
      word<16, 16>(w);
      word<17, 16>(w);
    }
    State before, state;
    Block w;
  };

  /// The last word of the double hash (before byte swap) of the header with this nonce.
  ADIT_INLINE static V scan(const ScanStart& from, V nonce) {
    State s;
    Block w;
    copy(s, from.state);
    pad_80(w);
    w[0] = from.w[0], w[1] = from.w[1], w[2] = from.w[2], w[3] = nonce;
    rounds<3, 18>(s, w);
    add(s, from.before);
    hash_block(w, s);
    start(s);
    rounds<0>(s, w);  // rounds 61-63 and all but one sum fall away: only s[7] is read
    return s[7] + kInitial[7];
  }

 private:
  ADIT_INLINE static void hash_block(Block& w, const State& hash) {
    unroll<0, 8>([&](auto i)
                     ADIT_INLINE_BODY { w[decltype(i)::value] = hash[decltype(i)::value]; });
    w[8] = splat(kPadBit);
    unroll<9, 15>([&](auto i) ADIT_INLINE_BODY { w[decltype(i)::value] = V{}; });
    w[15] = splat(32 * 8);
  }
};

}  // namespace adit::sha
