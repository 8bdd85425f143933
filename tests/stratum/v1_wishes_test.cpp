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

TEST_CASE(
    "a suggestion again: what came too soon is granted now, what was granted changes nothing") {
  TestPool pool;
  pool.next_tip();
  Rig rig(pool);
  Connection& c = rig.connection;
  c.line(suggest("1e-7"), at(1));
  CHECK(c.take().size() == 3);
  CHECK(c.ask(suggest("0.00015"), at(5)).find("slow down") != std::string::npos);
  c.line(suggest("0.00015"), at(35));
  const auto said = c.take();
  REQUIRE(said.size() == 3);
  CHECK(said[0] == result_true("5"));
  CHECK(said[1] == R"({"id":null,"method":"mining.set_difficulty","params":[0.00015]})");
  for (const auto& line : said) rig.miner.hear(line);
  // Silence has led away from it: the keep-alive does not lead back.
  Instant now = at(35);
  for (int i = 0; i < 10; ++i) {
    const auto deadline = c.session().deadline();
    if (!deadline) break;
    now = *deadline;
    c.expire(now);
  }
  rig.hear();
  REQUIRE(rig.miner.difficulty < d("0.00015"));
  c.line(suggest("0.00015"), now + std::chrono::seconds(30));
  CHECK(c.take() == std::vector{result_true("5")});
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

namespace {
const std::string kFollow = R"({"id":8,"method":"mining.extranonce.subscribe","params":[]})";

/// A reload with another extranonce2_size.
void resize(TestPool& pool, Rig& rig, std::uint8_t size, double time) {
  pool.context.extranonce2_size = size;
  rig.connection.session().policy_changed(at(time));
  rig.connection.line(R"({"id":9,"method":"mining.ping"})", at(time));
}
}  // namespace

TEST_CASE("another extranonce2_size moves who subscribed to extranonces, and nobody else") {
  TestPool pool;
  pool.next_tip();
  Rig rig(pool), other(pool);
  CHECK(rig.connection.ask(kFollow) == result_true("8"));
  const MinerJob old = rig.miner.job();
  resize(pool, rig, 4, 1);
  const auto said = rig.connection.take();
  REQUIRE(said.size() == 3);
  CHECK(matches(R"({"id":null,"method":"mining.set_extranonce","params":["*",4]})", said[0]));
  for (const auto& line : said) rig.miner.hear(line);
  const MinerJob job = rig.miner.job();
  CHECK(job.clean);
  CHECK(job.id != old.id);
  CHECK(job.extranonce1.size() == 24);
  CHECK(job.extranonce1.substr(0, 16) != old.extranonce1);  // no stream of work is searched twice
  // What is under way for the old job has the old one's size.
  const auto accepted = [&](const MinerJob& of, std::uint64_t roll) {
    const std::size_t before = rig.connection.count<ShareAccepted>();
    rig.connection.line(TestMiner::submit(kUser, rig.miner.solve(of, roll)), at(2));
    return rig.connection.count<ShareAccepted>() == before + 1;
  };
  CHECK(accepted(old, 1));
  CHECK(accepted(job, 1));
  Solution wrong = rig.miner.solve(job, 2);
  wrong.extranonce2 += "00000000";
  rig.connection.settle_all();
  CHECK(rig.connection.ask(TestMiner::submit(kUser, wrong), at(2)).find("extranonce2 size") !=
        std::string::npos);
  // Who did not ask keeps what he was told, also when he asks again what that is.
  resize(pool, other, 4, 1);
  CHECK(other.connection.take().size() == 1);
  other.connection.line(TestMiner::submit(kUser, other.miner.solve(other.miner.job(), 1)), at(2));
  CHECK(other.connection.count<ShareAccepted>() == 1);
  other.connection.settle_all();
  CHECK(other.connection.ask(kSubscribe).ends_with(",8],\"error\":null}"));
  CHECK(rig.connection.ask(kSubscribe).ends_with(",4],\"error\":null}"));
  // The same again changes nothing.
  resize(pool, rig, 4, 3);
  CHECK(rig.connection.take().size() == 1);
}

TEST_CASE("who subscribes to extranonces late is moved then, when all before it is answered") {
  TestPool pool;
  pool.next_tip();
  Rig rig(pool);
  resize(pool, rig, 7, 1);
  rig.hear();
  Connection& c = rig.connection;
  for (std::uint64_t roll = 1; roll <= 2; ++roll)
    c.line(TestMiner::submit(kUser, rig.miner.solve(rig.miner.job(), roll), std::to_string(roll)));
  c.line(kFollow);
  c.line(TestMiner::submit(kUser, rig.miner.solve(rig.miner.job(), 3), "7"));
  CHECK(c.take().empty());
  c.settle();
  CHECK(c.take() == std::vector{result_true("1")});
  c.settle();
  const auto said = c.take();
  REQUIRE(said.size() == 4);
  CHECK(said[0] == result_true("2"));
  CHECK(said[1] == result_true("8"));
  CHECK(said[2].find("mining.set_extranonce") != std::string::npos);
  CHECK(said[3].find("mining.notify\",\"params") != std::string::npos);
  c.settle_all();
  CHECK(c.take() == std::vector{result_true("7")});
}

TEST_CASE("before its first job a miner is moved with that job, and not before it is authorised") {
  TestPool pool;
  pool.next_tip();
  Connection c(pool);
  c.send(configure("[\"subscribe-extranonce\"]") + "\n" + kSubscribe + "\n");
  pool.context.extranonce2_size = 6;
  c.session().policy_changed(at(1));
  CHECK(c.take().size() == 2);
  c.line(authorize(kUser), at(2));
  const auto said = c.take();
  REQUIRE(said.size() == 4);
  CHECK(said[0] == result_true("3"));
  CHECK(matches(R"({"id":null,"method":"mining.set_extranonce","params":["*",6]})", said[1]));
  TestMiner miner;
  for (const auto& line : said) miner.hear(line);
  REQUIRE(miner.jobs.size() == 1);
  c.line(TestMiner::submit(kUser, miner.solve(miner.job(), 1)), at(3));
  CHECK(c.count<ShareAccepted>() == 1);
}

TEST_CASE("a session that was moved is resumed by the id it was given first, or by its new one") {
  TestPool pool;
  pool.next_tip();
  std::vector<std::string> ids;
  {
    Rig rig(pool, true, "d=0.001");
    rig.connection.ask(kFollow);
    ids.push_back(rig.miner.extranonce1);
    resize(pool, rig, 5, 1);
    rig.hear();
    ids.push_back(rig.miner.extranonce1);
  }
  CHECK(pool.prefixes.live() == 0);
  pool.context.extranonce2_size = 8;
  const auto begins_at = [&](const std::string& id) {
    Connection c(pool);
    c.send("{\"id\":2,\"method\":\"mining.subscribe\",\"params\":[\"test\",\"" + id + "\"]}\n" +
           authorize(std::string(kBob) + ".new") + "\n");
    TestMiner miner;
    for (const auto& line : c.take()) miner.hear(line);
    return miner.difficulty;
  };
  for (const std::string& id : ids) CHECK(begins_at(id) == d("0.001"));
  // Not what an empty place of the table looks like.
  for (const std::size_t size : {0, 14, 16, 18, 32, 34, 600}) {
    CAPTURE(size);
    CHECK(begins_at(std::string(size, '0')) == d("1e-6"));
  }
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
