// SPDX-License-Identifier: MIT
// Vardiff: from the work a channel has proved and the time that took, the difficulty at which it
// sends the wanted number of shares a minute. The estimate is Poisson: n shares in t seconds pin
// the rate to an interval, and the difficulty moves only when the wanted rate lies outside that
// interval, by at most 4x a step. Without shares it decays: silence too is evidence. Pure: time is
// an argument. Floating point is allowed here, and only here: the result is rounded to an exact
// Difficulty.
#pragma once

#include <optional>

#include "adit/base/time.h"
#include "adit/bitcoin/target.h"

namespace adit {

struct VardiffOptions {
  Difficulty start = Difficulty::from_u64(1024);
  Difficulty minimum = *Difficulty::parse("0.0001");
  Difficulty maximum = *Difficulty::parse("1e12");
  double shares_per_minute = 15;
  double step_limit = 4;
};

class Vardiff {
 public:
  Vardiff(const VardiffOptions& options, Difficulty start, Instant now);

  /// A share was accepted at the difficulty it was judged by.
  void share(const Difficulty& difficulty, Instant now);
  /// The next difficulty if it should change now. After a change the count starts anew.
  std::optional<Difficulty> retarget(Instant now);
  /// When to call retarget() again even without shares.
  Instant next_check() const;

  /// The miner's wish (d=, suggest_difficulty): a start or a fixed value; clamped to the operator's
  /// bounds.
  void suggest(const Difficulty& wish, Instant now);
  void set_floor(const Difficulty& floor);         ///< md=; never below the operator's minimum
  void fix(const Difficulty& value, Instant now);  ///< fd=
  /// Never harder than the network, whatever the bounds say.
  void set_ceiling(const Difficulty& network);

  const Difficulty& current() const { return current_; }
  /// Hashes a second, from the latest evidence; 0 when there is none. For memory and statistics.
  double hash_rate(Instant now) const;

 private:
  Difficulty clamp(const Difficulty& wish) const;
  const VardiffOptions* options_;  // shared by all channels, outlives them
  Difficulty current_, floor_, ceiling_;
  bool fixed_ = false;
  Instant since_{};
  double expected_ = 0;  // shares weighted to `current_`: difficulty sum / current
  std::uint32_t shares_ = 0;
};

/// The difficulty at which `hash_rate` (hashes a second) gives the wanted pace, clamped.
Difficulty difficulty_for_rate(const VardiffOptions& options, double hash_rate);

}  // namespace adit
