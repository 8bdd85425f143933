// SPDX-License-Identifier: MIT
// ShareRate: hashes a second by the work of somebody's shares, over the last five minutes.
// For showing, never for paying.
#pragma once

#include <algorithm>

#include "adit/base/time.h"
#include "adit/bitcoin/target.h"

namespace adit {

class ShareRate {
 public:
  static constexpr Duration kWindow = std::chrono::minutes(5);
  /// Less time than this says nothing yet: what is known counts as if it took so long.
  static constexpr Duration kLeast = std::chrono::minutes(1);

  void add(Work work, Instant now) {
    roll(now);
    hashes_ += static_cast<double>(work.value());
  }
  /// `since`: from when on there could have been shares.
  double per_second(Instant since, Instant now) const {
    ShareRate rolled = *this;
    rolled.roll(now);
    using Seconds = std::chrono::duration<double>;
    const double part = Seconds(now - rolled.begun_) / Seconds(kWindow);
    const Duration span = std::clamp<Duration>(now - since, kLeast, kWindow);
    return (rolled.before_ * (1 - part) + rolled.hashes_) / Seconds(span).count();
  }

 private:
  void roll(Instant now) {
    if (now - begun_ < kWindow) return;
    const bool next = now - begun_ < 2 * kWindow;
    before_ = next ? hashes_ : 0;
    begun_ = next ? begun_ + kWindow : now;
    hashes_ = 0;
  }
  Instant begun_{};                 // of the window
  double hashes_ = 0, before_ = 0;  // in the window, and in the one before
};

}  // namespace adit
