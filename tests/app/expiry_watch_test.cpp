// SPDX-License-Identifier: MIT
// A certificate's last days: each day, then each hour, whatever the clock does.
#include "app/expiry_watch.h"

#include <doctest/doctest.h>

using namespace adit;

namespace {
constexpr std::int64_t kHour = 3'600'000, kDay = 24 * kHour;
constexpr UnixMillis kEnd{1'800'000'000'000};
UnixMillis before(std::int64_t ms) { return UnixMillis(kEnd.value() - ms); }
}  // namespace

TEST_CASE("a certificate is told of each day of its last fourteen, and each hour after") {
  ExpiryWatch watch;
  CHECK_FALSE(watch.look(kEnd, before(14 * kDay + 1)));
  auto alarm = watch.look(kEnd, before(14 * kDay));
  REQUIRE(alarm);
  CHECK_FALSE(alarm->over);
  CHECK(alarm->text == "expires in 14 days and 0 hours");
  CHECK_FALSE(watch.look(kEnd, before(13 * kDay + 1)));
  CHECK(watch.look(kEnd, before(13 * kDay)));
  alarm = watch.look(kEnd, before(-30 * kHour));
  REQUIRE(alarm);
  CHECK(alarm->over);
  CHECK(alarm->text == "expired 30 hours ago");
  CHECK_FALSE(watch.look(kEnd, before(-30 * kHour - 59 * 60'000)));
  CHECK(watch.look(kEnd, before(-31 * kHour)));
}

TEST_CASE("a clock that is set back silences nothing, a new certificate does") {
  ExpiryWatch watch;
  CHECK(watch.look(kEnd, before(kDay)));
  CHECK(watch.look(kEnd, before(10 * kDay)));
  CHECK_FALSE(watch.look(UnixMillis(kEnd.value() + 90 * kDay), before(-kDay)));
}
