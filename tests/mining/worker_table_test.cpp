// SPDX-License-Identifier: MIT
#include "adit/mining/worker_table.h"

#include <doctest/doctest.h>

namespace adit {

TEST_CASE("a rate learned by one table is known to another that was told") {
  WorkerTable here, there(2);
  const WorkerIndex index = here.acquire("alice", "rig");
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
  const WorkerIndex a = table.acquire("addr1", "rig");
  const WorkerIndex b = table.acquire("addr1", "");
  CHECK(a != b);
  CHECK(table.acquire("addr1", "rig") == a);
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
  CHECK(table.acquire("addr1", "rig") == a);
  CHECK(table.at(a).last_rate == 5e12);
}

TEST_CASE("names with dots do not meet") {
  WorkerTable table(8);
  CHECK(table.acquire("addr", "a.b") != table.acquire("addr", "a"));
  CHECK(table.acquire("addr", ".a") != table.acquire("addr", "a"));
  CHECK(table.size() == 3);
}

TEST_CASE("past the cap the longest idle worker is forgotten, and its index changes hands") {
  WorkerTable table(3);
  const WorkerIndex a = table.acquire("x", "a");
  const WorkerIndex b = table.acquire("x", "b");
  const WorkerIndex c = table.acquire("x", "c");
  table.remember_rate(b, 7);
  table.release(b);
  table.release(a);
  CHECK(table.acquire("x", "b") == b);  // b was used again: a is the oldest now
  table.release(b);
  const std::uint32_t generation = table.at(a).generation;
  // Its last shares may still be on their way: whose they are must not change under them.
  const WorkerIndex d = table.acquire("x", "d");
  CHECK(d != a);
  CHECK(table.at(a).name == "a");
  CHECK(table.at(a).generation == generation);
  table.release(d);
  table.release(table.acquire("x", "e"));  // b goes
  CHECK(table.rate_of("x", "b") == 0);
  table.reuse_forgotten();
  const WorkerIndex f = table.acquire("x", "f");  // and d
  CHECK((f == a || f == b));
  CHECK(table.at(f).generation != generation);
  CHECK(table.at(f).last_rate == 0);
  CHECK(table.size() == 3);
  CHECK(table.at(c).name == "c");
}

TEST_CASE("workers with sessions are never forgotten; the surplus leaves with them") {
  WorkerTable table(2);
  std::vector<WorkerIndex> all;
  for (int i = 0; i < 10; ++i) all.push_back(table.acquire("x", std::to_string(i)));
  CHECK(table.size() == 10);
  for (int i = 0; i < 10; ++i) CHECK(table.at(all[i]).name == std::to_string(i));
  for (const WorkerIndex index : all) table.release(index);
  CHECK(table.size() == 2);
}

TEST_CASE("the table stays bounded while strangers come and go") {
  WorkerTable table(100);
  for (int i = 0; i < 20'000; ++i) {
    const WorkerIndex index = table.acquire("x", std::to_string(i));
    CHECK(index.value() < 111);
    table.release(index);
    if (i % 10 == 9) table.reuse_forgotten();
    CHECK(table.size() <= 100);
  }
}

}  // namespace adit
