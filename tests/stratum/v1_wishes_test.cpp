// SPDX-License-Identifier: MIT
// The V1 session: what a miner negotiates and wishes, what a reload changes, and the small methods.
#include <doctest/doctest.h>

#include "stratum/v1/session.h"
#include "v1_rig.h"

using namespace adit;
using namespace adit::test;

namespace {

Difficulty d(const char* text) { return *Difficulty::parse(text); }

std::string configure(std::string_view extensions, std::string_view options = "{}") {
  return "{\"id\":1,\"method\":\"mining.configure\",\"params\":[" + std::string(extensions) + "," +
         std::string(options) + "]}";
}

std::string suggest(std::string_view value) {
  return "{\"id\":5,\"method\":\"mining.suggest_difficulty\",\"params\":[" + std::string(value) +
         "]}";
}

std::string configured(std::string_view result) {
  return "{\"id\":1,\"result\":" + std::string(result) + ",\"error\":null}";
}

}  // namespace

TEST_CASE("miners hear no fraction above 1, wherever it comes from") {
  TestPool pool;
  pool.bits = CompactTarget(0x1b0404cb);  // difficulty 16307
  pool.next_tip();
  const auto hears = [&](std::string_view password, const std::string& before = "") {
    Connection c(pool);
    c.send(kSubscribe + "\n" + before + authorize(kUser, password) + "\n");
    TestMiner miner;
    for (const auto& line : c.take()) miner.hear(line);
    return miner.difficulty.text();
  };
  CHECK(hears("d=931.1") == "931");
  CHECK(hears("fd=1638.75") == "1638");
  CHECK(hears("md=5.5") == "6");
  CHECK(hears("d=7,md=5.5") == "7");
  CHECK(hears("d=0.75") == "0.75");
  CHECK(hears("x", suggest("1638.75") + "\n") == "1638");
  CHECK(hears("x", suggest("\"1.5\"") + "\n") == "1");
  const std::string target = "0000000000aaaaaa" + std::string(48, '0');  // 383.99...
  const std::string suggest_target =
      "{\"id\":5,\"method\":\"mining.suggest_target\",\"params\":[\"" + target + "\"]}\n";
  CHECK(hears("x", suggest_target) == "383");
  CHECK(hears("x", configure("[\"minimum-difficulty\"]", "{\"minimum-difficulty.value\":2.25}") +
                       "\n") == "3");
  CHECK(hears("d=1e9") == "16307");
  pool.context.policy.vardiff.minimum = d("2.5");
  CHECK(hears("x") == "3");
  pool.context.policy.vardiff.maximum = d("9.5");
  CHECK(hears("d=1e9") == "9");
  pool.context.policy.vardiff.start = d("4.5");
  CHECK(hears("x") == "4");
}

TEST_CASE("configure minimum-difficulty raises the floor, also after authorize") {
  TestPool pool;
  pool.next_tip();
  Rig rig(pool);
  CHECK(rig.connection.ask(configure("[\"minimum-difficulty\",\"info\"]",
                                     "{\"minimum-difficulty.value\":0.25}")) ==
        configured("{\"minimum-difficulty\":true,\"info\":true}"));
  Connection& c = rig.connection;
  Rig late(pool);
  late.connection.line(
      configure("[\"minimum-difficulty\"]", "{\"minimum-difficulty.value\":0.25}"));
  const auto said = late.connection.take();
  REQUIRE(said.size() == 3);
  CHECK(said[1] == R"({"id":null,"method":"mining.set_difficulty","params":[0.25]})");
  CHECK(said[2].find("mining.notify\",\"params") != std::string::npos);
  // Below it nothing is wished for, nor does silence lead there.
  c.line(suggest("0.001"), at(20));
  CHECK(c.take() == std::vector{result_true("5")});
  for (int i = 1; i < 100; ++i) c.expire(at(20 + 60 * i));
  CHECK(c.take().empty());
}

TEST_CASE("suggest_target moves a session, and its repetition does not") {
  TestPool pool;
  pool.next_tip();
  Rig rig(pool);
  const std::string line = "{\"id\":5,\"method\":\"mining.suggest_target\",\"params\":[\"" +
                           Difficulty::parse("0.125")->to_target().hex() + "\"]}";
  rig.connection.line(line);
  const auto said = rig.connection.take();
  REQUIRE(said.size() == 3);
  CHECK(said[0] == result_true("5"));
  CHECK(said[1] == R"({"id":null,"method":"mining.set_difficulty","params":[0.125]})");
  rig.connection.line(line, at(10));
  CHECK(rig.connection.take() == std::vector{result_true("5")});
}

TEST_CASE("configure after authorize: the bits count from then on") {
  TestPool pool;
  pool.next_tip();
  Rig rig(pool, false);
  const MinerJob job = rig.miner.job();
  Connection& c = rig.connection;
  c.line(TestMiner::submit(kUser, rig.miner.solve(job, 1)));
  c.settle_all();
  c.take();
  c.line(kConfigure);
  rig.hear();
  CHECK(rig.miner.mask == 0x1fffe000);
  c.line(TestMiner::submit(kUser, rig.miner.solve(job, 2, 0x00004000)));
  CHECK(c.count<ShareAccepted>() == 2);
}

TEST_CASE("configure answers each member once, in whatever order its names come") {
  TestPool pool;
  pool.next_tip();
  const std::string options = R"({"version-rolling.mask":"1fffe000"})";
  const std::string rolls = R"({"version-rolling":true,"version-rolling.mask":"1fffe000"})";
  const auto answer = [&](std::string_view extensions) {
    Connection c(pool);
    return c.ask(configure(extensions, options));
  };
  CHECK(answer(R"(["version-rolling","version-rolling.mask"])") == configured(rolls));
  CHECK(answer(R"(["version-rolling.mask","version-rolling"])") == configured(rolls));
  CHECK(answer(R"(["version-rolling.mask","version-rolling","version-rolling.mask"])") ==
        configured(rolls));
  CHECK(answer(R"(["version-rolling.mask"])") == configured(R"({"version-rolling.mask":false})"));
  pool.context.policy.version_mask = 0;
  CHECK(answer(R"(["version-rolling.mask","version-rolling"])") ==
        configured(R"({"version-rolling":false})"));
}

TEST_CASE("an operator who forbids version rolling") {
  TestPool pool;
  pool.context.policy.version_mask = 0;
  pool.next_tip();
  Rig rig(pool, false);
  CHECK(rig.connection.ask(kConfigure) == configured("{\"version-rolling\":false}"));
  rig.connection.line(TestMiner::submit(kUser, rig.miner.solve(rig.miner.job(), 1)));
  CHECK(rig.connection.count<ShareAccepted>() == 1);
}

TEST_CASE(
    "wishes of one packet: the first worker's are the start, then one change in ten seconds") {
  TestPool pool;
  pool.next_tip();
  Connection c(pool);
  std::string hello = kSubscribe + "\n" + authorize(kUser, "d=0.01") + "\n";
  for (int i = 0; i < 30; ++i)
    hello += authorize(kUser + std::to_string(i), i % 2 == 0 ? "d=0.02" : "d=0.03") + "\n";
  c.send(hello);
  TestMiner miner;
  for (const auto& line : c.take()) miner.hear(line);
  CHECK(miner.jobs.size() == 1);
  CHECK(miner.difficulty == d("0.02"));
  c.line(authorize(kUser, "d=0.03"), at(9));
  CHECK(c.take() == std::vector{result_true("3")});
  c.line(authorize(kUser, "d=0.03"), at(10));
  CHECK(c.take().size() == 3);
}

TEST_CASE("a reload reaches the sessions that are there") {
  TestPool pool;
  pool.next_tip();
  Rig rig(pool), fixed(pool, true, "fd=1e-7");
  VardiffOptions& options = pool.context.policy.vardiff;
  const auto reload = [&](Rig& one, double time) {
    one.connection.session().policy_changed(at(time));
    one.connection.line(R"({"id":1,"method":"mining.ping"})", at(time));
    one.hear();
    return one.miner.difficulty;
  };
  options.minimum = options.start = d("0.001");
  CHECK(reload(rig, 1) == d("0.001"));
  CHECK(reload(fixed, 1) == d("0.001"));
  CHECK(rig.miner.jobs.size() == 2);
  options.minimum = d("1e-9");
  options.maximum = d("1e-5");
  CHECK(reload(rig, 2) == d("1e-5"));
  CHECK(reload(fixed, 2) == d("1e-7"));  // what was wished is granted again
  Connection early(pool);
  early.session().policy_changed(at(1));
  CHECK_FALSE(early.closed());
}

TEST_CASE("a miner that hears of no work for a minute is let go") {
  TestPool pool;  // no job
  Connection c(pool);
  c.line(kSubscribe, at(1));
  c.line(authorize(kUser), at(5));
  c.line(authorize(kUser + "2"), at(20));
  CHECK(c.session().deadline() == at(65));
  c.expire(at(64));
  CHECK_FALSE(c.closed());
  SUBCASE("unless it comes") {
    c.publish(pool.next_tip(), at(64));
    c.expire(at(65));
    CHECK_FALSE(c.closed());
  }
  SUBCASE("so that it goes to its next pool") {
    c.expire(at(65));
    REQUIRE(c.closed());
    CHECK(c.close()->reason == "no work to give");
  }
}

TEST_CASE("mining.get_transactions") {
  TestPool pool;
  pool.next_tip();
  Rig rig(pool);
  Connection& c = rig.connection;
  const auto ask = [&] {
    return c.ask("{\"id\":9,\"method\":\"mining.get_transactions\",\"params\":[\"" +
                 rig.miner.job().id + "\"]}");
  };
  CHECK(ask() == R"({"id":9,"result":["00aa00","01aa00","02aa00"],"error":null})");
  const auto change = [&](const auto& what) {
    pool.next_job();
    auto block = std::make_shared<BlockTemplate>(*pool.job->block_template);
    auto job = std::make_shared<Job>(*pool.job);
    what(*job, *block);
    job->block_template = block;
    c.publish(job);
    rig.hear();
  };
  change([](Job&, BlockTemplate& block) { block.transactions[1].data.resize(20'000); });
  CHECK(ask() == R"({"id":9,"result":null,"error":[-3,"too many transactions to show",null]})");
  change([](Job& job, BlockTemplate&) { job.empty = true; });
  CHECK(ask() == R"({"id":9,"result":null,"error":[-3,"no transactions to show",null]})");
}

TEST_CASE("mining.multi_version: one is what we send") {
  TestPool pool;
  pool.next_tip();
  Connection c(pool);
  const auto ask = [&](const std::string& params) {
    return c.ask("{\"id\":1,\"method\":\"mining.multi_version\",\"params\":" + params + "}");
  };
  CHECK(ask("[1]") == configured("true"));
  for (const char* other : {"[4]", "[0]", "[-1]", "[\"1\"]", "[]", "{}", "null"})
    CHECK(ask(other) == configured("false"));
}

TEST_CASE("default extranonce2 of 8 bytes, and a long name is never echoed") {
  CHECK(SessionContext().extranonce2_size == 8);
  TestPool pool;
  pool.next_tip();
  Connection c(pool);
  for (const std::string& name :
       {std::string(3000, 'w'), std::string(kAlice) + "." + std::string(3000, 'w'),
        std::string("%") + std::string(3000, '4'), std::string(kAlice) + std::string(3000, 'q')}) {
    const std::string reply = c.ask(authorize(name));
    CHECK(reply.find("[24,") != std::string::npos);
    CHECK(reply.size() < 200);
    CHECK(reply.find("wwwwwww") == std::string::npos);
  }
  c.line(kSubscribe);
  c.line(authorize(kUser));
  c.take();
  const std::string submit = "{\"id\":4,\"method\":\"mining.submit\",\"params\":[\"" +
                             std::string(3000, 'w') + "\",\"0\",\"0\",\"0\",\"0\"]}";
  CHECK(c.ask(submit).size() < 200);
  const std::string unknown = R"({"id":4,"method":")" + std::string(3000, 'w') + "\"}";
  CHECK(c.ask(unknown).size() < 200);
}
