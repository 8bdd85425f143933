// SPDX-License-Identifier: MIT
// Whom coinbases pay: the pool, the accounts of a plan as far as the block has room, or the account
// that mines it.
#include "app/job_plan.h"

#include <doctest/doctest.h>

#include "app/solo_jobs.h"
#include "plan_values.h"

using namespace adit;
using namespace adit::test;

namespace {

const Network kNet = Network::Regtest;

Config config_of(const std::string& pool_section, const std::string& rest) {
  auto config = parse_config(
      "[pool]\nnetwork = \"regtest\"\n"
      "payout_address = \"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\"\n" +
          pool_section + "[[node]]\nrpc = \"http://127.0.0.1:1\"\nuser = \"a\"\n" + rest,
      "x.toml");
  REQUIRE_MESSAGE(config.ok(), (config ? "" : config.error().text));
  return *config;
}

Satoshi sum_of(const std::vector<TxOut>& outputs) {
  Satoshi sum;
  for (const TxOut& output : outputs) sum += output.value;
  return sum;
}

}  // namespace

TEST_CASE("without a plan the pool has all") {
  const Config config = config_of("", "");
  const JobOptions options = job_options(config, block_of(0), nullptr);
  REQUIRE(options.outputs.size() == 1);
  CHECK(options.outputs[0] == TxOut{Satoshi(5'000'000'000), config.pool.payout.script});
  CHECK(options.plan_slice == 0);
  CHECK(options.terms == terms_of(config).text());
  CHECK(options.next_outputs.empty());  // V1 only
}

TEST_CASE("a plan's accounts are paid, and the job says by which plan") {
  const Config config = config_of("fee = \"1%\"\n", "[payout]\nway = \"coinbase\"\n");
  const BlockTemplate block = block_of(0);
  const JobOptions options = job_options(config, block, plan_of(config, 10));
  CHECK(options.outputs.size() == 11);
  CHECK(sum_of(options.outputs) == block.coinbase_value);
  CHECK(options.plan_slice == 7);
  CHECK(options.plan_entry == 11);
  CHECK(options.plan_weight == 8'000);
  CHECK(options.terms == "pplns factor=2 fee=100 way=coinbase threshold=1048576 weight=8000");
  const auto job =
      make_job(JobNumber(1), TipNumber(1), true, std::make_shared<BlockTemplate>(block), options);
  REQUIRE(job.ok());
  CHECK((*job)->plan_slice == 7);
  CHECK((*job)->plan_entry == 11);
  CHECK((*job)->plan_weight == 8'000);
  CHECK((*job)->terms == options.terms);
  CHECK((*job)->pool_script == config.pool.payout.script);
}

TEST_CASE("a full block leaves fewer outputs, and the job still fits") {
  const Config config = config_of("", "[payout]\nway = \"coinbase\"\n");
  for (const std::uint32_t weight : {0u, 3'990'000u, 3'995'500u, 3'998'000u, 3'998'500u}) {
    const BlockTemplate block = block_of(weight);
    const JobOptions options = job_options(config, block, plan_of(config, 60));
    CHECK(sum_of(options.outputs) == block.coinbase_value);
    const auto job =
        make_job(JobNumber(1), TipNumber(1), true, std::make_shared<BlockTemplate>(block), options);
    CHECK_MESSAGE(job.ok(), weight, ": ", (job ? "" : job.error().text));
    CHECK(options.outputs.size() <= 1 + output_room(block) / 124);
    CHECK(options.plan_weight == std::min(output_room(block), std::uint64_t{8'000}));
    if (weight == 0) CHECK(options.outputs.size() >= 60);
    if (weight == 3'998'500) CHECK(options.outputs.size() == 1);
  }
}

TEST_CASE("sigops limit the outputs, too") {
  BlockTemplate block = block_of(1'000);
  block.transactions[0].sigops = 80'000 - 8 - 3 * 4;
  CHECK(output_room(block) == 3 * 124);
}

TEST_CASE("solo: an account's job pays it, less the pool's fee, and is made once") {
  const Config config = config_of("scheme = \"solo\"\nfee = \"2%\"\n", "");
  const auto terms = solo_terms(config);
  REQUIRE(terms.has_value());
  SoloJobs solo(*terms);
  const auto block = std::make_shared<BlockTemplate>(block_of(400));
  const JobPtr base =
      *make_job(JobNumber(1), TipNumber(1), true, block, job_options(config, *block, nullptr));
  const std::string miner = *address_of(script_of(9), kNet);
  const JobPtr mine = solo.job_for(base, miner);
  CHECK(mine != base);
  CHECK(mine->payee == miner);
  CHECK(mine->pool_script == config.pool.payout.script);
  CHECK(mine->terms == "solo fee=200 way=coinbase threshold=1048576 weight=8000");
  CHECK(solo.job_for(base, miner) == mine);
  const auto coinbase = Transaction::parse(coinbase_for_block(mine->coinbase, Extranonce{}, false));
  REQUIRE(coinbase.ok());
  REQUIRE(coinbase->outputs.size() == 2);
  CHECK(sum_of(coinbase->outputs) == block->coinbase_value);
  for (const TxOut& output : coinbase->outputs)
    CHECK(output.value == Satoshi(output.script == script_of(9) ? 4'900'000'000 : 100'000'000));
  // The pool's own address, to which plain names are booked, mines everybody's job.
  CHECK(solo.job_for(base, config.pool.payout.text) == base);
  // Two more jobs, and the first is made anew.
  for (std::uint32_t number = 2; number <= 3; ++number)
    solo.job_for(*make_job(JobNumber(number), TipNumber(1), false, block,
                           job_options(config, *block, nullptr)),
                 miner);
  CHECK(solo.job_for(base, miner) != mine);
}

TEST_CASE("solo: jobs that nobody works on are forgotten, however many addresses come by") {
  const Config config = config_of("scheme = \"solo\"\n", "");
  SoloJobs solo(*solo_terms(config));
  const auto block = std::make_shared<BlockTemplate>(block_of(400));
  const JobPtr base =
      *make_job(JobNumber(1), TipNumber(1), true, block, job_options(config, *block, nullptr));
  const auto address = [](std::size_t number) {
    return *address_of(script_of(static_cast<std::uint32_t>(number)), kNet);
  };
  std::vector<JobPtr> held;
  for (std::size_t number = 0; number < 10 * SoloJobs::kSweepAt; ++number) {
    const JobPtr made = solo.job_for(base, address(number));
    if (number % 5 == 0) held.push_back(made);
    REQUIRE(solo.remembered() <= SoloJobs::kSweepAt + 2 * held.size());
  }
  for (std::size_t i = 0; i < held.size(); ++i)
    REQUIRE(solo.job_for(base, address(5 * i)) == held[i]);
}

TEST_CASE("solo pays in the coinbase unless told otherwise; other schemes share their jobs") {
  CHECK(solo_terms(config_of("scheme = \"solo\"\n", "")).has_value());
  CHECK_FALSE(solo_terms(config_of("scheme = \"solo\"\n", "[payout]\nway = \"wallet\"\n")));
  CHECK_FALSE(solo_terms(config_of("", "[payout]\nway = \"coinbase\"\n")));
}
