// SPDX-License-Identifier: MIT
// Counters of one thread, written by it alone and read by anybody: relaxed loads and stores, no
// locked instruction.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "adit/mining/share.h"

namespace adit {

class Counter {
 public:
  /// The owning thread only.
  void add(std::uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void set(std::uint64_t n) { value_.store(n, std::memory_order_relaxed); }
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct WorkerCounters {
  Counter connections;  ///< open now
  Counter accepted;     ///< acknowledged to miners: durable
  Counter posted;       ///< sent to the ledger
  Counter blocks;
  Counter connects, closes;
  Counter turned_away;  ///< closed at once, for want of a place; not in `connects`
  Counter begun;        ///< connections that had a first share acknowledged...
  Counter begun_ms;     ///< ...and after how many milliseconds, in sum
  std::array<Counter, kRejectReasons> rejected;
  std::uint64_t rejected_sum() const {
    std::uint64_t sum = 0;
    for (const Counter& c : rejected) sum += c.get();
    return sum;
  }
};

}  // namespace adit
