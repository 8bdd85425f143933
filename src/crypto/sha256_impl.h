// SPDX-License-Identifier: MIT
// One SHA-256 implementation as a table of functions, and the tables that exist. Plain types only:
// these functions are compiled with flags of their own (see sha256_words.h).
#pragma once

#include <cstddef>
#include <cstdint>

namespace adit::sha {

/// What stays the same while nonces change: the state after a header's first 64 bytes and the three
/// big-endian words between there and the nonce.
struct ScanFront {
  std::uint32_t midstate[8];
  std::uint32_t tail[3];
};

struct Impl {
  const char* name;
  /// Feeds `blocks` blocks of 64 bytes into `state`.
  void (*compress)(std::uint32_t* state, const std::uint8_t* data, std::size_t blocks);
  /// The same for `count` states that lie in a row: state i takes its blocks from data + i * stride
  /// (stride 0: all from the same place).
  void (*compress_many)(std::uint32_t* states, const std::uint8_t* data, std::size_t stride,
                        std::size_t blocks, std::size_t count);
  /// Double hash of 80 bytes. `out` may overlap `in`.
  void (*d80)(std::uint8_t* out, const std::uint8_t* in);
  /// As sha256d_64_many.
  void (*d64_many)(std::uint8_t* out, const std::uint8_t* in, std::size_t count);
  /// As sha256d_fold_many, for one to eight nodes that stay in their lanes on the way up; null:
  /// there are no lanes. Fewer than `lanes_worth` nodes are better off with d64_many.
  void (*fold_lanes)(std::uint8_t* nodes, std::size_t count, const std::uint8_t* siblings,
                     std::size_t levels);
  std::size_t lanes_worth;
  /// Writes the fitting nonces of [first, first + count) to `found` (room for `count`), returns how
  /// many. Nonces wrap at 2^32.
  std::size_t (*scan)(const ScanFront& front, std::uint32_t first, std::uint32_t count,
                      std::uint32_t top_word, std::uint32_t* found);
};

extern const Impl kPortable;
#if defined(__x86_64__)
extern const Impl kShaNi;
extern const Impl kAvx2;
extern const Impl kAvx512;
#elif defined(__aarch64__)
extern const Impl kArmv8;
#endif

/// The implementation in use; chosen by the CPU at the first call. Any thread.
const Impl& impl();

}  // namespace adit::sha
