// SPDX-License-Identifier: MIT
// The accept gate on a clock of its own: the rate holds over any time, idle time is saved up for a
// quarter of a second and no longer, and every listener gets its turn.
#include "app/accept_gate.h"

#include <doctest/doctest.h>

#include <array>

using namespace adit;
using namespace std::chrono_literals;

namespace {

constexpr Instant kStart = Instant{} + 1h;

/// A listener with a queue that never empties: comes in until it is refused, then waits.
struct Flood {
  std::uint64_t in = 0, looks = 0;
  Instant next = kStart;
  void look(AcceptGate& gate, Instant now) {
    if (now < next) return;
    ++looks;
    for (int i = 0; i < 10'000; ++i) {
      if (const auto later = gate.shut(now)) {
        REQUIRE(*later > now);
        next = *later;
        return;
      }
      gate.passed(now);
      ++in;
    }
    next = now;
  }
};

template <std::size_t N>
void run(AcceptGate& gate, std::array<Flood, N>& floods, Duration time, Duration step = 1ms) {
  for (Instant now = kStart; now < kStart + time; now += step)
    for (Flood& flood : floods) flood.look(gate, now);
}

}  // namespace

TEST_CASE("a flood gets the rate and a quarter of a second in advance") {
  AcceptGate gate(2'000, 1);
  std::array<Flood, 1> flood;
  run(gate, flood, 10s);
  CHECK(flood[0].in >= 20'000 + 500 - 25);
  CHECK(flood[0].in <= 20'000 + 501);
  // and looks at most every ten milliseconds
  CHECK(flood[0].looks <= 1'001);
}

TEST_CASE("each worker lets in its part") {
  AcceptGate gate(2'000, 8);
  std::array<Flood, 1> flood;
  run(gate, flood, 8s);
  CHECK(flood[0].in >= 2'000);
  CHECK(flood[0].in <= 2'000 + 64);
}

TEST_CASE("a slow rate lets in one at a time") {
  AcceptGate gate(1, 1);
  std::array<Flood, 1> flood;
  run(gate, flood, 60s);
  CHECK(flood[0].in >= 60);
  CHECK(flood[0].in <= 61);
  CHECK(flood[0].looks <= 61);
}

TEST_CASE("nobody below the rate is refused") {
  AcceptGate gate(2'000, 1);
  for (Instant now = kStart; now < kStart + 5s; now += 500us) {
    REQUIRE_FALSE(gate.shut(now));
    gate.passed(now);
  }
}

TEST_CASE("a quiet hour is not saved up") {
  AcceptGate gate(100, 1);
  std::array<Flood, 1> flood;
  flood[0].look(gate, kStart);
  flood[0].next = kStart;
  const std::uint64_t before = flood[0].in;
  flood[0].look(gate, kStart + 1h);
  CHECK(flood[0].in - before <= 26);
}

TEST_CASE("listeners under the same flood get in by turns") {
  for (const std::uint32_t rate : {3u, 100u, 2'000u}) {
    AcceptGate gate(rate, 1);
    std::array<Flood, 3> floods;
    run(gate, floods, 100s);
    const std::uint64_t sum = floods[0].in + floods[1].in + floods[2].in;
    CHECK(sum >= rate * 99);
    CHECK(sum <= rate * 101);
    for (const Flood& flood : floods) CHECK(flood.in > sum / 4);
  }
}

TEST_CASE("no limit") {
  AcceptGate gate(0, 4);
  for (int i = 0; i < 1'000'000; ++i) {
    REQUIRE_FALSE(gate.shut(kStart));
    gate.passed(kStart);
  }
}
