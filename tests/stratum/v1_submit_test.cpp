// SPDX-License-Identifier: MIT
// The V1 session's submits: blocks in spite of everything, the pace, replies before a retarget.
#include <doctest/doctest.h>

#include "stratum/v1/session.h"
#include "v1_rig.h"

using namespace adit;
using namespace adit::test;

namespace {

const v1::MinerSession& session_of(Connection& connection) {
  return static_cast<const v1::MinerSession&>(connection.session());
}

std::string without_user(const std::string& line) {
  const std::string user = "\"" + kUser + "\"";
  std::string out = line;
  return out.replace(out.find(user), user.size(), "null");
}

}  // namespace

TEST_CASE("a block behind what closes the session is reported, and nothing else is") {
  TestPool pool;
  pool.bits = CompactTarget(0x207fffff);
  pool.next_tip();
  Rig rig(pool);
  Connection& c = rig.connection;
  const std::string low = TestMiner::submit(kUser, rig.miner.solve(rig.miner.job(), 1, 0, true));
  const Solution block = rig.miner.solve(rig.miner.job(), 2);
  const std::string good = TestMiner::submit(kUser, block);
  const std::string foo = R"({"id":1,"method":"mining.foo"})";
  std::string text;
  SUBCASE("on the same bench") {
    for (int i = 0; i < 99; ++i) c.line(foo);
    text = low + "\n" + good + "\n";
  }
  SUBCASE("far behind") {
    for (int i = 0; i < 99; ++i) c.line(foo);
    for (int i = 0; i < 30; ++i) text += low + "\n";
    text += good + "\n";
  }
  SUBCASE("behind something else") {
    for (int i = 0; i < 99; ++i) c.line(foo);
    text = foo + "\n" + foo + "\n" + good + "\n";
  }
  SUBCASE("in a form that no firmware writes") {
    for (int i = 0; i < 99; ++i) c.line(foo);
    text = low + "\n" + low + "\n" + without_user(good) + "\n";
  }
  SUBCASE("behind what is no JSON") { text = "oops\n" + good + "\n"; }
  c.take();
  c.send(text);
  CHECK(c.closed());
  REQUIRE(c.count<BlockFound>() == 1);
  for (const SessionEvent& event : c.events())
    if (const auto* found = std::get_if<BlockFound>(&event)) CHECK(found->hash == block.hash);
  CHECK(c.count<ShareAccepted>() == 0);
  CHECK(c.take().size() <= 2);
}

TEST_CASE("a block behind too many waiting shares is reported") {
  TestPool pool;
  pool.bits = CompactTarget(0x2000ffff);
  pool.context.policy.vardiff.maximum = *Difficulty::parse("1e-9");
  pool.next_tip();
  Rig rig(pool);
  const Target network = pool.job->network_target;
  std::uint64_t roll = 0;
  const auto next = [&](bool block) {
    for (;;) {
      Solution s = rig.miner.solve(rig.miner.job(), roll++);
      if (meets(s.hash, network) == block) return TestMiner::submit(kUser, s) + "\n";
    }
  };
  for (int i = 0; i < 1024; ++i) rig.connection.send(next(false));
  CHECK_FALSE(rig.connection.closed());
  rig.connection.send(next(false) + next(true));
  CHECK(rig.connection.closed());
  CHECK(rig.connection.count<BlockFound>() == 1);
}

TEST_CASE("a block that was told is not told again behind a user that is no text") {
  TestPool pool;
  pool.bits = CompactTarget(0x207fffff);
  pool.next_tip();
  Rig rig(pool);
  const std::string line =
      TestMiner::submit(kUser, rig.miner.solve(rig.miner.job(), 1, 0x00002000));
  CHECK(rig.connection.ask(without_user(line)).find("[24,\"unauthorized worker\"") !=
        std::string::npos);
  CHECK(rig.connection.count<BlockFound>() == 1);
  rig.connection.line(line);
  CHECK(rig.connection.count<ShareAccepted>() == 1);
  CHECK(rig.connection.count<BlockFound>() == 2);
  CHECK(rig.connection.ask(without_user(line)).empty());  // waits behind the share
  CHECK(rig.connection.count<BlockFound>() == 2);
}

TEST_CASE("a share that is too easy hears its own difficulty beside the one that was wanted") {
  TestPool pool;
  pool.next_tip();
  Rig rig(pool);
  const Solution low = rig.miner.solve(rig.miner.job(), 1, 0, true);
  const std::string reply = rig.connection.ask(TestMiner::submit(kUser, low));
  const std::string before = R"({"id":4,"result":null,"error":[23,"low difficulty share )";
  REQUIRE(reply.starts_with(before));
  const Difficulty measured = Difficulty::of(Target(U256::from_le(low.hash.bytes.data())));
  const double told = std::stod(reply.substr(before.size()));
  CHECK(told / measured.approximate() == doctest::Approx(1).epsilon(0.001));
}

TEST_CASE("a difficulty that falls: each share is judged and paid by its own job's") {
  TestPool pool;
  pool.next_tip();
  Rig rig(pool, true, "d=1e-5");
  Connection& c = rig.connection;
  const MinerJob hard = rig.miner.job();
  c.line(R"({"id":5,"method":"mining.suggest_difficulty","params":[1e-7]})", at(20));
  rig.hear();
  const MinerJob easy = rig.miner.job();
  REQUIRE(hard.difficulty == *Difficulty::parse("1e-5"));
  REQUIRE(easy.difficulty == *Difficulty::parse("1e-7"));
  // The first that is found of the new job hardly ever meets what the old one wanted.
  for (std::uint64_t roll = 1; roll <= 3; ++roll) {
    for (const MinerJob* job : {&hard, &easy}) {
      const std::size_t before = c.count<ShareAccepted>();
      c.line(TestMiner::submit(kUser, rig.miner.solve(*job, roll)), at(21));
      REQUIRE(c.count<ShareAccepted>() == before + 1);
      CHECK(std::get<ShareAccepted>(c.events().back()).difficulty == job->difficulty);
    }
  }
  c.settle_all();
  const std::string reply =
      c.ask(TestMiner::submit(kUser, rig.miner.solve(hard, 9, 0, true)), at(21));
  CHECK(reply.ends_with(" of " + hard.difficulty.text() + "\",null]}"));
}

TEST_CASE("a retarget waits for the replies to what brought it") {
  TestPool pool;
  pool.context.policy.vardiff.start = *Difficulty::parse("1e-8");
  pool.next_tip();
  Rig rig(pool);
  Connection& c = rig.connection;
  std::string flood;
  for (std::uint64_t i = 0; i < 40; ++i)
    flood += TestMiner::submit(kUser, rig.miner.solve(rig.miner.job(), i)) + "\n";
  c.send(flood, at(0.1));
  CHECK(c.unsettled() == 40);
  CHECK(c.take().empty());
  SUBCASE("and comes with the last of them") {
    for (int i = 0; i < 39; ++i) c.settle(std::nullopt, at(0.2));
    CHECK(c.take() == std::vector<std::string>(39, result_true("4")));
    c.settle(std::nullopt, at(0.2));
  }
  SUBCASE("but not for those that are asked for meanwhile") {
    c.line(TestMiner::submit(kUser, rig.miner.solve(rig.miner.job(), 100)), at(0.15));
    for (int i = 0; i < 39; ++i) c.settle(std::nullopt, at(0.2));
    CHECK(c.take().size() == 39);
    c.settle(std::nullopt, at(0.2));
    CHECK(c.unsettled() == 1);
  }
  SUBCASE("while work from the node does not wait") {
    c.publish(pool.next_job(), at(0.15));
    c.settle_all();
  }
  const auto said = c.take();
  REQUIRE(said.size() >= 3);
  std::size_t difficulty = 0;
  while (said[difficulty].find("set_difficulty") == std::string::npos) ++difficulty;
  CHECK(said[difficulty + 1].find("mining.notify\",\"params") != std::string::npos);
  std::size_t changes = 0;
  for (const std::string& line : said) changes += line.find("set_difficulty") != line.npos ? 1 : 0;
  CHECK(changes == 1);
}

TEST_CASE("a thousand shares a second by fd=, and by the job they were easy for") {
  TestPool pool;
  pool.bits = CompactTarget(0x1b0404cb);
  pool.next_tip();
  Rig rig(pool, true, "fd=1e-9");
  CHECK(rig.miner.difficulty == *Difficulty::parse("1e-9"));
  Connection& c = rig.connection;
  const MinerJob easy = rig.miner.job();
  std::uint64_t roll = 0;
  const auto flood = [&](double from, const MinerJob& job) {
    for (int i = 0; i < 1000 && !c.closed(); ++i) {
      const Solution s = rig.miner.solve(job, roll++);
      c.line(TestMiner::submit(kUser, s), at(from + 0.001 * i));
      c.settle_all();
    }
  };
  flood(0, easy);
  // 32 until it is a floor, then fifty at once and ten a second. In good faith, at first.
  CHECK(c.count<ShareAccepted>() < 100);
  CHECK_FALSE(c.closed());
  CHECK(session_of(c).strike_points() == 0);
  CHECK(c.take().back() == R"({"id":4,"result":null,"error":[20,"slow down",null]})");
  flood(20, easy);
  CHECK(c.closed());
  CHECK(c.count<ShareAccepted>() < 200);
}

TEST_CASE("fd= said again does not begin the count anew") {
  TestPool pool;
  pool.bits = CompactTarget(0x1b0404cb);
  pool.next_tip();
  Rig rig(pool, true, "fd=1e-9");
  Connection& c = rig.connection;
  for (std::uint64_t i = 0; i < 150 && rig.miner.difficulty < *Difficulty::parse("3e-9"); ++i) {
    if (i % 20 == 0) c.line(authorize(kUser, i % 40 == 0 ? "fd=1e-9" : "fd=2e-9"), at(0.1));
    c.line(TestMiner::submit(kUser, rig.miner.solve(rig.miner.job(), i)), at(0.1));
    c.settle_all();
    rig.hear();
  }
  CHECK(rig.miner.difficulty > *Difficulty::parse("2e-9"));
}

TEST_CASE("sessions whose extranonce2 has 4 to 7 bytes") {
  for (std::uint8_t size = 4; size <= 8; ++size) {
    CAPTURE(size);
    TestPool pool;
    pool.context.extranonce2_size = size;
    pool.next_tip();
    Rig rig(pool);
    CHECK(rig.miner.extranonce2_size == size);
    CHECK(rig.miner.extranonce1.size() == 2 * (16u - size));
    Solution s = rig.miner.solve(rig.miner.job(), 0xabcd);
    rig.connection.line(TestMiner::submit(kUser, s));
    REQUIRE(rig.connection.count<ShareAccepted>() == 1);
    CHECK(std::get<ShareAccepted>(rig.connection.events()[0]).hash == s.hash);
    rig.connection.settle_all();
    s.extranonce2 += "00";
    CHECK(rig.connection.ask(TestMiner::submit(kUser, s)).find("extranonce2 size") !=
          std::string::npos);
  }
}
