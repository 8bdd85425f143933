// SPDX-License-Identifier: MIT
// CommitTimes: tells when the disk is slow. Miners wait for every commit of the books, so one that
// takes a second is told at once, and more than one in a hundred above 100 ms in the second half of
// a minute. The ledger's thread.
#pragma once

#include <algorithm>
#include <optional>

#include "adit/base/time.h"

namespace adit {

class CommitTimes {
 public:
  static constexpr Duration kSlow = std::chrono::milliseconds(100);
  static constexpr Duration kAlarming = std::chrono::seconds(1);
  static constexpr Duration kWindow = std::chrono::minutes(1);

  struct Alarm {
    std::uint64_t commits = 0, slow = 0;  ///< in the window so far
    Duration longest{};
  };
  /// After each commit. An alarm at most once a window.
  std::optional<Alarm> took(Duration time, Instant now) {
    if (now - begun_ >= kWindow) {
      begun_ = now;
      window_ = {};
      told_ = false;
    }
    ++window_.commits;
    if (time > kSlow) ++window_.slow;
    window_.longest = std::max(window_.longest, time);
    const bool often = now - begun_ >= kWindow / 2 && window_.slow * 100 > window_.commits;
    if (told_ || (time < kAlarming && !often)) return std::nullopt;
    told_ = true;
    return window_;
  }

 private:
  Instant begun_{};
  Alarm window_;
  bool told_ = false;
};

}  // namespace adit
