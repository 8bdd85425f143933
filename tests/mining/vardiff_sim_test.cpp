// SPDX-License-Identifier: MIT
// What the law of vardiff gives over seeded miners from 50 kH/s to 1 EH/s.
#include <doctest/doctest.h>

#include <vector>

#include "mining/miner_model.h"

namespace adit {
namespace {

using test::MinerModel;
using test::right_difficulty;
using test::within_factor;

constexpr int kRuns = 120;
constexpr int kAllowed = kRuns / 20;  // 95%

std::vector<double> rates() {
  std::vector<double> all;
  for (double rate = 5e4; rate < 1e18; rate *= std::sqrt(10.0)) all.push_back(rate);
  all.push_back(1e18);
  return all;
}

auto reaches(double right) {
  return [right](const MinerModel& m) { return within_factor(m.current(), right, 2); };
}

MinerModel settled_miner(const VardiffOptions& options, double rate, int seed) {
  MinerModel miner(options, options.start, false, rate, static_cast<std::uint64_t>(seed));
  miner.run(1800);
  return miner;
}

double percentile_95(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() * 95 / 100];
}

}  // namespace

TEST_CASE("a newcomer is within a factor 2 after at most 3 changes, and the flood is bounded") {
  const VardiffOptions options;
  for (const double rate : rates()) {
    CAPTURE(rate);
    const double right = right_difficulty(options, rate);
    int late = 0;
    for (int seed = 0; seed < kRuns; ++seed) {
      // Without a round trip: the shares counted are those the pool had to answer before it acted.
      MinerModel near(options, options.start, false, rate, static_cast<std::uint64_t>(seed), 0);
      near.run(3600, reaches(right));
      REQUIRE(near.shares() < 200);
      MinerModel miner(options, options.start, false, rate, static_cast<std::uint64_t>(seed), 0.05);
      miner.run(3600, reaches(right));
      if (miner.changes().size() > 3 || miner.now() >= 3600) ++late;
    }
    CHECK(late <= kAllowed);
  }
}

TEST_CASE("the first share comes within 60 s from a newcomer, within 10 s when the rate is known") {
  const VardiffOptions options;
  for (const double rate : rates()) {
    CAPTURE(rate);
    int new_late = 0;
    int known_late = 0;
    const auto shown = [](const MinerModel& m) { return m.shares() > 0; };
    for (int seed = 0; seed < kRuns; ++seed) {
      const auto s = static_cast<std::uint64_t>(seed + 1000);
      MinerModel fresh(options, options.start, false, rate, s);
      fresh.run(61, shown);
      if (fresh.first_share() < 0 || fresh.first_share() > 60) ++new_late;
      MinerModel known(options, difficulty_for_rate(options, rate), true, rate, s);
      known.run(11, shown);
      if (known.first_share() < 0 || known.first_share() > 10) ++known_late;
    }
    CHECK(new_late <= kAllowed);
    // Below the operator's minimum nothing helps.
    if (difficulty_for_rate(options, rate) > options.minimum) CHECK(known_late <= kAllowed);
  }
}

TEST_CASE("at a constant rate the difficulty stays, near the right value") {
  const VardiffOptions options;
  constexpr double kHours = 4;
  double changes = 0;
  double outside = 0;
  for (int seed = 0; seed < kRuns; ++seed) {
    const double rate = 1e14 * (1 + 0.03 * seed);
    const double right = right_difficulty(options, rate);
    MinerModel miner = settled_miner(options, rate, seed);
    const std::size_t before = miner.changes().size();
    double last = miner.now();
    bool was_outside = false;
    miner.run(1800 + kHours * 3600, [&](const MinerModel& m) {
      if (was_outside) outside += m.now() - last;
      was_outside = !within_factor(m.current(), right, 2);
      last = m.now();
      return false;
    });
    changes += static_cast<double>(miner.changes().size() - before);
  }
  CHECK(changes / kRuns / kHours < 1);
  CHECK(outside / kRuns / kHours / 3600 < 0.01);
}

TEST_CASE("a settled miner that becomes 10 times slower or faster is followed, 4x a step") {
  const VardiffOptions options;
  constexpr double kRate = 1e14;
  for (const double factor : {0.1, 10.0}) {
    CAPTURE(factor);
    std::vector<double> times;
    std::size_t changes = 0;
    for (int seed = 0; seed < kRuns; ++seed) {
      MinerModel miner = settled_miner(options, kRate, seed);
      const std::size_t before = miner.changes().size();
      double difficulty = miner.current();
      miner.set_rate(kRate * factor);
      miner.run(9000, reaches(right_difficulty(options, kRate * factor)));
      times.push_back(miner.now() - 1800);
      changes += miner.changes().size() - before;
      for (std::size_t i = before; i < miner.changes().size(); ++i) {
        const double next = miner.changes()[i].difficulty;
        CHECK(within_factor(next, difficulty, 4.001));
        difficulty = next;
      }
    }
    CHECK(percentile_95(times) < (factor < 1 ? 330 : 60));
    CHECK(changes < 3 * kRuns);
  }
}

TEST_CASE("a miner that was silent for hours comes back without a flood") {
  const VardiffOptions options;
  constexpr double kRate = 1e14;
  for (int seed = 0; seed < kRuns; ++seed) {
    MinerModel miner = settled_miner(options, kRate, seed);
    miner.set_rate(0);
    miner.run(1800 + 36'000);
    const std::uint64_t shares = miner.shares();
    const std::size_t changes = miner.changes().size();
    miner.set_rate(kRate);
    miner.run(1800 + 36'000 + 600, reaches(right_difficulty(options, kRate)));
    CHECK(miner.shares() - shares < 500);
    CHECK(miner.changes().size() - changes <= 3);
  }
}

TEST_CASE("a known but wrong rate is left behind") {
  const VardiffOptions options;
  for (const double wrong : {1e-4, 0.01, 100.0, 1e4}) {
    CAPTURE(wrong);
    int late = 0;
    for (int seed = 0; seed < kRuns; ++seed) {
      MinerModel miner(options, difficulty_for_rate(options, 1e13 * wrong), true, 1e13,
                       static_cast<std::uint64_t>(seed), 0.02);
      miner.run(600, reaches(right_difficulty(options, 1e13)));
      if (miner.now() > 240 || miner.changes().size() > 8) ++late;
    }
    CHECK(late <= kAllowed);
  }
}

}  // namespace adit
