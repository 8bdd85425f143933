// SPDX-License-Identifier: MIT
// Pools where each account mines its own coinbase: every job a connection hears pays its account,
// and no connection mines for two.
#include <doctest/doctest.h>

#include "v1_miner.h"
#include "v2_miner.h"

using namespace adit;
using namespace adit::test;

namespace {

std::string script_hex(std::string_view address) {
  return to_hex(parse_address(address, Network::Regtest)->script);
}
bool pays(std::string_view coinbase_half, std::string_view address) {
  return coinbase_half.find(script_hex(address)) != coinbase_half.npos;
}

/// All of the reward to the account.
class PayAccount : public OwnJobs {
 public:
  std::size_t asked = 0;
  JobPtr job_for(const JobPtr& job, std::string_view account) override {
    ++asked;
    const BlockTemplate& block = *job->block_template;
    const auto address = parse_address(account, Network::Regtest);
    JobOptions options;
    options.coinbase_tag = "/test/";
    options.payee = account;
    options.outputs = {{block.coinbase_value, address->script}};
    if (job->next)
      options.next_outputs = {{block_subsidy(block.network, block.height + 1), address->script}};
    return *vary_job(*job, options);
  }
};

std::string authorize(std::string_view user) {
  return R"({"id":3,"method":"mining.authorize","params":[")" + std::string(user) + R"(","x"]})";
}

}  // namespace

TEST_CASE("V1: each job pays the first worker's account; another account is turned away") {
  TestPool pool;
  PayAccount own;
  pool.context.own_jobs = &own;
  pool.next_tip();
  Connection connection(pool);
  TestMiner miner;
  const auto hear = [&] {
    for (const std::string& line : connection.take()) miner.hear(line);
  };
  connection.line(R"({"id":2,"method":"mining.subscribe","params":["test/1.0"]})");
  connection.line(authorize(std::string(kAlice) + ".rig1"));
  hear();
  REQUIRE(miner.jobs.size() == 1);
  CHECK(pays(miner.job().coinbase2, kAlice));
  CHECK_FALSE(pays(miner.job().coinbase2, kBob));
  CHECK(connection.ask(authorize(std::string(kBob) + ".rig1")) ==
        R"({"id":3,"result":false,"error":[24,"this connection mines for another address",null]})");
  CHECK(connection.ask(authorize(std::string(kAlice) + ".rig2")) ==
        R"({"id":3,"result":true,"error":null})");

  connection.publish(pool.next_tip());
  hear();
  REQUIRE(miner.jobs.size() == 2);
  CHECK(pays(miner.job().coinbase2, kAlice));
  const std::string share =
      TestMiner::submit(std::string(kAlice) + ".rig2", miner.solve(miner.job(), 0));
  connection.line(share);
  CHECK(connection.count<ShareAccepted>() == 1);
  CHECK(own.asked == 2);
}

TEST_CASE("V2: jobs, promises and groups pay the connection's account") {
  for (const bool extended : {false, true}) {
    V2Pool pool;
    PayAccount own;
    pool.context.own_jobs = &own;
    pool.fix_difficulty("1e-9");
    pool.next_tip();
    V2Rig rig(pool);
    V2Channel& channel = rig.open(extended, kAlice);
    CHECK(rig.judge(rig.miner.solve(channel)) == "accepted");
    if (extended) CHECK(pays(to_hex(channel.job().back), kAlice));
    // The promised empty block is this account's too: a new tip still costs one message.
    rig.publish(pool.next_empty_tip());
    CHECK(rig.types() == "20");
    CHECK(rig.judge(rig.miner.solve(channel)) == "accepted");
    rig.publish(pool.next_job());
    CHECK(rig.judge(rig.miner.solve(channel)) == "accepted");
    if (extended) CHECK(pays(to_hex(channel.job().back), kAlice));

    rig.send(v2::OpenExtendedMiningChannel{9, kBob, 0, Target::max(), 0});
    REQUIRE(rig.said.size() == 1);
    CHECK(rig.said[0].as<v2::OpenMiningChannelError>().error_code == "one-account-per-connection");
    V2Channel& second = rig.open(true, std::string(kAlice) + ".second");
    CHECK(rig.miner.channels.size() == 2);
    rig.publish(pool.next_tip());  // not promised: a group job and its SetNewPrevHash
    CHECK(pays(to_hex(second.job().back), kAlice));
    for (auto& [id, each] : rig.miner.channels)
      CHECK(rig.judge(rig.miner.solve(each)) == "accepted");
  }
}

TEST_CASE("a block found on an account's job says whom its coinbase pays") {
  TestPool pool;
  pool.bits = CompactTarget(0x207fffff);
  PayAccount own;
  pool.context.own_jobs = &own;
  pool.next_tip();
  Connection connection(pool);
  TestMiner miner;
  connection.line(R"({"id":2,"method":"mining.subscribe","params":["test/1.0"]})");
  connection.line(authorize(std::string(kAlice) + ".rig1"));
  for (const std::string& line : connection.take()) miner.hear(line);
  for (std::uint64_t roll = 0; connection.count<BlockFound>() == 0 && roll < 100; ++roll)
    // Under a name that nobody authorised: the share is refused, the block is the account's.
    connection.line(TestMiner::submit("nobody", miner.solve(miner.job(), roll)));
  REQUIRE(connection.count<BlockFound>() == 1);
  for (const SessionEvent& event : connection.events())
    if (const auto* found = std::get_if<BlockFound>(&event)) {
      CHECK(found->job->payee == kAlice);
      CHECK_FALSE(found->worker.has_value());
    }
}
