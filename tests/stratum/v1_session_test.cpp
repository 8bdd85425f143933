// SPDX-License-Identifier: MIT
// The V1 session as a whole: hello, jobs, shares, order of replies.
#include <doctest/doctest.h>

#include "stratum/v1/session.h"
#include "v1_rig.h"

using namespace adit;
using namespace adit::test;

TEST_CASE("a pipelined hello is answered in one write: replies first, then difficulty and job") {
  TestPool pool;
  pool.next_tip();
  Connection connection(pool);
  connection.send(kConfigure + "\n" + kSubscribe + "\n" + authorize(kUser) + "\n");
  CHECK(connection.writes() == 1);
  const auto said = connection.take();
  REQUIRE(said.size() == 5);
  CHECK(said[0] == R"({"id":1,"result":{"version-rolling":true,"version-rolling.mask":"1fffe000"},)"
                   R"("error":null})");
  CHECK(said[1] == R"({"id":2,"result":[[["mining.set_difficulty","0102000300000001"],)"
                   R"(["mining.notify","0102000300000001"]],"0102000300000001",8],"error":null})");
  CHECK(said[2] == result_true("3"));
  CHECK(said[3] == R"({"id":null,"method":"mining.set_difficulty","params":[0.000001]})");
  CHECK(said[4].starts_with(R"({"id":null,"method":"mining.notify","params":["add100000001)"));
  CHECK(said[4].ends_with(",true]}"));
  CHECK(connection.session().agent() == "test/1.0");
}

TEST_CASE(
    "configure behind authorize in one write: its answer comes before difficulty and job too") {
  TestPool pool;
  pool.next_tip();
  Connection connection(pool);
  connection.send(kSubscribe + "\n" + authorize(kUser) + "\n" + kConfigure + "\n");
  CHECK(connection.writes() == 1);
  const auto said = connection.take();
  REQUIRE(said.size() == 5);
  CHECK(said[0].starts_with(R"({"id":2,"result":[)"));
  CHECK(said[1] == result_true("3"));
  CHECK(said[2].starts_with(R"({"id":1,"result":{"version-rolling":true,)"));
  CHECK(said[3].find("mining.set_difficulty\",\"params") != std::string::npos);
  CHECK(said[4].find("mining.notify\",\"params") != std::string::npos);
}

TEST_CASE("a share found from the wire alone is accepted, and answered when it is durable") {
  TestPool pool;
  pool.next_tip();
  Rig rig(pool);
  std::uint32_t bits = 0;
  SUBCASE("without rolled bits") {}
  SUBCASE("with rolled bits") { bits = 0x00c0e000; }
  const Solution s = rig.miner.solve(rig.miner.job(), 7, bits);
  rig.connection.line(TestMiner::submit(kUser, s, "\"x\""));
  CHECK(rig.connection.take().empty());
  REQUIRE(rig.connection.events().size() == 1);
  const auto& accepted = std::get<ShareAccepted>(rig.connection.events()[0]);
  CHECK(accepted.hash == s.hash);
  CHECK(accepted.tip == pool.job->block_template->prev);
  CHECK(accepted.height == 101);
  CHECK(accepted.difficulty == *Difficulty::parse("1e-6"));
  CHECK(accepted.work == Work::of(accepted.difficulty.to_target()));
  CHECK(pool.workers.at(accepted.worker).account == kAlice);
  CHECK(pool.workers.at(accepted.worker).name == "rig1");
  rig.connection.settle();
  CHECK(rig.connection.take() == std::vector{result_true("\"x\"")});
}

TEST_CASE("replies keep the order of requests behind a waiting share") {
  TestPool pool;
  pool.next_tip();
  Rig rig(pool);
  const Solution one = rig.miner.solve(rig.miner.job(), 1);
  const Solution two = rig.miner.solve(rig.miner.job(), 2);
  const Solution low = rig.miner.solve(rig.miner.job(), 3, 0, true);
  Connection& c = rig.connection;
  c.line(TestMiner::submit(kUser, low, "10"));
  CHECK(c.take().size() == 1);  // nothing waits: at once
  c.line(TestMiner::submit(kUser, one, "11"));
  c.line(TestMiner::submit(kUser, low, "12"));
  c.line(R"({"id":13,"method":"mining.ping","params":[]})");
  c.line(TestMiner::submit(kUser, two, "14"));
  c.line(R"({"id":15,"method":"mining.ping","params":[]})");
  CHECK(c.take().empty());
  c.settle();
  auto said = c.take();
  REQUIRE(said.size() == 3);
  CHECK(said[0] == result_true("11"));
  CHECK(said[1].starts_with(R"({"id":12,"result":null,"error":[23,"low difficulty share )"));
  CHECK(said[1].ends_with(R"( of 0.000001",null]})"));
  CHECK(said[2] == R"({"id":13,"result":"pong","error":null})");
  c.settle(RejectReason::Duplicate);
  said = c.take();
  REQUIRE(said.size() == 2);
  CHECK(said[0] == R"({"id":14,"result":null,"error":[22,"duplicate share",null]})");
  CHECK(said[1].starts_with("{\"id\":15,"));
}

TEST_CASE("a new difficulty goes out with the same work under a new id, not clean") {
  TestPool pool;
  pool.next_tip();
  Rig rig(pool);
  Connection& c = rig.connection;
  c.line(R"({"id":5,"method":"mining.suggest_difficulty","params":[0.0005]})");
  const auto said = c.take();
  REQUIRE(said.size() == 3);
  CHECK(said[0] == result_true("5"));
  CHECK(said[1] == R"({"id":null,"method":"mining.set_difficulty","params":[0.0005]})");
  CHECK(said[2].ends_with(",false]}"));
  rig.miner.hear(said[1]);
  rig.miner.hear(said[2]);
  CHECK(rig.miner.jobs[0].id != rig.miner.jobs[1].id);
  CHECK(rig.miner.jobs[0].prevhash == rig.miner.jobs[1].prevhash);
  // Firmware that counts its extranonce from zero again finds work it has not done yet.
  CHECK(*hex_u32(rig.miner.jobs[1].ntime) == *hex_u32(rig.miner.jobs[0].ntime) + 1);
  CHECK(rig.miner.jobs[1].coinbase1 == rig.miner.jobs[0].coinbase1);
  const Solution fresh = rig.miner.solve(rig.miner.jobs[1], 9);
  c.line(TestMiner::submit(kUser, fresh));
  CHECK(std::get<ShareAccepted>(c.events().back()).difficulty == *Difficulty::parse("0.0005"));
  // A share of the old id is still judged by the old difficulty.
  const Solution old = rig.miner.solve(rig.miner.jobs[0], 9);
  c.line(TestMiner::submit(kUser, old));
  CHECK(std::get<ShareAccepted>(c.events().back()).difficulty == *Difficulty::parse("1e-6"));
}

TEST_CASE("vardiff: a fast miner is raised, and never above the network") {
  TestPool pool;
  pool.context.policy.vardiff.start = *Difficulty::parse("1e-9");
  pool.bits = CompactTarget(0x1f00ffff);
  pool.next_tip();
  Rig rig(pool);
  for (std::uint64_t i = 0; i < 200; ++i) {
    const Solution s = rig.miner.solve(rig.miner.job(), i);
    rig.connection.line(TestMiner::submit(kUser, s), at(0.01 * static_cast<double>(i)));
    rig.connection.settle_all();
    rig.hear();
  }
  CHECK(rig.miner.difficulty > *Difficulty::parse("1e-9"));
  CHECK(rig.miner.difficulty <= pool.job->network_difficulty);
  CHECK(rig.connection.count<ShareRejected>() == 0);
  CHECK_FALSE(rig.connection.closed());
}

TEST_CASE("silence lowers the difficulty by way of the deadline") {
  TestPool pool;
  pool.context.policy.vardiff.start = *Difficulty::parse("0.5");
  pool.next_tip();
  Rig rig(pool);
  auto deadline = rig.connection.session().deadline();
  REQUIRE(deadline.has_value());
  for (int i = 0; i < 20 && deadline; ++i) {
    rig.connection.expire(*deadline);
    deadline = rig.connection.session().deadline();
  }
  rig.hear();
  CHECK(rig.miner.difficulty < *Difficulty::parse("0.5"));
  CHECK(rig.miner.jobs.size() > 1);
}

TEST_CASE("jobs: shared bytes, own ids, clean only on a new tip") {
  TestPool pool;
  pool.next_tip();
  Rig a(pool), b(pool);
  a.connection.publish(pool.next_job());
  b.connection.publish(pool.job);
  a.hear();
  b.hear();
  CHECK(a.miner.jobs[1].coinbase1 == b.miner.jobs[1].coinbase1);
  CHECK(a.miner.jobs[1].id != b.miner.jobs[1].id);
  CHECK_FALSE(a.miner.jobs[1].clean);
  a.connection.publish(pool.next_tip());
  a.hear();
  CHECK(a.miner.jobs[2].clean);
  // Another connection's job id is unknown here.
  Solution s = b.miner.solve(b.miner.jobs[1], 1);
  const std::string reply = a.connection.ask(TestMiner::submit(kUser, s));
  CHECK(reply == R"({"id":4,"result":null,"error":[21,"job not found",null]})");
}

TEST_CASE("a job that overtook the clean one of its tip is clean for the miner that missed that") {
  TestPool pool;
  pool.next_tip();
  Rig a(pool);
  pool.next_tip();  // it never reaches this session
  a.connection.publish(pool.next_job());
  a.hear();
  CHECK(a.miner.jobs[1].clean);
  a.connection.publish(pool.next_job());
  a.hear();
  CHECK_FALSE(a.miner.jobs[2].clean);
}

TEST_CASE("a block is reported before the share, also when the share is refused") {
  TestPool pool;
  pool.bits = CompactTarget(0x207fffff);
  pool.context.policy.vardiff.minimum = *Difficulty::parse("0.0001");
  pool.next_tip();
  Rig rig(pool);
  CHECK(rig.miner.difficulty <= pool.job->network_difficulty);  // bounds lie above the network
  const Solution s = rig.miner.solve(rig.miner.job(), 1);
  Connection& c = rig.connection;
  c.line(TestMiner::submit(kUser, s));
  REQUIRE(c.events().size() == 2);
  const auto& block = std::get<BlockFound>(c.events()[0]);
  CHECK(block.hash == s.hash);
  CHECK(block.job == pool.job);
  CHECK(std::get<ShareAccepted>(c.events()[1]).is_block);
  // Stale, and by a stranger: still a block.
  const Solution other = rig.miner.solve(rig.miner.job(), 2);
  c.publish(pool.next_tip());
  c.settle_all();
  CHECK(c.ask(TestMiner::submit(std::string(kBob), other)).find("[21,\"stale\"") !=
        std::string::npos);
  CHECK(c.count<BlockFound>() == 2);
  CHECK_FALSE(std::get<BlockFound>(c.events()[2]).worker.has_value());
}

TEST_CASE("who rules the difficulty") {
  TestPool pool;
  pool.next_tip();
  const auto started_at = [&](std::string_view password, std::string_view before = "") {
    Connection c(pool);
    std::string hello = kSubscribe + "\n";
    if (!before.empty())
      hello += R"({"id":9,"method":"mining.suggest_difficulty","params":[)" + std::string(before) +
               "]}\n";
    c.send(hello + authorize(kUser, password) + "\n");
    TestMiner miner;
    for (const auto& line : c.take()) miner.hear(line);
    return miner.difficulty.text();
  };
  CHECK(started_at("x") == "0.000001");
  CHECK(started_at("d=0.01") == "0.01");
  CHECK(started_at("x", "0.02") == "0.02");
  CHECK(started_at("d=0.01", "0.02") == "0.01");
  CHECK(started_at("fd=0.03;d=0.01", "0.02") == "0.03");
  CHECK(started_at("d=0.001,md=0.05") == "0.05");
  CHECK(started_at("d=1e-12") == Difficulty::parse("1e-9")->text());
  CHECK(started_at("d=1e9") == "1");  // the network's
}

TEST_CASE("a named session brings its difficulty back, and never an extranonce1") {
  TestPool pool;
  pool.next_tip();
  std::string first;
  {
    Rig rig(pool);
    rig.connection.line(R"({"id":5,"method":"mining.suggest_difficulty","params":[0.0005]})");
    first = rig.miner.extranonce1;
  }
  Connection c(pool);
  c.line(R"({"id":2,"method":"mining.subscribe","params":["a",")" + first + R"("]})");
  c.line(authorize(kUser));
  TestMiner miner;
  for (const auto& line : c.take()) miner.hear(line);
  CHECK(miner.extranonce1 != first);
  CHECK(miner.difficulty == *Difficulty::parse("0.0005"));
}

TEST_CASE("a worker's rate is remembered over a reconnect") {
  TestPool pool;
  pool.next_tip();
  pool.workers.remember_rate(pool.workers.acquire(kAlice, "rig1", {}), 1e6);
  Rig rig(pool);
  CHECK(rig.miner.difficulty == difficulty_for_rate(pool.context.policy.vardiff, 1e6));
}

TEST_CASE("several workers, a default account, and authorise before subscribe") {
  TestPool pool;
  pool.context.default_account = std::string(kBob);
  pool.next_tip();
  Connection c(pool);
  c.line(authorize("rig-7"));
  c.line(authorize(kUser));
  CHECK(c.take() == std::vector{result_true("3"), result_true("3")});
  c.line(kSubscribe);
  TestMiner miner;
  for (const auto& line : c.take()) miner.hear(line);
  REQUIRE(miner.jobs.size() == 1);
  c.line(TestMiner::submit("rig-7", miner.solve(miner.job(), 1)));
  c.line(TestMiner::submit(kUser, miner.solve(miner.job(), 2)));
  REQUIRE(c.count<ShareAccepted>() == 2);
  const auto& one = std::get<ShareAccepted>(c.events()[0]);
  const auto& two = std::get<ShareAccepted>(c.events()[1]);
  CHECK(pool.workers.at(one.worker).account == kBob);
  CHECK(pool.workers.at(one.worker).name == "rig-7");
  CHECK(pool.workers.at(two.worker).account == kAlice);
}

TEST_CASE("deadlines: first request, authorise, unfinished line") {
  TestPool pool;
  pool.next_tip();
  Connection silent(pool);
  CHECK(silent.session().deadline() == at(10));
  silent.expire(at(9.9));
  CHECK_FALSE(silent.closed());
  silent.expire(at(10));
  CHECK(silent.closed());
  Connection idle(pool);
  idle.line(kSubscribe);
  CHECK(idle.session().deadline() == at(30));
  idle.expire(at(30));
  CHECK(idle.closed());
  Rig rig(pool);
  rig.connection.send("{\"id\":", at(100));
  rig.connection.expire(at(159));
  CHECK_FALSE(rig.connection.closed());
  rig.connection.send("1", at(159));
  rig.connection.expire(at(160));
  CHECK(rig.connection.closed());
}

TEST_CASE("1024 shares may wait, and no more") {
  TestPool pool;
  pool.next_tip();
  pool.context.policy.vardiff.maximum = *Difficulty::parse("1e-9");
  Rig rig(pool);
  for (std::uint64_t i = 0; i < 1024; ++i)
    rig.connection.line(TestMiner::submit(kUser, rig.miner.solve(rig.miner.job(), i)));
  CHECK_FALSE(rig.connection.closed());
  CHECK(rig.connection.unsettled() == 1024);
  rig.connection.line(TestMiner::submit(kUser, rig.miner.solve(rig.miner.job(), 2000)));
  CHECK(rig.connection.closed());
}

TEST_CASE("drain asks for a reconnect to the same host") {
  TestPool pool;
  pool.next_tip();
  Rig rig(pool);
  rig.connection.session().drain(5, at(1));
  rig.connection.line(R"({"id":1,"method":"mining.ping"})", at(1));
  CHECK(rig.connection.take()[0] == R"({"id":null,"method":"client.reconnect","params":[]})");
}
