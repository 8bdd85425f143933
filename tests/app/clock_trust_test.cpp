// SPDX-License-Identifier: MIT
// A clock that leaps more than a day, while we run or while we were away, is not believed for a
// day.
#include "app/clock_trust.h"

#include <doctest/doctest.h>

using namespace adit;
using namespace std::chrono_literals;

namespace {
constexpr std::int64_t kStart = 1'800'000'000'000, kDay = 86'400'000;
Now at(Duration steady, std::int64_t wall) { return {Instant(steady), UnixMillis(wall)}; }
}  // namespace

TEST_CASE("new books believe the clock; ordinary time is no leap") {
  ClockTrust trust;
  CHECK(trust.look(at(1000s, kStart), UnixMillis(0)) == 0);
  CHECK(trust.look(at(1600s, kStart + 600'000), UnixMillis(kStart)) == 0);
  CHECK(trust.trusted(Instant(1600s)));
}

TEST_CASE("a leap over a restart is held for a day") {
  ClockTrust trust;
  CHECK(trust.look(at(1000s, kStart), UnixMillis(kStart - kDay)) == 0);
  ClockTrust other;
  CHECK(other.look(at(1000s, kStart), UnixMillis(kStart - 40 * kDay)) == 40 * kDay);
  CHECK_FALSE(other.trusted(Instant(1000s + 23h)));
  CHECK(other.trusted(Instant(1000s + 24h)));
}

TEST_CASE("a leap while running is held, a step back is not") {
  ClockTrust trust;
  CHECK(trust.look(at(1000s, kStart), UnixMillis(0)) == 0);
  CHECK(trust.look(at(1600s, kStart + 600'000 - 30 * kDay), UnixMillis(0)) == 0);
  CHECK(trust.trusted(Instant(1600s)));
  CHECK(trust.look(at(2200s, kStart + 1'200'000), UnixMillis(0)) == 30 * kDay);
  CHECK_FALSE(trust.trusted(Instant(2200s)));
}
