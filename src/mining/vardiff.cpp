// SPDX-License-Identifier: MIT
// The law of vardiff.h in figures.
#include "adit/mining/vardiff.h"

#include <algorithm>
#include <cmath>

namespace adit {
namespace {

constexpr double kHashesPerDifficulty = 281474976710656.0 / 65535.0;  // 2^48 / 0xffff
constexpr double kSigmasNew = 2;
constexpr double kSigmasSettled = 3;
constexpr double kEnoughShares = 12;  // to measure by, once a second has passed
constexpr double kFloodShares = 32;   // to measure by at any time
constexpr double kWindowShares = 48;
constexpr double kFixedPace = 10;  // shares a second that a fixed difficulty may bring
constexpr double kSearchDivisor = 4096;
constexpr double kKnownStartFactor = 0.75;
constexpr int kSilentWindowsToForget = 3;
constexpr double kLongest = 1e9;    // seconds: what still fits a Duration
constexpr double kShortest = 1e-3;  // seconds: what a window within one turn of the loop counts as

double seconds_of(Duration duration) { return std::chrono::duration<double>(duration).count(); }

// Bounds on the mean behind `n` Poisson events: chi-square quantiles by Wilson and Hilferty.
double lower_bound_of(double n, double sigmas) {
  if (n <= 0) return 0;
  const double root = 1 - 1 / (9 * n) - sigmas / (3 * std::sqrt(n));
  return root <= 0 ? 0 : n * root * root * root;
}
double upper_bound_of(double n, double sigmas) {
  const double m = n + 1;
  const double root = 1 - 1 / (9 * m) + sigmas / (3 * std::sqrt(m));
  return m * root * root * root;
}

double pace_of(const VardiffOptions& options) { return options.shares_per_minute / 60; }

Difficulty from_double(double value) {
  return Difficulty::from_estimate(std::clamp(value, 1e-24, 1e40));
}

/// The operator's upper bound; never below the lower one.
Difficulty top_of(const VardiffOptions& options) {
  return std::max(options.minimum.whole_above(), options.maximum.whole_below());
}

/// Not above `limit`, and as easy for firmware to read as from_estimate's values.
Difficulty rounded_down(const Difficulty& limit) {
  const double value = limit.approximate();
  Difficulty rounded = from_double(value);
  if (rounded <= limit) return rounded;
  // The step is one in the last kept digit: a whole number above 1, 1e-5 of the value below.
  rounded = from_double(value > 1 ? std::max(1.0, std::floor(value)) : value * (1 - 1.1e-5));
  return rounded <= limit ? rounded : limit;
}

}  // namespace

Vardiff::Vardiff(const VardiffOptions& options, Difficulty start, Instant now, bool known)
    : options_(&options),
      current_(start),
      floor_(*Difficulty::parse("1e-30")),
      ceiling_(*Difficulty::parse("1e47")),
      unknown_(!known),
      since_(now) {
  current_ = clamp(start);
}

void Vardiff::share(const Difficulty& difficulty, Instant now) {
  const double work =
      difficulty == current_ ? 1 : difficulty.approximate() / current_.approximate();
  expected_ += work;
  shares_ += std::min(work, 1.0);
  unknown_ = false;
  if (shares_ < kWindowShares) return;
  expected_ /= 2;
  shares_ /= 2;
  since_ = now - (now - since_) / 2;
}

std::optional<Difficulty> Vardiff::retarget(Instant now) {
  const double seconds = seconds_since(now);
  if (fixed_ && !unfix(seconds)) return std::nullopt;
  const double wanted = pace_of(*options_) * seconds;
  if (weight() * lower_bound_of(shares_, sigmas()) > wanted) return too_fast(seconds, wanted, now);
  if (weight() * upper_bound_of(shares_, sigmas()) < wanted) return too_slow(wanted, now);
  if (shares_ >= kEnoughShares) {
    settled_ = true;
    settled_at_ = current_.approximate();
    silent_windows_ = 0;
  }
  return std::nullopt;
}

/// False while the pace is one that a fixed difficulty may have.
bool Vardiff::unfix(double seconds) {
  if (shares_ < kFloodShares ||
      weight() * lower_bound_of(shares_, kSigmasSettled) <= kFixedPace * seconds)
    return false;
  floor_ = std::max(floor_, *fixed_);
  fixed_.reset();
  settled_ = false;
  return true;
}

std::optional<Difficulty> Vardiff::too_fast(double seconds, double wanted, Instant now) {
  if (shares_ < (seconds < 1 ? kFloodShares : kEnoughShares)) return std::nullopt;
  silent_windows_ = 0;
  if (at_top()) return std::nullopt;
  // The last share ended the wait, so it is not part of what was waited for.
  const double ratio = weight() * (shares_ - 1) / wanted;
  return change(settled_ ? std::min(ratio, options_->step_limit) : ratio, now);
}

std::optional<Difficulty> Vardiff::too_slow(double wanted, Instant now) {
  if (unknown_) return change(1 / kSearchDivisor, now);
  double ratio = weight() * (shares_ + 0.5) / wanted;
  // A share counted in part came from an easier job: for the current one it is silence.
  if (shares_ >= 0.5) {
    silent_windows_ = 0;
  } else {
    ratio = std::max(ratio, settled_at_ / kSearchDivisor / current_.approximate());
    if (++silent_windows_ >= kSilentWindowsToForget) settled_ = false;
    silent_windows_ %= kSilentWindowsToForget;
  }
  if (settled_) ratio = std::max(ratio, 1 / options_->step_limit);
  return change(std::min(ratio, 1.0), now);
}

std::optional<Difficulty> Vardiff::change(double ratio, Instant now) {
  const Difficulty next = clamp(from_double(current_.approximate() * ratio));
  const bool stuck = next == current_;
  // At the bottom the window goes on, so that the rate stays measured; elsewhere it starts anew in
  // any case, so that next_check() moves on.
  if (stuck && (ratio > 1 || at_bottom())) return std::nullopt;
  last_rate_ = hash_rate(now);
  current_ = next;
  restart(now);
  if (stuck) return std::nullopt;
  return next;
}

Instant Vardiff::next_check() const {
  if (fixed_ || at_bottom()) return Instant::max();
  const double seconds =
      std::min(weight() * upper_bound_of(shares_, sigmas()) / pace_of(*options_), kLongest);
  return since_ + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds)) +
         std::chrono::milliseconds(1);
}

void Vardiff::suggest(const Difficulty& wish, Instant now) {
  if (fixed_ || (wish_ && *wish_ == wish)) return;
  wish_ = wish;
  unknown_ = false;
  settled_ = false;
  const Difficulty next = clamp(wish);
  if (next == current_) return;
  last_rate_ = hash_rate(now);
  current_ = next;
  restart(now);
}

void Vardiff::set_floor(const Difficulty& floor) {
  floor_ = floor;
  apply_bounds();
}

void Vardiff::apply_bounds() { move_within_window(clamp(fixed_.value_or(current_))); }

void Vardiff::fix(const Difficulty& value, Instant now) {
  last_rate_ = hash_rate(now);
  fixed_ = value;
  current_ = clamp(value);
  restart(now);
}

void Vardiff::set_ceiling(const Difficulty& network) {
  ceiling_ = network;
  apply_bounds();
}

double Vardiff::hash_rate(Instant now) const {
  const double unit = current_.approximate() * kHashesPerDifficulty / seconds_since(now);
  if (shares_ >= kEnoughShares || last_rate_ <= 0) return expected_ * unit;
  return std::clamp(last_rate_, weight() * lower_bound_of(shares_, kSigmasNew) * unit,
                    weight() * upper_bound_of(shares_, kSigmasNew) * unit);
}

Difficulty Vardiff::clamp(const Difficulty& wish) const {
  const Difficulty floor = std::max(floor_, options_->minimum).whole_above();
  const Difficulty bounded = std::min(std::max(floor, wish.whole_below()), top_of(*options_));
  return bounded <= ceiling_ ? bounded : rounded_down(ceiling_);
}

bool Vardiff::at_top() const { return current_ == top_of(*options_); }

double Vardiff::seconds_since(Instant now) const {
  return std::max(seconds_of(now - since_), kShortest);
}

double Vardiff::sigmas() const { return settled_ ? kSigmasSettled : kSigmasNew; }

/// The work proved in the window stays; only its unit changes.
void Vardiff::move_within_window(const Difficulty& next) {
  if (next == current_) return;
  expected_ *= current_.approximate() / next.approximate();
  shares_ = std::min(shares_, expected_);
  current_ = next;
}

void Vardiff::restart(Instant now) {
  since_ = now;
  expected_ = 0;
  shares_ = 0;
}

Difficulty difficulty_for_rate(const VardiffOptions& options, double hash_rate) {
  const bool known = std::isfinite(hash_rate) && hash_rate > 0;
  const double pace = pace_of(options) * kHashesPerDifficulty;
  const Difficulty wish = known ? from_double(hash_rate / pace * kKnownStartFactor) : options.start;
  return std::clamp(wish, options.minimum, std::max(options.minimum, options.maximum));
}

}  // namespace adit
