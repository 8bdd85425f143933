// SPDX-License-Identifier: MIT
// Deadlines of many connections in one heap: at most about one entry each, because an entry is
// moved only when it is due.
#pragma once

#include <cstdint>
#include <optional>
#include <queue>
#include <vector>

#include "adit/base/time.h"

namespace adit {

class Deadlines {
 public:
  struct Entry {
    Instant at;
    std::uint32_t slot = 0;
    std::uint32_t generation = 0;
    bool operator>(const Entry& other) const { return at > other.at; }
  };
  void push(const Entry& entry) { heap_.push(entry); }
  std::optional<Instant> next() const {
    return heap_.empty() ? std::nullopt : std::optional(heap_.top().at);
  }
  /// The earliest entry if it is due.
  std::optional<Entry> pop_due(Instant now) {
    if (heap_.empty() || heap_.top().at > now) return std::nullopt;
    const Entry entry = heap_.top();
    heap_.pop();
    return entry;
  }

 private:
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> heap_;
};

}  // namespace adit
