// SPDX-License-Identifier: MIT
// Loop, timers, wake-ups from threads, signals, and work off the loop.
#include <algorithm>
#include <atomic>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "uv_support.h"

namespace adit::uv {

using namespace std::chrono_literals;

TEST_CASE("timers fire in order and never early") {
  TestLoop test;
  struct Shot {
    Instant at, loop_time, real_time;
  };
  std::vector<Shot> shots;
  std::vector<std::unique_ptr<Timer>> timers;
  std::vector<Instant> times;
  // Fractions of a millisecond on purpose: libuv cuts them off.
  for (int i = 0; i < 60; ++i) times.push_back(test.real_now() + 5ms + i * 3ms + i * 137us);
  std::shuffle(times.begin(), times.end(), std::mt19937(7));
  for (const Instant at : times) {
    timers.push_back(std::make_unique<Timer>(test.loop(), [&test, &shots, at] {
      shots.push_back({at, test.loop().now().mono, test.real_now()});
    }));
    timers.back()->set(at);
  }
  REQUIRE(test.run_until([&] { return shots.size() == times.size(); }));
  for (std::size_t i = 0; i < shots.size(); ++i) {
    CHECK(shots[i].loop_time >= shots[i].at);
    CHECK(shots[i].real_time >= shots[i].at);
    if (i > 0) CHECK(shots[i].at > shots[i - 1].at);
  }
}

TEST_CASE("a slow callback does not make timers early by the loop's clock") {
  TestLoop test;
  Instant seen{};
  const Instant at = test.loop().now().mono + 4ms;
  Timer timer(test.loop(), [&] { seen = test.loop().now().mono; });
  Async slow(test.loop(), [&] { std::this_thread::sleep_for(10ms); });
  timer.set(at);
  slow.wake();
  REQUIRE(test.run_until([&] { return seen != Instant{}; }));
  CHECK(seen >= at);
}

TEST_CASE("a timer can be set again, cleared, and destroyed from within") {
  TestLoop test;
  int count = 0;
  auto own = std::make_unique<Timer>(test.loop(), [] {});
  own = std::make_unique<Timer>(test.loop(), [&] {
    ++count;
    own.reset();
  });
  Timer cleared(test.loop(), [&] { count += 100; });
  Timer moved(test.loop(), [&] { count += 10; });
  cleared.set(test.loop().now().mono + 1ms);
  cleared.clear();
  moved.set(test.loop().now().mono + 1h);
  moved.set(test.loop().now().mono + 2ms);
  own->set(test.loop().now().mono - 1s);  // due already
  CHECK(test.run_until([&] { return count == 11; }));
  test.run_for(10ms);
  CHECK(count == 11);
}

TEST_CASE("a timer that is always due does not starve the poll") {
  TestLoop test;
  int fired = 0, woken = 0;
  std::unique_ptr<Timer> timer;
  timer = std::make_unique<Timer>(test.loop(), [&] {
    if (++fired < 1'000'000) timer->set(test.loop().now().mono - 1s);
  });
  Async async(test.loop(), [&] { ++woken; });
  timer->set(test.loop().now().mono);
  async.wake();
  CHECK(test.run_until([&] { return woken == 1; }));
  CHECK(fired < 1000);
}

TEST_CASE("wakes from threads are never lost") {
  TestLoop test;
  constexpr int kThreads = 4, kWakes = 20'000;
  std::atomic<int> posted = 0;
  int seen = 0, calls = 0;
  Async async(test.loop(), [&] {
    seen = posted.load();
    ++calls;
  });
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < kWakes; ++n) {
        ++posted;
        async.wake();
      }
    });
  CHECK(test.run_until([&] { return seen == kThreads * kWakes; }));
  for (std::thread& thread : threads) thread.join();
  CHECK(calls >= 1);
  CHECK(calls <= kThreads * kWakes);
}

TEST_CASE("the turn's hook runs once a turn, after the callbacks") {
  OsClock clock;
  Loop loop(clock);
  std::string log;
  Async a(loop, [&] { log += 'a'; });
  Async b(loop, [&] { log += 'b'; });
  Timer later(loop, [&] {
    log += 't';
    a.wake();
  });
  Timer stopper(loop, [&] { loop.stop(); });
  loop.set_turn_end([&] { log += '.'; });
  a.wake();
  b.wake();
  later.set(loop.now().mono + 20ms);
  stopper.set(loop.now().mono + 50ms);
  loop.run();
  // libuv may turn once more without any callback; what counts is that each group has one hook.
  std::string groups;
  for (const char c : log)
    if (c != '.' || (!groups.empty() && groups.back() != '.')) groups += c;
  CHECK((groups == "ab.t.a." || groups == "ba.t.a."));
  CHECK(std::count(log.begin(), log.end(), '.') <= 12);
}

TEST_CASE("what the last callback left is seen by the hook, though it stopped the loop") {
  OsClock clock;
  Loop loop(clock);
  bool left = false, flushed = false;
  Async async(loop, [&] {
    left = true;
    loop.stop();
  });
  loop.set_turn_end([&] { flushed = left; });
  async.wake();
  loop.run();
  CHECK(flushed);
}

TEST_CASE("a stop after the run does not keep the loop from ending") {
  TestLoop test;
  Timer open(test.loop(), [] {});
  test.loop().stop();
}

TEST_CASE("work runs off the loop, its end on the loop") {
  TestLoop test;
  const auto here = std::this_thread::get_id();
  std::thread::id worked, ended;
  run_off_loop(
      test.loop(), [&] { worked = std::this_thread::get_id(); },
      [&] { ended = std::this_thread::get_id(); });
  REQUIRE(test.run_until([&] { return ended != std::thread::id(); }));
  CHECK(worked != here);
  CHECK(ended == here);
}

TEST_CASE("signals arrive on the loop") {
  TestLoop test;
  int count = 0;
  SignalWatcher watcher(test.loop(), SIGUSR1, [&] { ++count; });
  std::raise(SIGUSR1);
  CHECK(test.run_until([&] { return count == 1; }));
}

TEST_CASE("system: entropy, clocks, cores") {
  OsEntropy entropy;
  std::array<std::uint8_t, 32> one{}, two{};
  entropy.fill(one);
  entropy.fill(two);
  CHECK(one != two);
  OsClock clock;
  const Now first = clock.now();
  std::this_thread::sleep_for(2ms);
  CHECK(clock.now().mono - first.mono >= 2ms);
  CHECK(first.wall.value() > 1'600'000'000'000);
  CHECK(cores() >= 1);
  CHECK(raise_fd_limit() >= 64);
}

}  // namespace adit::uv
