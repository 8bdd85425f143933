// SPDX-License-Identifier: MIT
// Sizes of coinbases: what the configuration may say of them, and the jobs that are made in them.
#include "app/coinbase_sizes.h"

#include <doctest/doctest.h>

#include "adit/bitcoin/block.h"
#include "app/job_plan.h"
#include "good_config.h"
#include "plan_values.h"

using namespace adit;
using namespace adit::test;

namespace {

using Sizes = std::vector<std::uint64_t>;

const std::string kCoinbase = "[payout]\nway = \"coinbase\"\n";

std::string agent(const std::string& match, const std::string& weight) {
  return "[[payout.agent]]\nmatch = \"" + match + "\"\ncoinbase_weight = " + weight + "\n";
}
std::string port(const std::string& name, const std::string& keys) {
  return "[[stratum.v1.port]]\nname = \"" + name + "\"\nlisten = [\"127.0.0.1:1\"]\n" + keys;
}

Config config_of(const std::string& rest) {
  auto config = parse_config(kGood + rest, "x.toml");
  REQUIRE_MESSAGE(config.ok(), (config ? "" : config.error().text));
  return *config;
}

TemplatePtr template_of(std::uint32_t transactions_weight) {
  return std::make_shared<BlockTemplate>(block_of(transactions_weight));
}

JobPtr job_of(const Config& config, const TemplatePtr& block, const PlanPtr& plan) {
  auto job = make_job(JobNumber(1), TipNumber(1), true, block, job_options(config, *block, plan));
  REQUIRE_MESSAGE(job.ok(), (job ? "" : job.error().text));
  return *job;
}

std::vector<TxOut> outputs_of(const Job& job) {
  const auto coinbase = Transaction::parse(coinbase_for_block(job.coinbase, Extranonce{}, false));
  REQUIRE(coinbase.ok());
  return coinbase->outputs;
}

}  // namespace

TEST_CASE("sizes: ports inherit from [stratum.v1], that from [payout], wherever they stand") {
  const Config plain = config_of("[payout]\nway = \"coinbase\"\ncoinbase_weight = 20_000\n" +
                                 port("a", "") + port("b", "small_coinbases = false\n"));
  CHECK(plain.v1.size == CoinbaseSize{20'000, true});
  CHECK(plain.ports[0].size == CoinbaseSize{20'000, true});
  CHECK(plain.ports[1].size == CoinbaseSize{20'000, false});
  CHECK(smaller_sizes(plain).empty());
  const Config config =
      config_of("[stratum.v1]\ncoinbase_weight = 2000\nsmall_coinbases = false\n" + port("a", "") +
                port("b", "coinbase_weight = 8000\nsmall_coinbases = true\n") +
                port("c", "coinbase_weight = 204\n") + kCoinbase + agent("bitaxe", "3000") +
                agent("NiceHash", "8_000"));
  CHECK(config.v1.size == CoinbaseSize{2'000, false});
  CHECK(config.ports[0].size == CoinbaseSize{2'000, false});
  CHECK(config.ports[1].size == CoinbaseSize{8'000, true});
  CHECK(config.ports[2].size == CoinbaseSize{204, false});
  CHECK(config.payout.agents == std::vector<AgentSize>{{"bitaxe", 3'000}, {"NiceHash", 8'000}});
  CHECK(terms_of(config).coinbase_weight == 8'000);
  CHECK(smaller_sizes(config) == Sizes{204, 2'000, 3'000});
}

TEST_CASE("sizes: none is made that no V1 miner can come for") {
  const std::string rules = kCoinbase + agent("bitaxe", "3000");
  CHECK(smaller_sizes(config_of(rules)) == Sizes{3'000});
  // Where every port has one size for everybody, rules only refuse.
  CHECK(smaller_sizes(config_of("[stratum.v1]\nsmall_coinbases = false\n" + rules)).empty());
  CHECK(smaller_sizes(config_of("[stratum.v1]\nsmall_coinbases = false\n" +
                                port("a", "small_coinbases = true\n") + rules)) == Sizes{3'000});
  const std::string closed = "[stratum.v1]\nlisten = []\n";
  CHECK(smaller_sizes(config_of(closed + "coinbase_weight = 500\n" + rules)).empty());
  CHECK(smaller_sizes(config_of(closed + port("a", "") + rules)) == Sizes{3'000});
  Config both = config_of(closed + rules);
  both.both.listen = {"127.0.0.1:1"};  // V1 comes in there, too
  CHECK(smaller_sizes(both) == Sizes{3'000});
  CHECK(smaller_sizes(config_of("")).empty());
}

TEST_CASE("sizes: every mistake names its file, line and key") {
  const std::string needs = "is of use only where blocks pay accounts: [payout] way = \"coinbase\"";
  const std::string solo = "[pool]\nscheme = \"solo\"\n" + kGood.substr(kGood.find('\n') + 1);
  std::string eight = kCoinbase, many = kCoinbase;
  for (int i = 1; i <= 8; ++i)
    eight += agent(std::string(1, static_cast<char>('a' + i)), std::to_string(204 + i));
  for (int i = 100; i < 165; ++i) many += agent("a" + std::to_string(i), "500");
  const std::pair<std::string, std::string> rows[] = {
      {kGood + "[payout]\n" + agent("x", "3000"), "x.toml:9: payout.agent: " + needs},
      {solo + "[payout]\n" + agent("x", "3000"), "x.toml:10: payout.agent: " + needs},
      {kGood + "[stratum.v1]\ncoinbase_weight = 3000\n",
       "x.toml:9: stratum.v1.coinbase_weight: " + needs},
      {kGood + "[stratum.v1]\nsmall_coinbases = true\n",
       "x.toml:9: stratum.v1.small_coinbases: " + needs},
      {kGood + port("a", "coinbase_weight = 3000\n"),
       "x.toml:11: stratum.v1.port.coinbase_weight: " + needs},
      {kGood + port("a", "small_coinbases = false\n"),
       "x.toml:11: stratum.v1.port.small_coinbases: " + needs},
      {kGood + kCoinbase + agent("x", "203"),
       "x.toml:12: payout.agent.coinbase_weight: must be a whole number from 204 to 100000"},
      {kGood + kCoinbase + agent("x", "8001"),
       "x.toml:12: payout.agent.coinbase_weight: is above [payout]'s, 8000, the largest there is"},
      {kGood + kCoinbase + "[stratum.v1]\ncoinbase_weight = 8001\n",
       "x.toml:11: stratum.v1.coinbase_weight: is above [payout]'s, 8000"},
      {kGood + port("a", "coinbase_weight = 1001\n") + kCoinbase + "coinbase_weight = 1000\n",
       "x.toml:11: stratum.v1.port.coinbase_weight: is above [payout]'s, 1000"},
      {kGood + kCoinbase + port("a", "coinbase_weight = \"all\"\n"),
       "x.toml:13: stratum.v1.port.coinbase_weight: must be a whole number"},
      {kGood + kCoinbase + port("a", "small_coinbases = 1\n"),
       "x.toml:13: stratum.v1.port.small_coinbases: must be true or false"},
      {kGood + kCoinbase + "[[payout.agent]]\nmatch = \"x\"\n",
       "x.toml:10: payout.agent.coinbase_weight: is required"},
      {kGood + kCoinbase + "[[payout.agent]]\ncoinbase_weight = 500\n",
       "x.toml:10: payout.agent.match: is required"},
      {kGood + kCoinbase + agent("x", "500") + "start = 1\n",
       "x.toml:13: payout.agent.start: unknown key"},
      {kGood + kCoinbase + agent("axe", "500") + agent("bitaxe", "600"),
       "x.toml:14: payout.agent.match: never counts: \"axe\" stands before it"},
      {kGood + kCoinbase + "[payout.agent]\nmatch = \"x\"\n",
       "x.toml:10: payout.agent: must be written as [[payout.agent]]"},
      {kGood + many, "x.toml:10: payout.agent: at most 64"},
      {kGood + eight + agent("z", "300"),
       "x.toml:36: payout.agent.coinbase_weight: is one size too many: jobs are made in [payout]'s "
       "and 8 others"},
      {kGood + eight + "[stratum.v1]\ncoinbase_weight = 300\n",
       "x.toml:35: stratum.v1.coinbase_weight: is one size too many"},
      {kGood + eight + port("a", "coinbase_weight = 300\n"),
       "x.toml:37: stratum.v1.port.coinbase_weight: is one size too many"},
  };
  for (const auto& [text, expected] : rows) {
    const std::string told = problem(text), wanted = expected;
    CAPTURE(wanted);
    CHECK_MESSAGE(told.starts_with(wanted), told);
    CHECK(told.find('\n') == std::string::npos);
  }
  // Sizes that are there already, and [payout]'s own.
  CHECK(problem(kGood + eight + agent("y", "205") + agent("z", "8000") +
                port("a", "coinbase_weight = 212\n")) == "good");
}

TEST_CASE("sizes: a job is made in each, exact to the satoshi and within its weight") {
  const Config config = config_of("[stratum.v1]\ncoinbase_weight = 2000\n" + kCoinbase +
                                  agent("NiceHash", "204") + agent("bitaxe", "4000"));
  const TemplatePtr block = template_of(1'000);
  const JobPtr job = job_of(config, block, plan_of(config, 100));
  CHECK(job->plan_weight == 8'000);
  CHECK(outputs_of(*job).size() == 65);  // 64 accounts, and the pool for the others
  REQUIRE(job->smaller.size() == 3);
  const std::pair<std::uint64_t, std::size_t> expected[] = {{204, 1}, {2'000, 16}, {4'000, 32}};
  for (const auto& [weight, accounts] : expected) {
    const JobPtr smaller = job_of_size(job, weight);
    REQUIRE(smaller != job);
    CHECK(smaller->plan_weight == weight);
    CHECK(smaller->plan_slice == 7);
    CHECK(smaller->plan_entry == 11);
    CHECK(smaller->terms == job->terms);
    CHECK(smaller->pool_script == job->pool_script);
    CHECK(smaller->block_template == block);
    Satoshi sum;
    std::uint64_t taken = 0;
    for (const TxOut& output : outputs_of(*smaller)) {
      sum += output.value;
      if (output.script != config.pool.payout.script) taken += output_weight(output.script);
    }
    CHECK(sum == block->coinbase_value);
    CHECK(outputs_of(*smaller).size() == accounts + 1);
    CHECK(taken <= weight);
  }
}

TEST_CASE("sizes: a coinbase that would be the same is not made again") {
  const Config config = config_of(kCoinbase + agent("NiceHash", "204") + agent("bitaxe", "4000"));
  CHECK(job_of(config, template_of(0), nullptr)->smaller.empty());
  CHECK(job_of(config, template_of(0), plan_of(config, 0))->smaller.empty());
  CHECK(job_of(config, template_of(0), plan_of(config, 1))->smaller.empty());
  // Thirty accounts find room in 4,000.
  const JobPtr thirty = job_of(config, template_of(0), plan_of(config, 30));
  REQUIRE(thirty->smaller.size() == 1);
  CHECK(thirty->smaller[0].weight == 204);
  CHECK(job_of_size(thirty, 4'000) == thirty);
  // A full block leaves 2,000 to all of them.
  const JobPtr full = job_of(config, template_of(4'000'000 - 1'600 - 2'000), plan_of(config, 100));
  CHECK(full->plan_weight == 2'000);
  REQUIRE(full->smaller.size() == 1);
  CHECK(job_of_size(full, 204)->plan_weight == 204);
  // Without transactions, as on a new tip.
  CHECK(job_of(config, template_of(0), plan_of(config, 100))->smaller.size() == 2);
}

TEST_CASE("sizes: jobs of pools with other ways to pay have none") {
  Config config = config_of(kCoinbase + agent("bitaxe", "204"));
  const PlanPtr plan = plan_of(config, 100);
  CHECK(job_of(config, template_of(0), plan)->smaller.size() == 1);
  config.pool.scheme = SchemeKind::Solo;
  CHECK(smaller_sizes(config).empty());
  CHECK(job_of(config, template_of(0), nullptr)->smaller.empty());
}
