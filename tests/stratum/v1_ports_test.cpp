// SPDX-License-Identifier: MIT
// Ports with a policy of their own, and starts by what a device calls itself.
#include <doctest/doctest.h>

#include "v1_rig.h"

using namespace adit;
using namespace adit::test;

namespace {

Difficulty d(std::string_view text) { return *Difficulty::parse(text); }

/// A port for tiny devices, as an operator would have it.
ChannelPolicy nano_port(const TestPool& pool) {
  ChannelPolicy port = pool.context.policy;
  port.vardiff.start = d("0.00016");
  port.vardiff.minimum = d("0.00001");
  port.vardiff.maximum = d("0.01");
  port.vardiff.shares_per_minute = 6;
  return port;
}

struct Hello {
  std::string agent = "test/1.0";
  std::string password = "x";
  std::string suggestion = {};
  std::string session = {};
  const ChannelPolicy* port = nullptr;
};

/// A connection that has said hello, and the difficulty it heard of first.
struct Begun {
  Begun(TestPool& pool, const Hello& hello, Instant now = at(0))
      : connection(pool, now, hello.port) {
    std::string text = R"({"id":2,"method":"mining.subscribe","params":[")" + hello.agent + '"' +
                       (hello.session.empty() ? "" : ",\"" + hello.session + '"') + "]}\n";
    if (!hello.suggestion.empty())
      text +=
          R"({"id":9,"method":"mining.suggest_difficulty","params":[)" + hello.suggestion + "]}\n";
    connection.send(text + authorize(kUser, hello.password) + "\n", now);
    hear();
  }
  void hear() {
    for (const auto& line : connection.take()) miner.hear(line);
  }
  Connection connection;
  TestMiner miner;
};

Difficulty started_at(TestPool& pool, const Hello& hello) {
  return Begun(pool, hello).miner.difficulty;
}

}  // namespace

TEST_CASE("a port's own policy is its miners', and nobody else's") {
  TestPool pool;
  pool.next_tip();
  const ChannelPolicy port = nano_port(pool);
  const Hello by_port{.port = &port};
  CHECK(started_at(pool, {}) == d("0.000001"));
  CHECK(started_at(pool, by_port) == d("0.00016"));
  CHECK(started_at(pool, {.password = "d=0.000001", .port = &port}) == d("0.00001"));
  CHECK(started_at(pool, {.password = "fd=0.5", .port = &port}) == d("0.01"));
  CHECK(started_at(pool, {.password = "md=0.5", .port = &port}) == d("0.01"));
  CHECK(started_at(pool, {.suggestion = "0.0002", .port = &port}) == d("0.0002"));
  CHECK(started_at(pool, {.suggestion = "7", .port = &port}) == d("0.01"));
}

TEST_CASE("what is remembered of a worker or a session keeps to the port's bounds and pace") {
  TestPool pool;
  pool.next_tip();
  ChannelPolicy port = nano_port(pool);
  const WorkerIndex worker = pool.workers.acquire(kAlice, "rig1", {});
  pool.workers.remember_rate(worker, 70'000);
  CHECK(started_at(pool, {.port = &port}) == difficulty_for_rate(port.vardiff, 70'000));
  // Six shares a minute where others are asked for fifteen.
  const double ratio = difficulty_for_rate(port.vardiff, 70'000).approximate() /
                       difficulty_for_rate(pool.context.policy.vardiff, 70'000).approximate();
  CHECK(ratio == doctest::Approx(2.5).epsilon(0.01));
  pool.workers.remember_rate(worker, 1e12);
  CHECK(started_at(pool, {.port = &port}) == d("0.01"));
  std::string session;
  {
    const Begun big(pool, {.password = "d=0.5"});
    CHECK(big.miner.difficulty == d("0.5"));
    session = big.miner.extranonce1;
  }
  CHECK(started_at(pool, {.session = session, .port = &port}) == d("0.01"));
}

TEST_CASE("a port without version rolling, and one with a mask of its own") {
  TestPool pool;
  pool.next_tip();
  ChannelPolicy none = pool.context.policy, few = pool.context.policy;
  none.version_mask = 0;
  few.version_mask = 0x00ffe000;
  Connection c(pool, at(0), &none), e(pool, at(0), &few), f(pool);
  CHECK(c.ask(kConfigure) == R"({"id":1,"result":{"version-rolling":false},"error":null})");
  CHECK(e.ask(kConfigure).find(R"("version-rolling.mask":"00ffe000")") != std::string::npos);
  CHECK(f.ask(kConfigure).find(R"("version-rolling.mask":"1fffe000")") != std::string::npos);
  // Bits behind a refusal, or beyond the port's mask, are not accepted either.
  for (Connection* one : {&c, &e}) {
    one->send(kSubscribe + "\n" + authorize(kUser) + "\n");
    TestMiner miner;
    for (const auto& line : one->take()) miner.hear(line);
    miner.mask = 0x1fffe000;
    one->line(TestMiner::submit(kUser, miner.solve(miner.job(), 1, 0x01000000)));
    CHECK(one->count<ShareAccepted>() == 0);
    CHECK(one->count<ShareRejected>() == 1);
  }
}

TEST_CASE("a reload moves the miners of a port to its bounds, not to those of the others") {
  TestPool pool;
  pool.next_tip();
  ChannelPolicy port = nano_port(pool);
  Begun nano(pool, {.port = &port}), other(pool, {});
  pool.context.policy.vardiff.minimum = d("0.5");
  port.vardiff.minimum = d("0.001");
  for (Begun* one : {&nano, &other}) {
    one->connection.session().policy_changed(at(1));
    one->connection.line(R"({"id":1,"method":"mining.ping"})", at(1));
    one->hear();
  }
  CHECK(nano.miner.difficulty == d("0.001"));
  CHECK(other.miner.difficulty == d("0.5"));
}

TEST_CASE("agents: part of the name, either case, the first rule wins") {
  CHECK(mentions("NerdMinerV2/V1.7.0", "nerdminer"));
  CHECK(mentions("bitaxe/BM1366/v2.4.1", "BM1366"));
  CHECK(mentions("x", "X"));
  CHECK_FALSE(mentions("", "x"));
  CHECK_FALSE(mentions("nerd", "nerdminer"));
  CHECK_FALSE(mentions("a[b", "A{B"));  // only letters have a case
  const std::vector<AgentStart> rules = {{"bitaxe/BM1370", d("3000")}, {"BITAXE", d("1000")}};
  CHECK(start_by_agent(rules, "bitaxe/BM1370/v2.5") == d("3000"));
  CHECK(start_by_agent(rules, "bitaxe/BM1366/v2.5") == d("1000"));
  CHECK_FALSE(start_by_agent(rules, "cgminer/4.11.1").has_value());
  CHECK_FALSE(start_by_agent(rules, "").has_value());
}

TEST_CASE("who rules the start: bounds, the miner's wish, its memory, its agent, its port") {
  TestPool pool;
  pool.context.agents = {{"NerdMiner", d("0.00016")}, {"NiceHash", d("0.25")}};
  pool.next_tip();
  ChannelPolicy port = nano_port(pool);
  port.vardiff.start = d("0.002");
  const Hello nerd{.agent = "NerdMinerV2/V1.7.0", .port = &port};
  const auto with = [&](auto change) {
    Hello hello = nerd;
    change(hello);
    return started_at(pool, hello);
  };
  CHECK(with([](Hello& h) { h.port = nullptr; }) == d("0.00016"));
  CHECK(with([](Hello&) {}) == d("0.00016"));
  CHECK(with([](Hello& h) { h.agent = "other/1"; }) == d("0.002"));
  CHECK(with([](Hello& h) { h.agent = "NICEHASH/1.0.0"; }) == d("0.01"));  // the port's maximum
  CHECK(with([](Hello& h) { h.password = "d=0.003"; }) == d("0.003"));
  CHECK(with([](Hello& h) { h.password = "fd=0.004"; }) == d("0.004"));
  CHECK(with([](Hello& h) { h.password = "md=0.005"; }) == d("0.005"));
  CHECK(with([](Hello& h) { h.suggestion = "0.006"; }) == d("0.006"));
  pool.workers.remember_rate(pool.workers.acquire(kAlice, "rig1", {}), 300'000);
  CHECK(with([](Hello&) {}) == difficulty_for_rate(port.vardiff, 300'000));
  CHECK(with([](Hello& h) { h.password = "d=0.003"; }) == d("0.003"));
}

TEST_CASE("an agent's start is no stab in the dark: silence lowers it gently") {
  TestPool pool;
  pool.context.policy.vardiff.minimum = d("1e-9");
  pool.context.policy.vardiff.start = d("0.25");
  pool.context.agents = {{"NiceHash", d("0.25")}};
  pool.next_tip();
  const auto after_silence = [&](const std::string& agent) {
    Begun one(pool, {.agent = agent});
    for (int second = 1; second <= 20; ++second) one.connection.expire(at(second));
    one.hear();
    return one.miner.difficulty;
  };
  CHECK(after_silence("other/1") < d("0.001"));
  CHECK(after_silence("NiceHash/1.0.0") > d("0.01"));
  CHECK(after_silence("NiceHash/1.0.0") < d("0.25"));
}

TEST_CASE("a second subscribe changes no agent, and authorize may come first") {
  TestPool pool;
  pool.context.agents = {{"NerdMiner", d("0.00016")}};
  pool.next_tip();
  Connection c(pool);
  c.line(authorize(kUser));
  c.line(R"({"id":2,"method":"mining.subscribe","params":["NerdMinerV2"]})");
  c.line(R"({"id":3,"method":"mining.subscribe","params":["other"]})");
  TestMiner miner;
  for (const auto& line : c.take()) miner.hear(line);
  CHECK(miner.difficulty == d("0.00016"));
  CHECK(c.session().agent() == "NerdMinerV2");
}
