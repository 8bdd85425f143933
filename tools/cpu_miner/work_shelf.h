// SPDX-License-Identifier: MIT
// WorkShelf: between the thread that speaks to the pool and those that hash. Work goes one way,
// found shares the other; both are bounded. Any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "client/work.h"

namespace adit::miner {

struct FoundShare {
  client::WorkPtr work;
  ByteVec extranonce2;
  std::uint32_t nonce = 0;
  std::uint32_t version_bits = 0;
};

class WorkShelf {
 public:
  using Clock = std::chrono::steady_clock;
  /// Found and not yet answered by the pool; beyond it the miners wait.
  static constexpr std::size_t kOpenShares = 256;

  WorkShelf();
  ~WorkShelf();
  WorkShelf(const WorkShelf&) = delete;
  WorkShelf& operator=(const WorkShelf&) = delete;

  /// New work for all; null: there is none, rest. Clean work, and none, drop the shares of before
  /// that were not collected.
  void put(client::WorkPtr work);
  /// Ends all waiting for good.
  void stop();
  /// What was found since; they stay open until close_shares().
  std::vector<FoundShare> collect();
  void close_shares(std::size_t count);
  /// Readable when collect() has something.
  int wake_fd() const { return wake_fd_; }

  /// Waits for work other than `seen`'s and updates it; null after stop().
  client::WorkPtr next(std::uint64_t& seen);
  bool changed(std::uint64_t seen) const { return generation_ != seen; }
  /// Sleeps; false when the work changed meanwhile.
  bool rest_until(Clock::time_point until, std::uint64_t seen);
  /// Waits while too many are open; false when the work changed meanwhile and the share is lost.
  bool offer(FoundShare share, std::uint64_t seen);

  std::atomic<std::uint64_t> hashes = 0;
  /// Never starts anew, so that no two headers are equal, not even under a new id of the same job.
  std::atomic<std::uint64_t> rolls = 0;

 private:
  std::mutex mutex_;
  std::condition_variable moved_;
  std::atomic<std::uint64_t> generation_ = 0;
  client::WorkPtr work_;
  std::vector<FoundShare> found_;
  std::size_t open_ = 0;  // with those in found_
  bool stopped_ = false;
  int wake_fd_;
};

}  // namespace adit::miner
