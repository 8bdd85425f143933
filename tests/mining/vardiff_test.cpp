// SPDX-License-Identifier: MIT
#include "adit/mining/vardiff.h"

#include <doctest/doctest.h>

#include <limits>
#include <random>

#include "mining/miner_model.h"

namespace adit {
namespace {

using test::at_seconds;
using test::kHashes;

Difficulty d(const char* text) { return *Difficulty::parse(text); }

/// Shares at exactly the wanted pace, until the channel has settled.
void settle(Vardiff& vardiff, double& now) {
  for (int i = 0; i < 20; ++i) {
    now += 4;
    vardiff.share(vardiff.current(), at_seconds(now));
    REQUIRE_FALSE(vardiff.retarget(at_seconds(now)));
  }
}

}  // namespace

TEST_CASE("the start is clamped to the operator's bounds") {
  const VardiffOptions options;
  CHECK(Vardiff(options, d("1e-9"), at_seconds(0)).current() == options.minimum);
  CHECK(Vardiff(options, d("1e13"), at_seconds(0)).current() == options.maximum);
  CHECK(Vardiff(options, d("17"), at_seconds(0)).current() == d("17"));
}

TEST_CASE("a settled channel moves by at most 4x a step") {
  const VardiffOptions options;
  Vardiff vardiff(options, d("1024"), at_seconds(0));
  double now = 0;
  settle(vardiff, now);
  double before = 1024;
  int ups = 0;
  for (int i = 0; i < 200; ++i) {  // a hundred times too fast
    now += 0.04;
    vardiff.share(d("1024"), at_seconds(now));
    const auto next = vardiff.retarget(at_seconds(now));
    if (!next) continue;
    ++ups;
    CHECK(next->approximate() <= before * 4);
    CHECK(*next == vardiff.current());
    before = next->approximate();
  }
  CHECK(ups >= 2);
}

TEST_CASE("silence lowers a settled channel, 4x a step and to a 4096th at most") {
  const VardiffOptions options;
  Vardiff vardiff(options, d("1e9"), at_seconds(0));
  double now = 0;
  settle(vardiff, now);
  CHECK_FALSE(vardiff.retarget(vardiff.next_check() - std::chrono::seconds(1)));
  std::vector<double> path{1e9};
  for (int i = 0; i < 100; ++i) {
    const Instant check = vardiff.next_check();
    const auto next = vardiff.retarget(check);
    REQUIRE(vardiff.next_check() > check);
    if (next) path.push_back(next->approximate());
  }
  REQUIRE(path.size() > 3);
  CHECK(path[1] >= 1e9 / 4);
  CHECK(path[2] >= path[1] / 4);
  CHECK(path.back() == doctest::Approx(1e9 / 4096).epsilon(0.001));
}

TEST_CASE("silence takes a newcomer to the floor and then asks for nothing more") {
  const VardiffOptions options;
  for (const bool known : {false, true}) {
    Vardiff vardiff(options, d("1024"), at_seconds(0), known);
    for (int i = 0; i < 30 && vardiff.next_check() != Instant::max(); ++i) {
      vardiff.retarget(vardiff.next_check());
    }
    CHECK(vardiff.current() == options.minimum);
    CHECK(vardiff.next_check() == Instant::max());
    CHECK_FALSE(vardiff.retarget(at_seconds(1e6)));
  }
}

TEST_CASE("a flood within one turn of the loop is answered after 32 shares") {
  const VardiffOptions options;
  Vardiff vardiff(options, d("1024"), at_seconds(0));
  const Instant now = at_seconds(0.05);
  int shares = 0;
  do {
    REQUIRE(shares < 32);
    vardiff.share(d("1024"), now);
    ++shares;
  } while (!vardiff.retarget(now));
  CHECK(vardiff.current() > d("1e6"));
  // What was on its way at the old difficulty is no evidence for more.
  for (int i = 0; i < 1000; ++i) {
    vardiff.share(d("1024"), now);
    CHECK_FALSE(vardiff.retarget(now));
  }
}

TEST_CASE("never harder than the network, even when fixed or floored") {
  const VardiffOptions options;
  Vardiff vardiff(options, d("1024"), at_seconds(0));
  vardiff.set_ceiling(d("4.656542373906925e-10"));
  CHECK(vardiff.current() <= d("4.656542373906925e-10"));
  CHECK(vardiff.current() == d("4.65654e-10"));
  vardiff.set_floor(d("100"));
  CHECK(vardiff.current() == d("4.65654e-10"));
  vardiff.fix(d("5000"), at_seconds(1));
  CHECK(vardiff.current() == d("4.65654e-10"));
  vardiff.set_ceiling(d("1.9"));
  CHECK(vardiff.current() == d("1"));
  vardiff.set_ceiling(d("1000.5"));
  CHECK(vardiff.current() == d("1000"));
  vardiff.set_ceiling(d("1e14"));
  CHECK(vardiff.current() == d("5000"));
}

TEST_CASE("a ceiling is rounded down, never up") {
  const VardiffOptions options;
  std::mt19937_64 random(4);
  for (int i = 0; i < 5000; ++i) {
    Vardiff vardiff(options, options.maximum, at_seconds(0));
    const auto ceiling =
        Difficulty::parse(std::to_string(1 + random() % 999'999'999'999'999'999) + "e" +
                          std::to_string(static_cast<int>(random() % 30) - 29));
    REQUIRE(ceiling);
    vardiff.set_ceiling(*ceiling);
    CHECK(vardiff.current() <= *ceiling);
    if (*ceiling < options.maximum) {
      CHECK(vardiff.current().approximate() >= ceiling->approximate() * 0.49);
    }
  }
}

TEST_CASE("the miner's wishes: a start, a floor, a fixed value; repeats change nothing") {
  const VardiffOptions options;
  Vardiff vardiff(options, d("1024"), at_seconds(0));
  vardiff.suggest(d("0.5"), at_seconds(1));
  CHECK(vardiff.current() == d("0.5"));
  // Far too fast: it moves on, and the keepalive's repeat does not pull it back.
  for (int i = 0; i < 40; ++i) {
    vardiff.share(d("0.5"), at_seconds(2 + i * 0.1));
    vardiff.retarget(at_seconds(2 + i * 0.1));
  }
  const Difficulty moved = vardiff.current();
  CHECK(moved > d("2"));
  vardiff.suggest(d("0.5"), at_seconds(7));
  CHECK(vardiff.current() == moved);
  vardiff.suggest(d("1e-9"), at_seconds(8));
  CHECK(vardiff.current() == options.minimum);

  vardiff.set_floor(d("64"));
  CHECK(vardiff.current() == d("64"));
  vardiff.suggest(d("2"), at_seconds(9));
  CHECK(vardiff.current() == d("64"));
  vardiff.set_floor(d("1e-9"));
  vardiff.suggest(d("1e-9"), at_seconds(10));
  CHECK(vardiff.current() == options.minimum);

  vardiff.fix(d("512"), at_seconds(11));
  vardiff.suggest(d("1"), at_seconds(12));
  for (int i = 0; i < 100; ++i) vardiff.share(d("512"), at_seconds(12));
  CHECK_FALSE(vardiff.retarget(at_seconds(13)));
  CHECK_FALSE(vardiff.retarget(at_seconds(1e6)));
  CHECK(vardiff.next_check() == Instant::max());
  CHECK(vardiff.current() == d("512"));
  CHECK(vardiff.hash_rate(at_seconds(13)) > 0);
}

TEST_CASE("above 1 every difficulty is whole: wishes downwards, floors upwards") {
  VardiffOptions options;
  Vardiff vardiff(options, d("931.1"), at_seconds(0));
  CHECK(vardiff.current() == d("931"));
  vardiff.suggest(d("16383.75"), at_seconds(1));
  CHECK(vardiff.current() == d("16383"));
  vardiff.suggest(d("1.999"), at_seconds(2));
  CHECK(vardiff.current() == d("1"));
  vardiff.set_floor(d("5.5"));
  CHECK(vardiff.current() == d("6"));
  vardiff.fix(d("99.99"), at_seconds(3));
  CHECK(vardiff.current() == d("99"));
  vardiff.set_floor(d("0.5"));
  vardiff.fix(d("0.75"), at_seconds(4));  // below 1 nothing is cut off
  CHECK(vardiff.current() == d("0.75"));
  options.minimum = d("10.5");
  options.maximum = d("20.5");
  CHECK(Vardiff(options, d("1"), at_seconds(0)).current() == d("11"));
  CHECK(Vardiff(options, d("99"), at_seconds(0)).current() == d("20"));
  // At the top more shares are no reason to go on.
  Vardiff top(options, d("99"), at_seconds(0));
  for (int i = 0; i < 100; ++i) {
    top.share(d("20"), at_seconds(1));
    CHECK_FALSE(top.retarget(at_seconds(1)));
  }
}

TEST_CASE("a change of the options bounds every channel, and forgets no wish") {
  VardiffOptions options;
  Vardiff vardiff(options, d("100"), at_seconds(0)), low(options, d("1e-9"), at_seconds(0));
  vardiff.set_floor(d("50"));
  CHECK(low.next_check() == Instant::max());
  options.minimum = d("1000");
  vardiff.apply_bounds();
  CHECK(vardiff.current() == d("1000"));
  options.minimum = d("1e-9");
  options.maximum = d("10");
  vardiff.apply_bounds();
  CHECK(vardiff.current() == d("10"));
  options.maximum = d("1e12");
  vardiff.apply_bounds();
  CHECK(vardiff.current() == d("50"));  // its own floor, which the narrow bounds had covered
  low.apply_bounds();
  CHECK(low.next_check() < Instant::max());  // there is room below again
}

TEST_CASE("a fixed difficulty is a floor once it brings many shares a second") {
  const VardiffOptions options;
  Vardiff vardiff(options, d("1024"), at_seconds(0));
  vardiff.fix(d("2"), at_seconds(0));
  double now = 0;
  for (int i = 0; i < 1000; ++i) {  // eight a second, for two minutes
    now += 0.125;
    vardiff.share(d("2"), at_seconds(now));
    REQUIRE_FALSE(vardiff.retarget(at_seconds(now)));
  }
  int shares = 0;
  for (; vardiff.current() == d("2") && shares < 1000; ++shares) {  // a thousand a second
    now += 0.001;
    vardiff.share(d("2"), at_seconds(now));
    vardiff.retarget(at_seconds(now));
  }
  CHECK(shares < 60);
  CHECK(vardiff.current() > d("20"));
  while (vardiff.next_check() != Instant::max()) vardiff.retarget(vardiff.next_check());
  CHECK(vardiff.current() == d("2"));
}

TEST_CASE("a known rate gives a start that shows a share within 10 s, 19 times of 20") {
  const VardiffOptions options;
  const Difficulty start = difficulty_for_rate(options, 1e14);
  const double pace = 1e14 / (start.approximate() * kHashes);
  CHECK(std::exp(-pace * 10) < 0.05);
  CHECK(pace * 60 < 25);
  CHECK(difficulty_for_rate(options, 1) == options.minimum);
  CHECK(difficulty_for_rate(options, 1e30) == options.maximum);
  CHECK(difficulty_for_rate(options, std::numeric_limits<double>::max()) == options.maximum);
  const double inf = std::numeric_limits<double>::infinity();
  for (const double nonsense : {0.0, -0.0, -5.0, inf, -inf, std::nan("")}) {
    CHECK(difficulty_for_rate(options, nonsense) == options.start);
  }
}

TEST_CASE("the hash rate is what was proved") {
  const VardiffOptions options;
  Vardiff vardiff(options, d("1000"), at_seconds(0));
  CHECK(vardiff.hash_rate(at_seconds(10)) == 0);
  double now = 0;
  settle(vardiff, now);
  CHECK(vardiff.hash_rate(at_seconds(now)) == doctest::Approx(1000 * kHashes / 4));
  // It outlives a change of difficulty, and fades in silence.
  vardiff.suggest(d("4000"), at_seconds(now));
  CHECK(vardiff.hash_rate(at_seconds(now + 1)) == doctest::Approx(1000 * kHashes / 4));
  CHECK(vardiff.hash_rate(at_seconds(now + 10'000)) < 1000 * kHashes / 100);
}

TEST_CASE("whatever happens: within bounds, and the next check moves on") {
  std::mt19937_64 random(11);
  const auto pick = [&](std::uint64_t n) { return random() % n; };
  for (int run = 0; run < 300; ++run) {
    VardiffOptions options;
    if (pick(2) == 0) options.minimum = d("1e-10");
    const auto any = [&] {
      return *Difficulty::parse(std::to_string(1 + pick(9999)) + "e" +
                                std::to_string(static_cast<int>(pick(24)) - 12));
    };
    Vardiff vardiff(options, any(), at_seconds(0), pick(2) == 0);
    Difficulty ceiling = options.maximum;
    double now = 0;
    for (int step = 0; step < 200; ++step) {
      now += static_cast<double>(pick(100)) * static_cast<double>(pick(100)) / 100;
      const Instant t = at_seconds(now);
      switch (pick(12)) {
        case 0:
          vardiff.suggest(any(), t);
          break;
        case 1:
          vardiff.set_floor(any());
          break;
        case 2:
          vardiff.set_ceiling(ceiling = any());
          break;
        case 3:
          if (pick(30) == 0) vardiff.fix(any(), t);
          break;
        case 4:
          vardiff.share(any(), t);
          break;
        default:
          vardiff.share(vardiff.current(), t);
      }
      const Difficulty before = vardiff.current();
      const auto next = vardiff.retarget(t);
      CHECK(next.has_value() == (vardiff.current() != before));
      CHECK(vardiff.next_check() > t);
      CHECK(vardiff.current() <= ceiling);
      CHECK(vardiff.current() <= options.maximum);
      if (options.minimum <= ceiling) {
        // Rounding a ceiling just above the floor may end just below it.
        CHECK(vardiff.current().approximate() >= options.minimum.approximate() * 0.49);
      }
      const double rate = vardiff.hash_rate(t);
      CHECK(std::isfinite(rate));
      CHECK(rate >= 0);
    }
  }
}

}  // namespace adit
