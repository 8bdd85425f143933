// SPDX-License-Identifier: MIT
// Facts of firmware and markets that no transcript shows: sizes, shapes of replies, odd parameters,
// the three ways in which devices apply version bits.
#include <doctest/doctest.h>

#include "stratum/v1/encode.h"
#include "v1_rig.h"

using namespace adit;
using namespace adit::test;

namespace {

/// Work with `transactions` beside the coinbase, which pays `outputs` as well as the pool.
JobPtr work_of(std::uint32_t transactions, std::uint32_t outputs,
               std::int32_t version = 0x20000000) {
  auto block = std::make_shared<BlockTemplate>();
  block->network = Network::Regtest;
  block->height = 870'000;
  block->version = version;
  block->bits = CompactTarget(0x1d00ffff);
  block->target = *Target::from_compact(block->bits);
  block->curtime = block->mintime = TestPool::kCurtime;
  block->coinbase_value = Satoshi(312'500'000 + 9'000'000);
  block->witness_commitment = Hash256{};
  for (std::uint32_t i = 0; i < transactions; ++i) {
    TemplateTransaction transaction;
    transaction.data = {0x01};
    store_le(transaction.txid.bytes.data(), i + 1);
    transaction.weight = 4;
    block->transactions.push_back(transaction);
  }
  JobOptions options;
  options.coinbase_tag = std::string(60, 't');
  const Script pool = parse_address(kBob, Network::Regtest)->script;
  options.outputs.assign(outputs,
                         {Satoshi(1'048'576), parse_address(kAlice, Network::Regtest)->script});
  options.outputs.push_back({block->coinbase_value - Satoshi(1'048'576 * outputs), pool});
  auto made = make_job(JobNumber(1), TipNumber(1), true, block, options);
  ADIT_CHECK(made.ok());
  return *made;
}

std::size_t notify_size(const JobPtr& job) {
  std::string line;
  v1::append_notify_front(line, {0xadd1, {job->number, 1}});
  return line.size() + v1::notify_rest(*job, true).size();
}

}  // namespace

TEST_CASE("the work of a full block fits the 4096 bytes that NerdMiner reads, with some outputs") {
  // Its JSON document holds the values beside the text's pointers: half of it is left to those.
  CHECK(notify_size(work_of(8'191, 0)) < 2'048);
  CHECK(notify_size(work_of(8'191, 30)) < 4'096);
  CHECK(notify_size(work_of(0, 0)) < 900);
}

TEST_CASE("OR, XOR and replacement of version bits give the same header, whatever the node set") {
  const std::uint32_t mask = JobOptions().version_mask;
  for (const std::int32_t version : {0x20000000, 0x3fffe000, 0x2a5a6004, 0x7fffffff}) {
    const auto sent = static_cast<std::uint32_t>(work_of(1, 0, version)->version);
    CHECK((sent & ~mask) == (static_cast<std::uint32_t>(version) & ~mask));
    for (const std::uint32_t bits : {0u, 0x2000u, 0x00ffe000u, 0x1fffe000u, 0x15550000u}) {
      CHECK((sent | bits) == (sent ^ bits));
      CHECK((sent | bits) == ((sent & ~mask) | bits));
    }
  }
}

TEST_CASE("every reply has id, result and error") {
  TestPool pool;
  pool.next_tip();
  Connection c(pool);
  const std::string requests[] = {
      kConfigure,
      kSubscribe,
      authorize(kUser),
      authorize("nobody"),
      R"({"id":4,"method":"mining.extranonce.subscribe","params":[]})",
      R"({"id":5,"method":"mining.suggest_difficulty","params":[1e-7]})",
      R"({"id":6,"method":"mining.suggest_target","params":["x"]})",
      R"({"id":7,"method":"mining.ping"})",
      R"({"id":8,"method":"mining.nonsense"})",
      R"({"id":9,"method":"mining.get_transactions","params":["x"]})",
      R"({"id":10,"method":"mining.submit","params":[")" + kUser + R"(","x","00","00","00"]})",
      R"({"id":11,"method":7})",
      R"({"id":12})",
      R"({"id":13,"method":"mining.configure","params":[]})",
  };
  for (const std::string& request : requests) {
    const std::string reply = c.ask(request);
    CHECK_MESSAGE(matches("{\"id\":*,\"result\":*,\"error\":*}", reply),
                  request << " -> " << reply);
  }
  CHECK_FALSE(c.closed());
}

TEST_CASE("parameters of any number and type before and behind what is needed") {
  TestPool pool;
  pool.next_tip();
  const auto says = [&](std::string_view method, const std::string& params) {
    Connection c(pool);
    if (method == "mining.authorize") c.line(kSubscribe);
    const std::string reply =
        c.ask("{\"id\":1,\"method\":\"" + std::string(method) + "\",\"params\":" + params + "}");
    return reply.find("\"error\":null") != std::string::npos && !c.closed();
  };
  for (const char* params : {"[]", "[null]", "[1]", "[[\"a\"]]", "[\"a\",null]", "[\"a\",7,8,9]",
                             "[\"a\",\"\"]", "[\"a\",\"zz\"]", "[\"a\",{\"b\":[1]}]", "null"})
    CHECK_MESSAGE(says("mining.subscribe", params), params);
  const std::string user = '"' + kUser + '"';
  for (const char* rest : {"]", ",null]", ",1]", ",\"x\",null,{}]", ",[\"x\"]]", ",true,true]"})
    CHECK_MESSAGE(says("mining.authorize", "[" + user + rest), rest);
}

TEST_CASE("a renter's difficulty behind the user's name") {
  TestPool pool;
  pool.next_tip();
  const auto started_at = [&](const std::string& suffix, std::string_view password = "x") {
    Connection c(pool);
    c.send(kSubscribe + "\n" + authorize(kUser + suffix, password) + "\n");
    TestMiner miner;
    for (const auto& line : c.take()) miner.hear(line);
    return miner.difficulty.text();
  };
  CHECK(started_at("+0.01") == "0.01");
  CHECK(started_at("+0.01", "d=0.02") == "0.02");
  CHECK(started_at("+0.01", "md=0.05") == "0.05");
  CHECK(started_at("+1e-12") == Difficulty::parse("1e-9")->text());
  for (const char* unreadable : {"+", "+x", "+-1", "+1+2"})
    CHECK(started_at(unreadable) == "0.000001");
  Connection c(pool);
  const std::string user = kUser + "+0.00000001";
  c.send(kSubscribe + "\n" + authorize(user) + "\n");
  TestMiner miner;
  for (const auto& line : c.take()) miner.hear(line);
  // The same worker, however it is spelled from now on.
  c.line(TestMiner::submit(user, miner.solve(miner.job(), 1)));
  c.line(TestMiner::submit(kUser, miner.solve(miner.job(), 2)));
  CHECK(c.count<ShareAccepted>() == 2);
  CHECK(pool.workers.size() == 1);
  c.settle_all();
  CHECK(c.ask(authorize("rig+0.01")).find("[24,") != std::string::npos);
}

TEST_CASE("devices answer what the pool asks, or what it never asked; nobody is closed for it") {
  TestPool pool;
  pool.next_tip();
  Rig rig(pool);
  for (int minute = 0; minute < 60; ++minute) {
    const Instant now = at(60 * minute);
    rig.connection.line(R"({"id":1,"method":"pong","params":[]})", now);
    rig.connection.line(R"({"id":2,"result":"cgminer/4.11.1","error":null})", now);
    rig.connection.line(R"({"id":3,"result":true,"error":null})", now);
    rig.connection.line(R"({"id":4,"method":"mining.capabilities","params":[]})", now);
    rig.connection.line(R"({"id":5,"method":"mining.suggest_difficulty","params":[1e-6]})", now);
  }
  CHECK_FALSE(rig.connection.closed());
}

TEST_CASE("the defaults are for small devices, too") {
  const VardiffOptions defaults;
  CHECK(defaults.minimum <= *Difficulty::parse("0.0001"));
  CHECK(defaults.shares_per_minute >= 6);
  CHECK(defaults.shares_per_minute <= 20);
  // 70 kH/s and a share each ten seconds; 1 TH/s; 100 TH/s each five.
  const auto start = [](double rate, double pace) {
    VardiffOptions options;
    options.minimum = *Difficulty::parse("1e-10");
    options.shares_per_minute = pace;
    return difficulty_for_rate(options, rate / 0.75).approximate();
  };
  CHECK(start(70e3, 6) == doctest::Approx(0.000163).epsilon(0.01).scale(0));
  CHECK(start(1e12, 6) == doctest::Approx(2'328).epsilon(0.01));
  CHECK(start(100e12, 12) == doctest::Approx(116'415).epsilon(0.01));
}
