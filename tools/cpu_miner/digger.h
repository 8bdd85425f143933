// SPDX-License-Identifier: MIT
// Digger: one hashing thread. HashPace: holds it to a rate.
#pragma once

#include "cpu_miner/work_shelf.h"

namespace adit::miner {

/// How many hashes to try at a go, and when the next go may begin. Pure: time is an argument.
class HashPace {
 public:
  using Instant = WorkShelf::Clock::time_point;
  static constexpr std::uint32_t kMostAtOnce = 1 << 15;

  /// `per_second` <= 0: no limit.
  HashPace(double per_second, Instant now) : per_second_(per_second), next_(now) {}
  /// About 20 ms of hashing at the limit, so that even a slow miner is even.
  std::uint32_t batch() const;
  /// After `count` more hashes: when to go on. Time lost to waiting is not made up for.
  Instant after(std::uint32_t count, Instant now);

 private:
  double per_second_;
  Instant next_;
};

/// Hashes what is on the shelf until it is stopped.
void dig(WorkShelf& shelf, double hashes_per_second);

}  // namespace adit::miner
