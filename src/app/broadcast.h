// SPDX-License-Identifier: MIT
// Broadcast: the order in which a worker's connections hear of a new job.
#pragma once

#include <algorithm>
#include <vector>

#include "app/connection.h"

namespace adit {

class Broadcast {
 public:
  struct Listener {
    Connection::Place place;
    float hash_rate = 0;  ///< H/s, as it was when it was last told of a job
    bool behind = false;  ///< has not heard of the job's tip yet
  };

  bool running() const { return next_ < order_.size(); }
  void clear() {
    order_.clear();
    next_ = 0;
  }
  /// Between clear() and sort().
  void add(const Listener& listener) { order_.push_back(listener); }
  /// Who is behind comes first: a full job often overtakes the empty one of its tip, and whoever
  /// has that can wait. Among equals those come first that do most work.
  void sort() {
    std::sort(order_.begin(), order_.end(), [](const Listener& a, const Listener& b) {
      if (a.behind != b.behind) return a.behind;
      return a.hash_rate != b.hash_rate ? a.hash_rate > b.hash_rate : a.place.slot < b.place.slot;
    });
  }
  /// While running().
  Connection::Place next() { return order_[next_++].place; }

 private:
  std::vector<Listener> order_;
  std::size_t next_ = 0;
};

}  // namespace adit
