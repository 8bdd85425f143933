// SPDX-License-Identifier: MIT
// When a slow disk is told: at once for a second, after half a minute for many of a tenth, once a
// minute.
#include "app/commit_times.h"

#include <doctest/doctest.h>

using namespace adit;
using namespace std::chrono_literals;

TEST_CASE("a commit of a second is told at once, the next one a minute later") {
  CommitTimes times;
  const Instant start{1000s};
  CHECK_FALSE(times.took(3ms, start));
  const auto alarm = times.took(1200ms, start + 2s);
  REQUIRE(alarm);
  CHECK(alarm->commits == 2);
  CHECK(alarm->slow == 1);
  CHECK(alarm->longest == 1200ms);
  CHECK_FALSE(times.took(1200ms, start + 4s));
  CHECK_FALSE(times.took(5ms, start + 61s));
  CHECK(times.took(1001ms, start + 62s));
}

TEST_CASE("one in a hundred above 100 ms is no alarm, two are") {
  for (const int slow : {1, 2}) {
    CommitTimes times;
    Instant now{1000s};
    int alarms = 0;
    for (int n = 0; n < 199; ++n, now += 250ms)
      if (times.took(n < slow ? 150ms : 4ms, now)) ++alarms;
    CHECK(alarms == slow - 1);
  }
}
