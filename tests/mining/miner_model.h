// SPDX-License-Identifier: MIT
// A miner as vardiff sees it: shares as a Poisson process whose pace follows the difficulty, which
// reaches the miner a round trip after the pool decided it. Seeded; time is a number.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <limits>
#include <random>
#include <vector>

#include "adit/mining/vardiff.h"

namespace adit::test {

inline constexpr double kHashes = 281474976710656.0 / 65535.0;  // per share of difficulty 1

inline Instant at_seconds(double seconds) {
  return Instant{} + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

class MinerModel {
 public:
  struct Change {
    double time;
    double difficulty;
  };

  MinerModel(const VardiffOptions& options, Difficulty start, bool known, double hash_rate,
             std::uint64_t seed, double round_trip = 0.1)
      : vardiff_(options, start, at_seconds(0), known),
        rate_(hash_rate),
        round_trip_(round_trip),
        random_(seed),
        mined_(vardiff_.current()) {}

  void set_rate(double hash_rate) { rate_ = hash_rate; }

  /// Runs until `end` seconds or, if `stop` is given, until it says so after an event.
  template <class Stop>
  void run(double end, Stop stop) {
    while (now_ < end) {
      const double share = rate_ > 0 ? now_ + draw_gap() : kNever;
      const double check = seconds(vardiff_.next_check());
      const double arrival = pending_.empty() ? kNever : pending_.front().time;
      const double next = std::min({share, check, arrival, end});
      now_ = std::max(now_, next);
      if (next == arrival) {
        mined_ = pending_.front().difficulty;
        pending_.pop_front();
        continue;
      }
      if (next == share) {
        ++shares_;
        if (first_share_ < 0) first_share_ = now_;
        vardiff_.share(mined_, at_seconds(now_));
      }
      if (next == share || next == check) ask();
      if (stop(*this)) return;
    }
  }
  void run(double end) {
    run(end, [](const MinerModel&) { return false; });
  }

  double current() const { return vardiff_.current().approximate(); }
  double now() const { return now_; }
  double first_share() const { return first_share_; }
  std::uint64_t shares() const { return shares_; }
  const std::vector<Change>& changes() const { return changes_; }
  const Vardiff& vardiff() const { return vardiff_; }

 private:
  static constexpr double kNever = std::numeric_limits<double>::infinity();
  struct Pending {
    double time;
    Difficulty difficulty;
  };

  static double seconds(Instant t) {
    if (t == Instant::max()) return kNever;
    return std::chrono::duration<double>(t - Instant{}).count();
  }
  double draw_gap() {
    const double uniform = (static_cast<double>(random_() >> 11) + 0.5) * 0x1p-53;
    return -std::log(uniform) * mined_.approximate() * kHashes / rate_;
  }
  void ask() {
    const auto next = vardiff_.retarget(at_seconds(now_));
    if (!next) return;
    changes_.push_back({now_, next->approximate()});
    pending_.push_back({now_ + round_trip_, *next});
  }

  Vardiff vardiff_;
  double rate_;
  double round_trip_;
  std::mt19937_64 random_;
  Difficulty mined_;  // what the miner works at
  std::deque<Pending> pending_;
  std::vector<Change> changes_;
  double now_ = 0;
  double first_share_ = -1;
  std::uint64_t shares_ = 0;
};

/// The difficulty at which `hash_rate` gives the wanted pace, within the operator's bounds.
inline double right_difficulty(const VardiffOptions& options, double hash_rate) {
  return std::clamp(hash_rate * 60 / options.shares_per_minute / kHashes,
                    options.minimum.approximate(), options.maximum.approximate());
}
inline bool within_factor(double value, double of, double factor) {
  return value <= of * factor && value >= of / factor;
}

}  // namespace adit::test
