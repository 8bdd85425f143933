// SPDX-License-Identifier: MIT
// AcceptGate: how many newcomers one worker lets in. A token bucket of a quarter of a second: a
// farm that comes back at once is let in at a steady pace while the others go on mining. Whoever
// does not get in stays in the kernel's queue. One gate for all listeners of a worker; its
// thread's.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "adit/base/time.h"

namespace adit {

class AcceptGate {
 public:
  /// `per_second` newcomers to all `workers` together; 0: no limit. The kernel spreads connections
  /// over the workers, so each lets in its part.
  AcceptGate(std::uint32_t per_second, std::uint32_t workers)
      : interval_(per_second == 0 ? Duration{}
                                  : Duration(std::chrono::seconds(1)) * workers / per_second) {}

  /// nullopt: the next may come in. Else when this listener looks again: each that is refused gets
  /// a turn of its own, so that a flood on one port does not shut the others.
  std::optional<Instant> shut(Instant now) {
    if (full_ <= now + kBurst) return std::nullopt;
    const Duration step = std::max(kTurn, interval_);
    turn_ = std::max({turn_ + step, now + step, full_ - kBurst});
    return turn_;
  }
  /// One came in.
  void passed(Instant now) { full_ = std::max(full_, now) + interval_; }

 private:
  static constexpr Duration kBurst = std::chrono::milliseconds(250);
  /// Between two looks: long enough for a turn of the loop to be worth its price.
  static constexpr Duration kTurn = std::chrono::milliseconds(10);
  Duration interval_;
  Instant full_{};  // when the bucket is full again
  Instant turn_{};  // the last one given
};

}  // namespace adit
