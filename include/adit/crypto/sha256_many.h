// SPDX-License-Identifier: MIT
// Double SHA-256 of several messages of one shape side by side, as the shares of one read come. A
// message alone waits for the latency of each instruction; with SHA instructions two take the time
// of one. All functions: any thread, no allocation, no failure, same bytes as one by one.
#pragma once

#include "adit/crypto/sha256.h"

namespace adit {

/// `count` block headers: `out[32*i]` = sha256d(in[80*i .. 80*i+80]).
void sha256d_80_many(std::uint8_t* out, const std::uint8_t* in, std::size_t count);

/// `count` leaves climb one merkle branch: for each of the `levels` siblings (32 bytes each) in
/// turn, nodes[32*i] becomes sha256d(nodes[32*i] || sibling).
void sha256d_fold_many(std::uint8_t* nodes, std::size_t count, const std::uint8_t* siblings,
                       std::size_t levels);

/// A message that is constant around one gap, as a coinbase is around its extranonce. What is
/// constant is hashed once where it comes first, and laid out once where it comes last.
class Sha256Gap {
 public:
  static constexpr std::size_t kMaxGap = 64;
  Sha256Gap() = default;  ///< to be assigned before use
  /// `gap` is at most kMaxGap (CHECK).
  Sha256Gap(Bytes front, std::size_t gap, Bytes back);
  /// `out[32*i]` = sha256d(front || fillings[gap*i .. gap*i+gap] || back).
  void sha256d_many(std::uint8_t* out, const std::uint8_t* fillings, std::size_t count) const;

 private:
  Sha256State midstate_ = Sha256State::initial();  // after the whole blocks before the gap
  std::size_t at_ = 0;                             // where the gap is in blocks_
  std::size_t gap_ = 0;
  std::size_t touched_ = 0;  // bytes of the blocks that hold the gap
  ByteVec blocks_;           // the rest of the message with its padding, zeros in the gap
};

}  // namespace adit
