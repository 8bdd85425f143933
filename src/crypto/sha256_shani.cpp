// SPDX-License-Identifier: MIT
// SHA-256 on the SHA instructions of x86 (Intel Goldmont, Ice Lake; AMD Zen and later).
#include <immintrin.h>

#include "crypto/sha256_streams.h"

namespace adit::sha {
namespace {

struct ShaNi {
  using V = __m128i;
  struct State {
    V abef, cdgh;  // words from the highest lane down, as sha256rnds2 wants them
  };

  ADIT_INLINE static V load(const std::uint32_t* words) {
    return _mm_loadu_si128(reinterpret_cast<const V*>(words));
  }
  ADIT_INLINE static void store(std::uint32_t* words, V v) {
    _mm_storeu_si128(reinterpret_cast<V*>(words), v);
  }
  ADIT_INLINE static V swap_bytes(V v) {
    return _mm_shuffle_epi8(v, _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
  }
  ADIT_INLINE static V load_be(const std::uint8_t* bytes) {
    return swap_bytes(_mm_loadu_si128(reinterpret_cast<const V*>(bytes)));
  }
  ADIT_INLINE static void store_be(std::uint8_t* bytes, V v) {
    _mm_storeu_si128(reinterpret_cast<V*>(bytes), swap_bytes(v));
  }
  ADIT_INLINE static V make(std::uint32_t w0, std::uint32_t w1, std::uint32_t w2,
                            std::uint32_t w3) {
    return _mm_set_epi32(static_cast<int>(w3), static_cast<int>(w2), static_cast<int>(w1),
                         static_cast<int>(w0));
  }
  ADIT_INLINE static State from(V abcd, V efgh) {
    const V badc = _mm_shuffle_epi32(abcd, 0xb1);  // lanes from low to high: b a d c
    const V hgfe = _mm_shuffle_epi32(efgh, 0x1b);
    return {_mm_alignr_epi8(badc, hgfe, 8), _mm_blend_epi16(hgfe, badc, 0xf0)};
  }
  ADIT_INLINE static void words(const State& s, V& abcd, V& efgh) {
    const V abef = _mm_shuffle_epi32(s.abef, 0x1b);
    const V ghcd = _mm_shuffle_epi32(s.cdgh, 0xb1);
    abcd = _mm_blend_epi16(abef, ghcd, 0xf0);
    efgh = _mm_alignr_epi8(ghcd, abef, 8);
  }
  ADIT_INLINE static V add(V x, V y) { return _mm_add_epi32(x, y); }
  ADIT_INLINE static State add(const State& x, const State& y) {
    return {add(x.abef, y.abef), add(x.cdgh, y.cdgh)};
  }
  ADIT_INLINE static void four_rounds(State& s, V kw) {
    // Two rounds turn (abef, cdgh) into (new, abef); twice, and the names are right again.
    s.cdgh = _mm_sha256rnds2_epu32(s.cdgh, s.abef, kw);
    s.abef = _mm_sha256rnds2_epu32(s.abef, s.cdgh, _mm_shuffle_epi32(kw, 0x0e));
  }
  ADIT_INLINE static V schedule(V m0, V m1, V m2, V m3) {
    return _mm_sha256msg2_epu32(add(_mm_sha256msg1_epu32(m0, m1), _mm_alignr_epi8(m3, m2, 4)), m3);
  }
  ADIT_INLINE static std::uint32_t last_word(const State& s) {
    return static_cast<std::uint32_t>(_mm_cvtsi128_si32(s.cdgh));
  }
};

}  // namespace

constinit const Impl kShaNi = StreamImpl<ShaNi>::table("sha-ni");

}  // namespace adit::sha
