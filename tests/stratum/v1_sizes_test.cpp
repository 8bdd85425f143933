// SPDX-License-Identifier: MIT
// Work in several sizes: firmware that works badly with a full coinbase gets a smaller one, and a
// port that has one size for everybody turns it away at subscribe.
#include <doctest/doctest.h>

#include <set>

#include "v1_rig.h"

using namespace adit;
using namespace adit::test;

namespace {

/// The reward to one, and `others` more outputs.
std::vector<TxOut> outputs_of(Satoshi value, std::int64_t others) {
  std::vector<TxOut> outputs{{value - Satoshi(1'000 * others),  //
                              parse_address(kBob, Network::Regtest)->script}};
  const Script script = parse_address(kAlice, Network::Regtest)->script;
  for (std::int64_t i = 0; i < others; ++i) outputs.push_back({Satoshi(1'000), script});
  return outputs;
}

/// The pool's newest work in its own size of 21 outputs, and in those of `weights`: of one output
/// more each than stands before.
const JobPtr& in_sizes(TestPool& pool, const JobPtr& job,
                       const std::vector<std::uint64_t>& weights) {
  const Satoshi value = job->block_template->coinbase_value;
  JobOptions options;
  options.coinbase_tag = "/test/";
  options.outputs = outputs_of(value, 20);
  options.plan_weight = 8'000;
  for (std::size_t i = 0; i < weights.size(); ++i)
    options.smaller.push_back(
        {weights[i], outputs_of(value, static_cast<std::int64_t>(i)), weights[i]});
  pool.job = *make_job(job->number, job->tip, job->clean, job->block_template, options);
  return pool.job;
}

const std::vector<std::uint64_t> kWeights = {204, 1'000, 3'000};

struct Miner {
  Miner(TestPool& pool, const std::string& agent, const ChannelPolicy* port = nullptr)
      : connection(pool, at(0), port) {
    connection.send(R"({"id":2,"method":"mining.subscribe","params":[)" +
                    (agent.empty() ? "" : "\"" + agent + "\"") + "]}\n" + authorize(kUser) + "\n");
    hear();
  }
  void hear() {
    for (const std::string& line : connection.take()) miner.hear(line);
  }
  std::size_t outputs() const {
    REQUIRE_FALSE(miner.jobs.empty());
    const MinerJob& job = miner.job();
    const auto coinbase = Transaction::parse(
        *from_hex(job.coinbase1 + miner.extranonce1 + std::string(16, '0') + job.coinbase2));
    REQUIRE(coinbase.ok());
    return coinbase->outputs.size();
  }
  Connection connection;
  TestMiner miner;
};

}  // namespace

TEST_CASE("the operator's rule for the firmware has the size, else the port") {
  TestPool pool;
  pool.context.sizes = {{"NerdMiner", 204}, {"bitaxe/BM1370", 8'000}, {"bitaxe", 1'000}};
  in_sizes(pool, pool.next_tip(), kWeights);
  ChannelPolicy port = pool.context.policy;
  port.coinbase_weight = 3'000;
  CHECK(Miner(pool, "cgminer/4.11.1").outputs() == 21);
  CHECK(Miner(pool, "").outputs() == 21);
  CHECK(Miner(pool, "NerdMinerV2/V1.7.0").outputs() == 1);
  CHECK(Miner(pool, "BITAXE/BM1366/v2.9.0").outputs() == 2);
  CHECK(Miner(pool, "bitaxe/BM1370/v2.9.0").outputs() == 21);
  CHECK(Miner(pool, "cgminer/4.11.1", &port).outputs() == 3);
  CHECK(Miner(pool, "", &port).outputs() == 3);
  CHECK(Miner(pool, "bitaxe/BM1366/v2.9.0", &port).outputs() == 2);
  CHECK(Miner(pool, "bitaxe/BM1370/v2.9.0", &port).outputs() == 21);
}

TEST_CASE("jobs, new tips and the same work under a new difficulty keep the size") {
  TestPool pool;
  pool.context.sizes = {{"bitaxe", 1'000}};
  in_sizes(pool, pool.next_tip(), kWeights);
  Miner small(pool, "bitaxe/BM1366/v2.9.0");
  const auto hear = [&](std::size_t jobs) {
    small.hear();
    REQUIRE(small.miner.jobs.size() == jobs);
    return small.outputs();
  };
  small.connection.line(R"({"id":9,"method":"mining.suggest_difficulty","params":[2e-6]})");
  CHECK(hear(2) == 2);
  CHECK_FALSE(small.miner.job().clean);
  small.connection.publish(in_sizes(pool, pool.next_job(), kWeights));
  CHECK(hear(3) == 2);
  // Where everybody finds room, a job has no sizes.
  small.connection.publish(in_sizes(pool, pool.next_tip(), {}));
  CHECK(hear(4) == 21);
  CHECK(small.miner.job().clean);
  small.connection.publish(in_sizes(pool, pool.next_job(), kWeights));
  CHECK(hear(5) == 2);
  // Revoked with the job: what was made of it is stale, in this size as in all.
  const MinerJob old = small.miner.job();
  small.connection.publish(in_sizes(pool, pool.next_tip(), kWeights));
  CHECK(hear(6) == 2);
  small.connection.line(TestMiner::submit(kUser, small.miner.solve(old, 1)));
  CHECK(small.connection.take().at(0).find(R"([21,"stale",null])") != std::string::npos);
  // A second subscribe, under whatever name, changes nothing.
  small.connection.line(R"({"id":2,"method":"mining.subscribe","params":["other"]})");
  small.connection.publish(in_sizes(pool, pool.next_tip(), kWeights));
  CHECK(hear(7) == 2);
}

TEST_CASE("a port with one size for everybody refuses who is to have less, before any work") {
  TestPool pool;
  pool.context.sizes = {{"bitaxe", 1'000}, {"whatsminer", 3'000}};
  in_sizes(pool, pool.next_tip(), kWeights);
  ChannelPolicy port = pool.context.policy;
  port.coinbase_weight = 3'000;
  port.small_coinbases = false;
  Connection refused(pool, at(0), &port);
  refused.send(R"({"id":7,"method":"mining.subscribe","params":["bitaxe/BM1366/v2.9.0"]})"
               "\n" +
               authorize(kUser) + "\n");
  const std::string answer =
      R"({"id":7,"result":null,"error":[20,"this port's coinbases have 3000 weight units of )"
      R"(outputs, this firmware is to get at most 1000: use another port of this )"
      R"(pool",null]})";
  CHECK(refused.take() == std::vector<std::string>{answer});
  REQUIRE(refused.closed());
  CHECK(refused.close()->flush);
  CHECK(refused.close()->reason == "its firmware wants a smaller coinbase than this port's");
  refused.publish(in_sizes(pool, pool.next_job(), kWeights));
  CHECK(refused.take().empty());
  // Everybody else gets the port's size, who could have more of it too.
  CHECK(Miner(pool, "whatsminer/v1.1.0", &port).outputs() == 3);
  CHECK(Miner(pool, "cgminer/4.11.1", &port).outputs() == 3);
  // And the refused one is welcome elsewhere.
  CHECK(Miner(pool, "bitaxe/BM1366/v2.9.0").outputs() == 2);
}

TEST_CASE("a block says which of its job's coinbases it has") {
  TestPool pool;
  pool.bits = CompactTarget(0x207fffff);
  pool.context.sizes = {{"bitaxe", 1'000}};
  in_sizes(pool, pool.next_tip(), kWeights);
  Miner small(pool, "bitaxe/BM1366/v2.9.0"), large(pool, "cgminer/4.11.1");
  for (Miner* miner : {&small, &large}) {
    for (std::uint64_t roll = 0; miner->connection.count<BlockFound>() == 0 && roll < 100; ++roll)
      miner->connection.line(
          TestMiner::submit(kUser, miner->miner.solve(miner->miner.job(), roll)));
    REQUIRE(miner->connection.count<BlockFound>() == 1);
    for (const SessionEvent& event : miner->connection.events())
      if (const auto* found = std::get_if<BlockFound>(&event)) {
        CHECK(found->job == (miner == &small ? pool.job->smaller[1].job : pool.job));
        CHECK(found->job->plan_weight == (miner == &small ? 1'000 : 8'000));
        const auto word = [&](std::size_t at) {
          return load_le<std::uint32_t>(found->header.data() + at);
        };
        CHECK(share_header(*found->job, found->extranonce, word(0), word(68), word(76)) ==
              found->header);
      }
  }
}

TEST_CASE("a broadcast to mixed firmware encodes each size of a job once") {
  TestPool pool;
  std::vector<std::uint64_t> weights;
  for (std::uint64_t i = 1; i <= kSmallerJobsMax; ++i) {
    weights.push_back(1'000 * i);
    pool.context.sizes.push_back({"agent" + std::to_string(i), 1'000 * i});
  }
  in_sizes(pool, pool.next_tip(), weights);
  std::vector<std::unique_ptr<Session>> sessions;
  const auto drain = [](Session& session) {
    std::array<Bytes, 16> parts;
    const void* longest = nullptr;
    std::size_t size = 0;
    while (const std::size_t n = session.outbox().gather(parts)) {
      std::size_t sent = 0;
      for (std::size_t i = 0; i < n; ++i) {
        sent += parts[i].size();
        if (parts[i].size() > size) size = parts[i].size(), longest = parts[i].data();
      }
      session.outbox().consume(sent);
    }
    return longest;
  };
  for (std::size_t i = 0; i < 5 * (kSmallerJobsMax + 1); ++i) {
    auto session = v1::make_session(pool.context, pool.job, at(0));
    const std::string agent = "agent" + std::to_string(i % (kSmallerJobsMax + 1));
    session->receive(bytes_of(R"({"id":1,"method":"mining.subscribe","params":[")" + agent +
                              "\"]}\n" + authorize(kUser) + "\n"),
                     at(0));
    drain(*session);
    sessions.push_back(std::move(session));
  }
  // Two broadcasts at a time: a newer job may overtake a slow one.
  for (int round = 0; round < 10; ++round) {
    const JobPtr first = in_sizes(pool, pool.next_tip(), weights);
    const JobPtr second = in_sizes(pool, pool.next_job(), weights);
    std::set<const void*> texts[2];
    for (const auto& session : sessions) {
      session->publish(first, at(round));
      texts[0].insert(drain(*session));
      session->publish(second, at(round));
      texts[1].insert(drain(*session));
    }
    CHECK(texts[0].size() == kSmallerJobsMax + 1);
    CHECK(texts[1].size() == kSmallerJobsMax + 1);
  }
}
