// SPDX-License-Identifier: MIT
// SHA-256 on the SHA-2 instructions of ARMv8 (the "sha2" feature of Linux).
#include <arm_neon.h>

#include "crypto/sha256_streams.h"

namespace adit::sha {
namespace {

struct Armv8 {
  using V = uint32x4_t;
  struct State {
    V abcd, efgh;
  };

  ADIT_INLINE static V load(const std::uint32_t* words) { return vld1q_u32(words); }
  ADIT_INLINE static void store(std::uint32_t* words, V v) { vst1q_u32(words, v); }
  ADIT_INLINE static V load_be(const std::uint8_t* bytes) {
    return vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(bytes)));
  }
  ADIT_INLINE static void store_be(std::uint8_t* bytes, V v) {
    vst1q_u8(bytes, vrev32q_u8(vreinterpretq_u8_u32(v)));
  }
  ADIT_INLINE static V make(std::uint32_t w0, std::uint32_t w1, std::uint32_t w2,
                            std::uint32_t w3) {
    return V{w0, w1, w2, w3};
  }
  ADIT_INLINE static State from(V abcd, V efgh) { return {abcd, efgh}; }
  ADIT_INLINE static void words(const State& s, V& abcd, V& efgh) {
    abcd = s.abcd;
    efgh = s.efgh;
  }
  ADIT_INLINE static V add(V x, V y) { return vaddq_u32(x, y); }
  ADIT_INLINE static State add(const State& x, const State& y) {
    return {add(x.abcd, y.abcd), add(x.efgh, y.efgh)};
  }
  ADIT_INLINE static void four_rounds(State& s, V kw) {
    const V abcd = s.abcd;
    s.abcd = vsha256hq_u32(abcd, s.efgh, kw);
    s.efgh = vsha256h2q_u32(s.efgh, abcd, kw);
  }
  ADIT_INLINE static V schedule(V m0, V m1, V m2, V m3) {
    return vsha256su1q_u32(vsha256su0q_u32(m0, m1), m2, m3);
  }
  ADIT_INLINE static std::uint32_t last_word(const State& s) { return vgetq_lane_u32(s.efgh, 3); }
};

}  // namespace

constinit const Impl kArmv8 = StreamImpl<Armv8>::table("armv8");

}  // namespace adit::sha
