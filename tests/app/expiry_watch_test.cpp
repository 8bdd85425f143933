// SPDX-License-Identifier: MIT
// A certificate's last days: at 14, 7 and one, then each hour, whatever the clock does.
#include "app/expiry_watch.h"

#include <doctest/doctest.h>

using namespace adit;

namespace {
constexpr std::int64_t kHour = 3'600'000, kDay = 24 * kHour;
constexpr UnixMillis kEnd{1'800'000'000'000};
UnixMillis before(std::int64_t ms) { return UnixMillis(kEnd.value() - ms); }
}  // namespace

TEST_CASE("a certificate is told of once at 14 days, at 7 and at one, and each hour after") {
  ExpiryWatch watch;
  CHECK_FALSE(watch.look(kEnd, before(14 * kDay + 1)));
  auto alarm = watch.look(kEnd, before(14 * kDay));
  REQUIRE(alarm);
  CHECK_FALSE(alarm->over);
  CHECK(alarm->text == "expires in 14 days and 0 hours");
  int told = 0;
  for (std::int64_t left = 14 * kDay - kHour; left > 0; left -= kHour) {
    const auto next = watch.look(kEnd, before(left));
    if (!next) continue;
    ++told;
    CHECK_FALSE(next->over);
    CHECK((left == 7 * kDay || left == kDay));
  }
  CHECK(told == 2);
  CHECK(watch.look(kEnd, kEnd));
  CHECK_FALSE(watch.look(kEnd, before(-kHour + 1)));
  alarm = watch.look(kEnd, before(-30 * kHour));
  REQUIRE(alarm);
  CHECK(alarm->over);
  CHECK(alarm->text == "expired 30 hours ago");
  CHECK_FALSE(watch.look(kEnd, before(-30 * kHour - 59 * 60'000)));
  CHECK(watch.look(kEnd, before(-31 * kHour)));
}

TEST_CASE("a pool that starts late is told at once, and only of where it stands") {
  ExpiryWatch watch;
  REQUIRE(watch.look(kEnd, before(3 * kDay)));
  CHECK_FALSE(watch.look(kEnd, before(2 * kDay)));
  CHECK(watch.look(kEnd, before(kDay)));
}

TEST_CASE("a clock that is set back silences nothing, a new certificate does") {
  ExpiryWatch watch;
  CHECK(watch.look(kEnd, before(kDay)));
  CHECK_FALSE(watch.look(kEnd, before(10 * kDay)));
  CHECK(watch.look(kEnd, before(kDay)));
  CHECK_FALSE(watch.look(UnixMillis(kEnd.value() + 90 * kDay), before(-kDay)));
  // Another one that ends soon is another matter.
  CHECK(watch.look(UnixMillis(kEnd.value() + kDay), kEnd));
  CHECK(watch.look(UnixMillis(kEnd.value() + kDay + 1), before(-2)));
  CHECK(watch.look(kEnd, before(-kDay)));
  CHECK(watch.look(kEnd, before(-kHour)));  // over, and set back: told
}
