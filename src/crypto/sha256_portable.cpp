// SPDX-License-Identifier: MIT
// SHA-256 in plain C++: the fallback of every CPU, and what the tests compare the others with.
#include "crypto/sha256_lanes.h"

namespace adit::sha {
namespace {

using Word = Lanes<std::uint32_t>;

// Each unrolled piece exists once, so that all of them fit the instruction cache together.
[[gnu::noinline]] void hash_again(std::uint32_t (&s)[8]) { Word::hash_again(s); }

void compress(std::uint32_t* state, const std::uint8_t* data, std::size_t blocks) {
  Word::State s;
  for (int i = 0; i < 8; ++i) s[i] = state[i];
  for (; blocks > 0; --blocks, data += 64) {
    Word::Block w;
    unroll<0, 16>([&](auto i) ADIT_INLINE_BODY {
      w[decltype(i)::value] = load_word(data + 4 * decltype(i)::value);
    });
    Word::compress(s, w);
  }
  for (int i = 0; i < 8; ++i) state[i] = s[i];
}

void compress_many(std::uint32_t* states, const std::uint8_t* data, std::size_t stride,
                   std::size_t blocks, std::size_t count) {
  for (; count > 0; --count, states += 8, data += stride) compress(states, data, blocks);
}

void store(std::uint8_t* out, const std::uint32_t (&s)[8]) {
  for (int i = 0; i < 8; ++i) store_word(out + 4 * i, s[i]);
}

void d80(std::uint8_t* out, const std::uint8_t* in) {
  Word::State s;
  Word::start(s);
  compress(s, in, 1);
  Word::Block w;
  for (int i = 0; i < 4; ++i) w[i] = load_word(in + 64 + 4 * i);
  Word::pad_80(w);
  Word::compress(s, w);
  hash_again(s);
  store(out, s);
}

void d64_many(std::uint8_t* out, const std::uint8_t* in, std::size_t count) {
  for (; count > 0; --count, in += 64, out += 32) {
    Word::State s;
    Word::start(s);
    compress(s, in, 1);
    Word::compress_padding_64(s);
    hash_again(s);
    store(out, s);
  }
}

std::size_t scan(const ScanFront& front, std::uint32_t first, std::uint32_t count,
                 std::uint32_t top_word, std::uint32_t* found) {
  const Word::ScanStart start(front);
  std::size_t hits = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    // A header holds its nonce little-endian; the message word is big-endian. So for the hash.
    const std::uint32_t last = Word::scan(start, __builtin_bswap32(first + i));
    if (__builtin_bswap32(last) <= top_word) found[hits++] = first + i;
  }
  return hits;
}

}  // namespace

constinit const Impl kPortable = {"portable", compress, compress_many, d80, d64_many,
                                  nullptr,    0,        scan};

}  // namespace adit::sha
