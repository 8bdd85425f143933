// SPDX-License-Identifier: MIT
// ExpiryWatch: says in time that a certificate ends: each day of its last fourteen, each hour once
// it is over. It is served all the same: who checks it refuses by himself, and the others go on
// mining. The main thread's.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>

#include "adit/base/time.h"

namespace adit {

class ExpiryWatch {
 public:
  struct Alarm {
    bool over = false;
    std::string text;
  };
  /// `end` as it is now: a reload may have brought another certificate.
  std::optional<Alarm> look(UnixMillis end, UnixMillis now) {
    const std::int64_t left = end.value() - now.value();
    if (left > 14 * kDay) return std::nullopt;
    const std::int64_t since = now.value() - told_;
    // A clock that was set back must not silence it.
    if (since >= 0 && since < (left > 0 ? kDay : kHour)) return std::nullopt;
    told_ = now.value();
    if (left <= 0) return Alarm{true, fmt::format("expired {} hours ago", -left / kHour)};
    return Alarm{false,
                 fmt::format("expires in {} days and {} hours", left / kDay, left % kDay / kHour)};
  }

 private:
  static constexpr std::int64_t kHour = 3'600'000, kDay = 24 * kHour;
  std::int64_t told_ = 0;
};

}  // namespace adit
