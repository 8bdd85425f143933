// SPDX-License-Identifier: MIT
// Vardiff: from the work a channel has proved and the time that took, the difficulty at which it
// sends the wanted number of shares a minute. Pure: time is an argument. Floating point is allowed
// here, and only here: the result is rounded to an exact Difficulty.
//
// The law. n shares in a window of t seconds pin the rate to an interval (Poisson; shares of other
// difficulties weigh by their work). The difficulty moves only when the wanted rate lies outside
// that interval, then to the estimate, and the window starts anew. Silence is evidence too: n = 0
// has an upper bound that falls with t.
//
// A new channel has an interval of two sigmas and moves of any size: a fast newcomer is measured
// once, after 32 shares or after 12 and a second, and is one or two changes from 1024 to 1 EH/s.
// One of which nothing is known and which never sent a share is searched for: each silent window
// (15 s) divides by 4096, as too many shares are measured faster than too few.
//
// A settled channel (12 shares, wanted rate inside the interval) has three sigmas and moves by at
// most `step_limit` at a time. Three silent windows in a row make it new again, so that it need not
// climb back step by step; silence alone takes it no further than 1/4096 below what it had settled
// at, so that its return is no flood either.
//
// What miners hear has no fraction above 1, because much firmware cuts it off: wishes and the upper
// bounds become whole downwards, lower bounds upwards.
//
// A fixed difficulty stands while it brings no more than ten shares a second; from then on it is a
// floor, so that nobody fills the books by a wish.
//
// The window forgets: at 48 shares it is halved, so that a change of rate shows within minutes.
// The figures this gives are held by tests/mining/vardiff_sim_test.cpp.
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
  /// `known`: `start` comes from a remembered or declared rate or is meant for such devices, so
  /// silence is no reason for a search.
  Vardiff(const VardiffOptions& options, Difficulty start, Instant now, bool known = false);

  /// The miner has its first work now: what came before was not silence.
  void begin(Instant now) { restart(now); }
  /// A share was accepted at the difficulty it was judged by.
  void share(const Difficulty& difficulty, Instant now);
  /// The next difficulty if it should change now; current() is it already. After a change the count
  /// starts anew. May be called after each share: it costs a few square roots.
  std::optional<Difficulty> retarget(Instant now);
  /// When to call retarget() again even without shares; Instant::max() when silence cannot change
  /// anything. After a retarget() at or past this time it has moved on.
  Instant next_check() const;

  /// The miner's wish (d=, suggest_difficulty) or what its remembered rate suggests: a start,
  /// clamped to the operator's bounds. The same wish again changes nothing (firmware repeats it as
  /// a keepalive).
  void suggest(const Difficulty& wish, Instant now);
  void set_floor(const Difficulty& floor);         ///< md=; never below the operator's minimum
  void fix(const Difficulty& value, Instant now);  ///< fd=; clamped; ends movement by itself
  /// Never harder than the network, whatever the bounds say. May lower current() at once.
  void set_ceiling(const Difficulty& network);
  /// The options were changed: current() goes where their bounds want it. What the miner wished
  /// within wider ones is not forgotten.
  void apply_bounds();

  const Difficulty& current() const { return current_; }
  /// Hashes a second, from the latest evidence; 0 when there is none. For memory and statistics.
  double hash_rate(Instant now) const;

 private:
  Difficulty clamp(const Difficulty& wish) const;
  bool at_bottom() const { return current_ <= clamp(floor_); }
  bool at_top() const;
  bool unfix(double seconds);
  double seconds_since(Instant now) const;
  double weight() const { return shares_ > 0 ? expected_ / shares_ : 1; }
  double sigmas() const;
  std::optional<Difficulty> too_fast(double seconds, double wanted, Instant now);
  std::optional<Difficulty> too_slow(double wanted, Instant now);
  std::optional<Difficulty> change(double ratio, Instant now);
  void move_within_window(const Difficulty& next);
  void restart(Instant now);

  const VardiffOptions* options_;  // shared by all channels, outlives them
  Difficulty current_;
  Difficulty floor_;    // the miner's own: the options' bounds hold besides
  Difficulty ceiling_;  // the network's
  std::optional<Difficulty> fixed_, wish_;
  bool unknown_;  // no share yet and no hint: search
  bool settled_ = false;
  std::uint8_t silent_windows_ = 0;  // in a row
  Instant since_{};
  double expected_ = 0;    // work of the window in shares of `current_`
  double shares_ = 0;      // the events behind it; an easier share counts only as far as its work
  double settled_at_ = 0;  // the difficulty last found right; 0 never
  double last_rate_ = 0;   // hashes a second, of the windows before; 0 unknown
};

/// The start for a miner known to hash at `hash_rate` (hashes a second): three quarters of the
/// difficulty of the wanted pace, so that 19 of 20 show a first share within 10 s; clamped.
/// Options' start when the rate is not a positive number.
Difficulty difficulty_for_rate(const VardiffOptions& options, double hash_rate);

}  // namespace adit
