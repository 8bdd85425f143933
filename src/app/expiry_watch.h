// SPDX-License-Identifier: MIT
// ExpiryWatch: says in time that a certificate ends: once when 14 days are left, once at 7, once at
// one, and each hour when it is over. The main thread's.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

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
    const Stage stage = stage_of(left);
    if (end_ != end) stage_ = Stage::Far;
    end_ = end;
    // A clock that is set back takes the stage back, too: it is told again.
    const bool later = stage > std::exchange(stage_, stage);
    const std::int64_t since = now.value() - told_;
    const bool again = stage == Stage::Over && (since < 0 || since >= kHour);
    if (!later && !again) return std::nullopt;
    told_ = now.value();
    if (stage == Stage::Over)
      return Alarm{true, fmt::format("expired {} hours ago", -left / kHour)};
    return Alarm{false,
                 fmt::format("expires in {} days and {} hours", left / kDay, left % kDay / kHour)};
  }

 private:
  enum class Stage : std::uint8_t { Far, Fortnight, Week, Day, Over };
  static constexpr std::int64_t kHour = 3'600'000, kDay = 24 * kHour;

  static Stage stage_of(std::int64_t left) {
    if (left <= 0) return Stage::Over;
    if (left <= kDay) return Stage::Day;
    if (left <= 7 * kDay) return Stage::Week;
    return left <= 14 * kDay ? Stage::Fortnight : Stage::Far;
  }

  UnixMillis end_;
  Stage stage_ = Stage::Far;
  std::int64_t told_ = 0;
};

}  // namespace adit
