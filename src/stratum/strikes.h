// SPDX-License-Identifier: MIT
// Strikes and Pace: how often a client may be wrong, and how often it may ask. Both count within
// plain windows that start with the first event, so a few words a session are enough. A strike
// never says anything about an address: only the connection ends.
#pragma once

#include <cstdint>

#include "adit/base/time.h"

namespace adit {

/// Points for wrong input; 100 within ten minutes end the connection.
class Strikes {
 public:
  static constexpr std::uint32_t kLimit = 100;
  static constexpr Duration kWindow = std::chrono::minutes(10);

  /// True when the limit is reached.
  bool add(std::uint32_t points, Instant now) {
    if (points_ == 0 || now - start_ >= kWindow) {
      start_ = now;
      points_ = 0;
    }
    points_ += points;
    return points_ >= kLimit;
  }
  std::uint32_t points() const { return points_; }

 private:
  Instant start_{};
  std::uint32_t points_ = 0;
};

/// Counts events of one kind.
class Pace {
 public:
  /// Counts one; true when it is within `limit` for the window.
  bool allow(std::uint32_t limit, Duration window, Instant now) {
    if (count_ == 0 || now - start_ >= window) {
      start_ = now;
      count_ = 0;
    }
    return ++count_ <= limit;
  }
  void reset() { count_ = 0; }

 private:
  Instant start_{};
  std::uint32_t count_ = 0;
};

}  // namespace adit
