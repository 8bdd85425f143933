// SPDX-License-Identifier: MIT
#include "adit/mining/worker_table.h"

#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <random>
#include <set>

namespace adit {
namespace {

using namespace std::chrono_literals;

/// Names of an account's workers, as for_each tells them.
std::vector<std::string> names_of(const WorkerTable& table, std::string_view account) {
  std::vector<std::string> names;
  table.for_each(account, [&](const WorkerEntry& worker) {
    CHECK(worker.account == account);
    names.push_back(worker.name);
    return true;
  });
  return names;
}

}  // namespace

TEST_CASE("a rate learned by one table is known to another that was told") {
  WorkerTable here, there(2);
  const WorkerIndex index = here.acquire("alice", "rig", {});
  here.remember_rate(index, 0);
  CHECK(here.take_learned().empty());
  here.remember_rate(index, 5e12);
  for (const LearnedRate& rate : here.take_learned()) there.learn(rate);
  CHECK(here.take_learned().empty());
  CHECK(there.rate_of("alice", "rig") == 5e12);
  CHECK(there.take_learned().empty());  // it is not passed on
  for (int i = 0; i < 5; ++i) there.learn({"bob", std::to_string(i), 1});
  CHECK(there.size() == 2);  // within its bounds
}

TEST_CASE("a worker keeps its index and its rate over sessions") {
  WorkerTable table(4);
  const WorkerIndex a = table.acquire("addr1", "rig", {});
  const WorkerIndex b = table.acquire("addr1", "", {});
  CHECK(a != b);
  CHECK(table.acquire("addr1", "rig", {}) == a);
  CHECK(table.at(a).account == "addr1");
  CHECK(table.at(a).name == "rig");
  CHECK(table.at(a).sessions == 2);
  table.remember_rate(a, 5e12);
  table.remember_rate(a, 0);  // a session without a share knows nothing better
  table.release(a);
  table.release(a);
  CHECK(table.rate_of("addr1", "rig") == 5e12);
  CHECK(table.rate_of("addr1", "") == 0);
  CHECK(table.rate_of("addr9", "rig") == 0);
  CHECK(table.acquire("addr1", "rig", {}) == a);
  CHECK(table.at(a).last_rate == 5e12);
}

TEST_CASE("names with dots do not meet") {
  WorkerTable table(8);
  CHECK(table.acquire("addr", "a.b", {}) != table.acquire("addr", "a", {}));
  CHECK(table.acquire("addr", ".a", {}) != table.acquire("addr", "a", {}));
  CHECK(table.size() == 3);
}

TEST_CASE("past the cap the longest idle worker is forgotten, and its index changes hands") {
  WorkerTable table(3);
  const WorkerIndex a = table.acquire("x", "a", {});
  const WorkerIndex b = table.acquire("x", "b", {});
  const WorkerIndex c = table.acquire("x", "c", {});
  table.remember_rate(b, 7);
  table.release(b);
  table.release(a);
  CHECK(table.acquire("x", "b", {}) == b);  // b was used again: a is the oldest now
  table.release(b);
  const std::uint32_t generation = table.at(a).generation;
  // Its last shares may still be on their way: whose they are must not change under them.
  const WorkerIndex d = table.acquire("x", "d", {});
  CHECK(d != a);
  CHECK(table.at(a).name == "a");
  CHECK(table.at(a).generation == generation);
  table.release(d);
  table.release(table.acquire("x", "e", {}));  // b goes
  CHECK(table.rate_of("x", "b") == 0);
  table.reuse_forgotten();
  const WorkerIndex f = table.acquire("x", "f", {});  // and d
  CHECK((f == a || f == b));
  CHECK(table.at(f).generation != generation);
  CHECK(table.at(f).last_rate == 0);
  CHECK(table.size() == 3);
  CHECK(table.at(c).name == "c");
}

TEST_CASE("workers with sessions are never forgotten; the surplus leaves with them") {
  WorkerTable table(2);
  std::vector<WorkerIndex> all;
  for (int i = 0; i < 10; ++i) all.push_back(table.acquire("x", std::to_string(i), {}));
  CHECK(table.size() == 10);
  for (int i = 0; i < 10; ++i) CHECK(table.at(all[i]).name == std::to_string(i));
  for (const WorkerIndex index : all) table.release(index);
  CHECK(table.size() == 2);
}

TEST_CASE("the table stays bounded while strangers come and go") {
  WorkerTable table(100);
  for (int i = 0; i < 20'000; ++i) {
    const WorkerIndex index = table.acquire("x", std::to_string(i), {});
    CHECK(index.value() < 111);
    table.release(index);
    if (i % 10 == 9) table.reuse_forgotten();
    CHECK(table.size() <= 100);
  }
}

TEST_CASE("an account's workers: those with sessions first, and no further than wanted") {
  WorkerTable table(10);
  const WorkerIndex a = table.acquire("x", "a", {});
  const WorkerIndex b = table.acquire("x", "b", {});
  table.acquire("y", "a", {});
  CHECK(names_of(table, "x") == std::vector<std::string>{"b", "a"});
  table.release(b);
  CHECK(names_of(table, "x") == std::vector<std::string>{"a", "b"});
  table.release(a);
  CHECK(names_of(table, "x") == std::vector<std::string>{"b", "a"});
  table.acquire("x", "c", {});
  CHECK(names_of(table, "x").front() == "c");
  CHECK(names_of(table, "y") == std::vector<std::string>{"a"});
  CHECK(names_of(table, "z").empty());
  int visited = 0;
  table.for_each("x", [&](const WorkerEntry&) { return ++visited < 2; });
  CHECK(visited == 2);
}

TEST_CASE(
    "an account's workers are the same as by a look at all, whoever comes, goes and is forgotten") {
  WorkerTable table(40);
  std::mt19937 random(7);
  std::map<std::pair<std::string, std::string>, std::vector<WorkerIndex>> open;
  std::set<std::pair<std::string, std::string>> met;
  for (int step = 0; step < 20'000; ++step) {
    const std::pair who{"account" + std::to_string(random() % 12), std::to_string(random() % 9)};
    std::vector<WorkerIndex>& sessions = open[who];
    if (sessions.size() < 2 && random() % 2 == 0) {
      sessions.push_back(table.acquire(who.first, who.second, {}));
      met.insert(who);
    } else if (!sessions.empty()) {
      table.release(sessions.back());
      sessions.pop_back();
    }
    if (random() % 4 == 0) table.reuse_forgotten();
    if (step % 50 != 0) continue;
    std::size_t all = 0;
    for (int account = 0; account < 12; ++account) {
      const std::string name = "account" + std::to_string(account);
      std::set<std::string> seen;
      bool idle = false;
      table.for_each(name, [&](const WorkerEntry& worker) {
        CHECK(seen.insert(worker.name).second);
        CHECK(worker.sessions == open[{name, worker.name}].size());
        CHECK_FALSE((idle && worker.sessions > 0));
        idle = worker.sessions == 0;
        return true;
      });
      for (const auto& [other, sessions_of] : open)
        if (other.first == name && !sessions_of.empty()) CHECK(seen.contains(other.second));
      all += seen.size();
    }
    CHECK(all == table.size());
  }
  CHECK(met.size() == 108);
}

TEST_CASE("since when a worker is here, and its last share") {
  WorkerTable table;
  const WorkerIndex a = table.acquire("x", "a", Instant(10s));
  table.acquire("x", "a", Instant(20s));
  CHECK(table.at(a).since == Instant(10s));
  CHECK(table.at(a).last_share == Instant{});
  const WorkerEntry& entry = table.count_share(a, Work(6'000), Instant(30s));
  CHECK(entry.last_share == Instant(30s));
  CHECK(entry.rate.per_second(entry.since, Instant(30s)) == 100);
  table.release(a);
  CHECK(table.at(a).since == Instant(10s));  // one session is left
  table.release(a);
  CHECK(table.at(a).last_share == Instant(30s));
  table.acquire("x", "a", Instant(50s));
  CHECK(table.at(a).since == Instant(50s));
  CHECK(table.at(a).last_share == Instant(30s));
  CHECK(table.at(a).rate.per_second(Instant(50s), Instant(60s)) == 0);
}

TEST_CASE("a rate by shares: over the last five minutes, or since there could be some") {
  ShareRate rate;
  CHECK(rate.per_second(Instant{}, Instant(1h)) == 0);
  const Instant since(1h);
  for (int second = 0; second < 1'800; ++second) rate.add(Work(1'000), since + second * 1s);
  CHECK(rate.per_second(since, since + 1'800s) == doctest::Approx(1'000).epsilon(0.01));
  rate.add(Work(1'000), since + 1'800s);  // a new window begins
  CHECK(rate.per_second(since, since + 1'801s) == doctest::Approx(1'000).epsilon(0.01));
  // Then nothing more: it fades, and is gone after five minutes.
  CHECK(rate.per_second(since, since + 1'950s) == doctest::Approx(500).epsilon(0.02));
  CHECK(rate.per_second(since, since + 2'099s) == doctest::Approx(7).epsilon(0.1));
  CHECK(rate.per_second(since, since + 1h) == 0);
  ShareRate young;  // the first minute counts as a whole one
  young.add(Work(60'000), Instant(1h) + 3s);
  CHECK(young.per_second(Instant(1h), Instant(1h) + 4s) == 1'000);
  CHECK(young.per_second(Instant(1h), Instant(1h) + 120s) == 500);
  CHECK(young.per_second(Instant(1h), Instant(1h) + 3s + 301s) ==
        doctest::Approx(200).epsilon(0.01));
}

}  // namespace adit
