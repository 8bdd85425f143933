// SPDX-License-Identifier: MIT
// Asking threads: all answer, or it is said that one did not; late answers hurt nobody.
#include "app/live_asker.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

using namespace adit;
using namespace std::chrono_literals;

namespace {

/// Threads that answer, keep the question, or take none.
struct Threads {
  enum class Mood { Answers, Keeps, Refuses };
  explicit Threads(std::vector<Mood> of) : moods(std::move(of)) {}
  LiveAsker::Post post() {
    return [this](std::size_t thread, WhoMines&& asked) {
      if (moods[thread] == Mood::Refuses) return false;
      if (moods[thread] == Mood::Keeps)
        kept.push_back(std::move(asked));
      else
        asked.reply(named(asked.question.account + std::to_string(thread)));
      return true;
    };
  }
  static LiveWorkers named(std::string name) { return {{{std::move(name)}}, true}; }
  std::vector<Mood> moods;
  std::vector<WhoMines> kept;
};
using Mood = Threads::Mood;

}  // namespace

TEST_CASE("asking threads: an answer of each") {
  Threads threads({Mood::Answers, Mood::Answers, Mood::Answers});
  LiveAsker asker(3, threads.post(), 10s);
  for (int round = 0; round < 3; ++round) {
    const auto answers = asker.ask({"a", "", 10});
    REQUIRE(answers.ok());
    REQUIRE(answers->size() == 3);
    for (std::size_t i = 0; i < 3; ++i)
      CHECK((*answers)[i].workers[0].name == "a" + std::to_string(i));
  }
}

TEST_CASE(
    "asking threads: one that is silent, one that takes nothing, and answers that come late") {
  Threads threads({Mood::Answers, Mood::Keeps});
  auto asker = std::make_unique<LiveAsker>(2, threads.post(), 20ms);
  CHECK(asker->ask({"a", "", 10}).error().code == ErrorCode::Unavailable);
  threads.moods = {Mood::Answers, Mood::Refuses};
  CHECK(asker->ask({"b", "", 10}).error().code == ErrorCode::Unavailable);
  // The late one belongs to no question that is asked later.
  threads.moods = {Mood::Answers, Mood::Keeps};
  std::thread late([first = threads.kept[0]] {
    std::this_thread::sleep_for(5ms);
    first.reply(Threads::named("late"));
  });
  CHECK_FALSE(asker->ask({"c", "", 10}).ok());
  late.join();
  threads.moods = {Mood::Answers, Mood::Answers};
  const auto answers = asker->ask({"d", "", 10});
  REQUIRE(answers.ok());
  CHECK((*answers)[0].workers[0].name == "d0");
  CHECK((*answers)[1].workers[0].name == "d1");
  asker.reset();
  for (const WhoMines& kept : threads.kept) kept.reply(Threads::named("nobody listens"));
}

TEST_CASE("asking threads: an end of the pool wakes who waits, and is told who asks later") {
  Threads threads({Mood::Keeps});
  LiveAsker asker(1, threads.post(), 60s);
  std::atomic<bool> woken = false;
  std::thread waits([&] {
    const auto answers = asker.ask({"a", "", 10});
    CHECK_FALSE(answers.ok());
    CHECK(answers.error().text == "the pool ends");
    woken = true;
  });
  std::this_thread::sleep_for(20ms);
  CHECK_FALSE(woken);
  asker.stop();
  waits.join();
  const std::size_t kept = threads.kept.size();
  CHECK_FALSE(asker.ask({"a", "", 10}).ok());
  CHECK(threads.kept.size() == kept);  // the threads may be gone: they are not asked
}
