// SPDX-License-Identifier: MIT
// SHA-256 written once for CPUs with SHA instructions (`Engine`: what one instruction set calls
// them) and for N independent messages at a time: one message alone waits for the latency of each
// instruction, two interleaved ones fill each other's gaps.
#pragma once

#include "crypto/sha256_impl.h"
#include "crypto/sha256_words.h"

namespace adit::sha {

/// Engine: `V` is four words (word 0 lowest), `State` the eight state words in the order the CPU
/// likes. Functions: load(words), load_be(bytes), make(w0..w3), from(V abcd, V efgh),
/// words(State, V& abcd, V& efgh), add(V, V), add(State, State),
/// four_rounds(State&, V words plus constants), schedule(V m0, m1, m2, m3): the next four words,
/// store_be(bytes, V), last_word(State): h.
template <class Engine, int N>
struct Streams {
  using V = typename Engine::V;
  using State = typename Engine::State;
  using States = State[N];
  using Blocks = V[N][4];

  ADIT_INLINE static void start(States& s) {
    const State initial = Engine::from(Engine::load(kInitial), Engine::load(kInitial + 4));
    unroll<0, N>([&](auto n) ADIT_INLINE_BODY { s[decltype(n)::value] = initial; });
  }

  /// One block into each state: `m` is used up.
  ADIT_INLINE static void compress(States& s, Blocks& m) {
    States before;
    unroll<0, N>([&](auto n)
                     ADIT_INLINE_BODY { before[decltype(n)::value] = s[decltype(n)::value]; });
    unroll<0, 16>([&](auto i) ADIT_INLINE_BODY {
      constexpr int I = decltype(i)::value;
      const V constants = Engine::load(kRound.v + 4 * I);
      unroll<0, N>([&](auto n) ADIT_INLINE_BODY {
        V(&w)[4] = m[decltype(n)::value];
        if constexpr (I >= 4)
          w[I & 3] = Engine::schedule(w[I & 3], w[(I + 1) & 3], w[(I + 2) & 3], w[(I + 3) & 3]);
        Engine::four_rounds(s[decltype(n)::value], Engine::add(w[I & 3], constants));
      });
    });
    add(s, before);
  }

  /// The constant padding block of a 64-byte message.
  ADIT_INLINE static void compress_padding_64(States& s) {
    States before;
    unroll<0, N>([&](auto n)
                     ADIT_INLINE_BODY { before[decltype(n)::value] = s[decltype(n)::value]; });
    unroll<0, 16>([&](auto i) ADIT_INLINE_BODY {
      const V words = Engine::load(kPadding64.v + 4 * decltype(i)::value);
      unroll<0, N>([&](auto n)
                       ADIT_INLINE_BODY { Engine::four_rounds(s[decltype(n)::value], words); });
    });
    add(s, before);
  }

  /// Replaces each hash by its hash.
  ADIT_INLINE static void hash_again(States& s) {
    Blocks m;
    unroll<0, N>([&](auto n) ADIT_INLINE_BODY {
      V(&w)[4] = m[decltype(n)::value];
      Engine::words(s[decltype(n)::value], w[0], w[1]);
      w[2] = Engine::make(kPadBit, 0, 0, 0);
      w[3] = Engine::make(0, 0, 0, 32 * 8);
    });
    start(s);
    compress(s, m);
  }

  ADIT_INLINE static void load(V (&w)[4], const std::uint8_t* block) {
    unroll<0, 4>([&](auto i) ADIT_INLINE_BODY {
      w[decltype(i)::value] = Engine::load_be(block + 16 * decltype(i)::value);
    });
  }

  /// Message words 4-15 of a header's second block: the padding of 80 bytes.
  ADIT_INLINE static void pad_80(V (&w)[4]) {
    w[1] = Engine::make(kPadBit, 0, 0, 0);
    w[2] = Engine::make(0, 0, 0, 0);
    w[3] = Engine::make(0, 0, 0, 80 * 8);
  }

  ADIT_INLINE static void store(std::uint8_t* out, const State& s) {
    V abcd, efgh;
    Engine::words(s, abcd, efgh);
    Engine::store_be(out, abcd);
    Engine::store_be(out + 16, efgh);
  }

  ADIT_INLINE static void d64(std::uint8_t* out, const std::uint8_t* in) {
    States s;
    Blocks m;
    start(s);
    unroll<0, N>([&](auto n) ADIT_INLINE_BODY {
      load(m[decltype(n)::value], in + 64 * decltype(n)::value);
    });
    compress(s, m);
    compress_padding_64(s);
    hash_again(s);
    unroll<0, N>([&](auto n) ADIT_INLINE_BODY {
      store(out + 32 * decltype(n)::value, s[decltype(n)::value]);
    });
  }

 private:
  ADIT_INLINE static void add(States& s, const States& before) {
    unroll<0, N>([&](auto n) ADIT_INLINE_BODY {
      constexpr int M = decltype(n)::value;
      s[M] = Engine::add(s[M], before[M]);
    });
  }
};

/// The table of an implementation, out of its engine.
template <class Engine>
struct StreamImpl {
  using One = Streams<Engine, 1>;
  using Two = Streams<Engine, 2>;
  using V = typename Engine::V;

  /// N states in a row, each with its own blocks, `stride` bytes apart.
  template <int N>
  ADIT_INLINE static void compress_row(std::uint32_t* states, const std::uint8_t* data,
                                       std::size_t stride, std::size_t blocks) {
    using Row = Streams<Engine, N>;
    typename Row::States s;
    unroll<0, N>([&](auto n) ADIT_INLINE_BODY {
      const std::uint32_t* words = states + 8 * decltype(n)::value;
      s[decltype(n)::value] = Engine::from(Engine::load(words), Engine::load(words + 4));
    });
    for (; blocks > 0; --blocks, data += 64) {
      typename Row::Blocks m;
      unroll<0, N>([&](auto n) ADIT_INLINE_BODY {
        Row::load(m[decltype(n)::value], data + decltype(n)::value * stride);
      });
      Row::compress(s, m);
    }
    unroll<0, N>([&](auto n) ADIT_INLINE_BODY {
      V abcd, efgh;
      Engine::words(s[decltype(n)::value], abcd, efgh);
      Engine::store(states + 8 * decltype(n)::value, abcd);
      Engine::store(states + 8 * decltype(n)::value + 4, efgh);
    });
  }

  static void compress(std::uint32_t* state, const std::uint8_t* data, std::size_t blocks) {
    compress_row<1>(state, data, 0, blocks);
  }

  static void compress_many(std::uint32_t* states, const std::uint8_t* data, std::size_t stride,
                            std::size_t blocks, std::size_t count) {
    for (; count >= 2; count -= 2, states += 16, data += 2 * stride)
      compress_row<2>(states, data, stride, blocks);
    if (count > 0) compress(states, data, blocks);
  }

  static void d80(std::uint8_t* out, const std::uint8_t* in) {
    typename One::States s;
    typename One::Blocks m;
    One::start(s);
    One::load(m[0], in);
    One::compress(s, m);
    m[0][0] = Engine::load_be(in + 64);
    One::pad_80(m[0]);
    One::compress(s, m);
    One::hash_again(s);
    One::store(out, s[0]);
  }

  static void d64_many(std::uint8_t* out, const std::uint8_t* in, std::size_t count) {
    for (; count >= 2; count -= 2, in += 128, out += 64) Two::d64(out, in);
    if (count > 0) One::d64(out, in);
  }

  static std::size_t scan(const ScanFront& front, std::uint32_t first, std::uint32_t count,
                          std::uint32_t top_word, std::uint32_t* found) {
    const auto midstate =
        Engine::from(Engine::load(front.midstate), Engine::load(front.midstate + 4));
    std::size_t hits = 0;
    for (std::uint32_t i = 0; i < count; i += 2) {
      typename Two::States s = {midstate, midstate};
      typename Two::Blocks m;
      unroll<0, 2>([&](auto n) ADIT_INLINE_BODY {
        constexpr int M = decltype(n)::value;
        // A header holds its nonce little-endian; the message word is big-endian. So for the hash.
        m[M][0] = Engine::make(front.tail[0], front.tail[1], front.tail[2],
                               __builtin_bswap32(first + i + M));
        Two::pad_80(m[M]);
      });
      Two::compress(s, m);
      Two::hash_again(s);  // what only the other seven words need falls away
      // Both answers are wanted before any branch: behind one, the compiler would compute the
      // second message after the first instead of beside it.
      const bool fits0 = __builtin_bswap32(Engine::last_word(s[0])) <= top_word;
      const bool fits1 = __builtin_bswap32(Engine::last_word(s[1])) <= top_word;
      if (!(fits0 | fits1)) continue;
      if (fits0) found[hits++] = first + i;
      if (fits1 && i + 1 < count) found[hits++] = first + i + 1;
    }
    return hits;
  }

  static constexpr Impl table(const char* name) {
    return {name, compress, compress_many, d80, d64_many, nullptr, 0, scan};
  }
};

}  // namespace adit::sha
