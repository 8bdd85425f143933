// SPDX-License-Identifier: MIT
// ClockTrust: whether the wall clock may say that shares are old. One that is years fast would have
// all of them forgotten at once; so a leap of more than a day, also over a restart, must stand for
// a day first. The ledger's thread.
#pragma once

#include <optional>

#include "adit/base/time.h"

namespace adit {

class ClockTrust {
 public:
  static constexpr std::int64_t kLeapMs = 86'400'000;
  static constexpr Duration kStands = std::chrono::hours(24);

  /// A leap forward that is noticed now, in milliseconds; 0 for none. `newest` is the time of the
  /// newest share when the books were opened (0: none); it counts at the first look.
  std::int64_t look(const Now& now, UnixMillis newest) {
    const auto steady =
        std::chrono::duration_cast<std::chrono::milliseconds>(now.mono.time_since_epoch());
    const std::int64_t offset = now.wall.value() - steady.count();
    const bool known = offset_ || newest != UnixMillis(0);
    const std::int64_t before = offset_ ? *offset_ : newest.value() - steady.count();
    offset_ = offset;
    if (!known || offset - before <= kLeapMs) return 0;
    held_until_ = now.mono + kStands;
    return offset - before;
  }
  bool trusted(Instant now) const { return now >= held_until_; }

 private:
  std::optional<std::int64_t> offset_;  // wall less steady
  Instant held_until_{};
};

}  // namespace adit
