// SPDX-License-Identifier: MIT
// KnownBlocks: the hashes of blocks that were told already, so that none is kept and submitted
// twice. Bounded: the one that came first goes first. One thread's.
#pragma once

#include <cstddef>
#include <deque>
#include <set>

#include "adit/bitcoin/hash.h"

namespace adit {

class KnownBlocks {
 public:
  explicit KnownBlocks(std::size_t most) : most_(most) {}
  /// False: it is known already.
  bool insert(const BlockHash& hash) {
    if (!hashes_.insert(hash).second) return false;
    order_.push_back(hash);
    if (order_.size() > most_) {
      hashes_.erase(order_.front());
      order_.pop_front();
    }
    return true;
  }
  bool contains(const BlockHash& hash) const { return hashes_.contains(hash); }

 private:
  std::size_t most_;
  std::set<BlockHash> hashes_;
  std::deque<BlockHash> order_;  // as they came
};

}  // namespace adit
