// SPDX-License-Identifier: MIT
// Time as a value. Nothing here can ask what time it is: `now` comes in as an argument, and only
// the uv room reads a clock.
#pragma once

#include <chrono>
#include <cstdint>

#include "adit/base/strong.h"

namespace adit {

using Duration = std::chrono::nanoseconds;

/// The monotonic clock's type, on purpose without now().
struct Monotonic {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Monotonic>;
  static constexpr bool is_steady = true;
};
using Instant = Monotonic::time_point;

/// Seconds since 1970 as Bitcoin counts them.
using UnixSeconds = Strong<std::uint32_t, struct UnixSecondsTag>;
/// Milliseconds since 1970: what the ledger stores.
using UnixMillis = Strong<std::int64_t, struct UnixMillisTag>;

/// Both clocks, read once per turn of a loop.
struct Now {
  Instant mono{};
  UnixMillis wall{};
};

}  // namespace adit
