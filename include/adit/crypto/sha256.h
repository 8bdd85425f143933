// SPDX-License-Identifier: MIT
// SHA-256 (FIPS 180-4) and Bitcoin's double SHA-256, written here because it is the product. The
// fastest code the CPU has is chosen once, at first use; every path gives the same bytes.
// All functions: any thread, no allocation, no failure.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "adit/base/bytes.h"

namespace adit {

using Digest = std::array<std::uint8_t, 32>;

/// The eight words after a whole number of 64-byte blocks.
struct Sha256State {
  std::array<std::uint32_t, 8> words;
  static Sha256State initial();
};

/// Streaming. A copy is a midstate: hash the constant front once, copy, go on.
class Sha256 {
 public:
  Sha256();
  Sha256& write(Bytes data);
  Digest finish();         ///< the object is spent afterwards
  Digest finish_double();  ///< SHA-256 of finish()

 private:
  Sha256State state_;
  std::array<std::uint8_t, 64> buffer_;
  std::uint64_t length_ = 0;
};

Digest sha256(Bytes data);
Digest sha256d(Bytes data);
/// Double SHA-256 of exactly 64 bytes: one merkle step.
Digest sha256d_64(const std::uint8_t* in);
/// Double SHA-256 of exactly 80 bytes: a block header.
Digest sha256d_80(const std::uint8_t* in);
/// `count` merkle steps: `out[32*i]` = sha256d(in[64*i .. 64*i+64]). `out` may equal `in`.
void sha256d_64_many(std::uint8_t* out, const std::uint8_t* in, std::size_t count);

/// Scans nonces for a CPU miner. `header` is 80 bytes, its nonce field is ignored. Tries `count`
/// nonces from `first`; calls back nothing: returns the nonces whose hash has its last
/// (most significant) 32-bit word <= `top_word`; the caller compares the full target.
std::vector<std::uint32_t> scan_nonces(Bytes header, std::uint32_t first, std::uint32_t count,
                                       std::uint32_t top_word);

/// The implementations compiled in and usable on this CPU, best first: "avx512", "sha-ni", "avx2",
/// "armv8", "portable". Tests run each of them through `sha256_select`.
std::vector<std::string_view> sha256_implementations();
/// For tests and benchmarks, before threads start: false if it is not usable here.
bool sha256_select(std::string_view name);
std::string_view sha256_selected();

}  // namespace adit
