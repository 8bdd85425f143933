// SPDX-License-Identifier: MIT
// PendingShares: accepted shares whose commit has not been reported, oldest first. Bounded.
#pragma once

#include <cstdint>
#include <vector>

#include "adit/base/check.h"
#include "adit/bitcoin/target.h"

namespace adit::v2 {

struct PendingShare {
  std::uint32_t channel_id = 0;
  std::uint32_t sequence = 0;
  Work work;
};

class PendingShares {
 public:
  static constexpr std::size_t kLimit = 4096;

  /// False: the queue is full.
  [[nodiscard]] bool push(const PendingShare& share) {
    if (queue_.size() - first_ >= kLimit) return false;
    queue_.push_back(share);
    return true;
  }
  PendingShare pop() {
    CHECK(first_ < queue_.size());
    const PendingShare share = queue_[first_++];
    if (first_ == queue_.size()) {
      queue_.clear();
      first_ = 0;
    } else if (first_ >= kLimit) {
      queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(first_));
      first_ = 0;
    }
    return share;
  }
  bool empty() const { return queue_.empty(); }

 private:
  std::vector<PendingShare> queue_;
  std::size_t first_ = 0;
};

}  // namespace adit::v2
