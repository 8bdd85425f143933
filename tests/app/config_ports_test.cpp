// SPDX-License-Identifier: MIT
// [[stratum.v1.port]] and [[vardiff.agent]]: what they inherit, their bounds, and their mistakes.
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "app/coinbase_sizes.h"
#include "app/config.h"
#include "app/job_plan.h"
#include "good_config.h"

using namespace adit;
using namespace adit::test;

namespace {

Difficulty d(std::string_view text) { return *Difficulty::parse(text); }

std::string port(const std::string& keys) { return "[[stratum.v1.port]]\n" + keys; }
std::string agent(const std::string& match, const std::string& start = "1") {
  return "[[vardiff.agent]]\nmatch = \"" + match + "\"\nstart = " + start + "\n";
}

/// The reference file with its examples of ports and agents as keys, and blocks that pay accounts,
/// without which sizes are errors.
std::string reference_with_examples() {
  std::ifstream file(std::string(std::getenv("ADIT_TEST_DATA")) + "/../config/adit.toml");
  std::string text;
  bool example = false;
  for (std::string line; std::getline(file, line);) {
    example = line.starts_with("#[[") || (example && line.starts_with("#"));
    const std::string_view blank = "YOUR ADDRESS";
    if (const std::size_t at = line.find(blank); at != line.npos)
      line.replace(at, blank.size(), "bc1qvyq0cc6rahyvsazfdje0twl7ez82ndmuac2lhv");
    if (line.starts_with("way = \"wallet\"")) line.replace(0, 14, "way = \"coinbase\"");
    text += line.substr(example ? 1 : 0) + "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("a port inherits what it does not say, wherever it stands in the file") {
  const auto config = parse_config(
      kGood + port("name = \"plain\"\nlisten = [\"127.0.0.1:1\"]\n") +
          port("name = \"nano\"\nlisten = [\"127.0.0.1:2\", \"[::1]:2\"]\nstart = 0.00016\n"
               "minimum = 1e-6\nmaximum = 16\nshares_per_minute = 10\n"
               "version_mask = \"00000000\"\n") +
          "[stratum.v1]\nversion_mask = \"00ffe000\"\n"
          "[vardiff]\nstart = 5\nminimum = 2\nmaximum = 9\nshares_per_minute = 20\n",
      "x.toml");
  REQUIRE_MESSAGE(config.ok(), (config ? "" : config.error().text));
  REQUIRE(config->ports.size() == 2);
  const PortConfig &plain = config->ports[0], &nano = config->ports[1];
  CHECK(plain.name == "plain");
  CHECK(plain.listen == std::vector<std::string>{"127.0.0.1:1"});
  CHECK(plain.tls_listen.empty());
  CHECK(plain.version_mask == 0x00ffe000);
  CHECK(plain.vardiff.start == d("5"));
  CHECK(plain.vardiff.minimum == d("2"));
  CHECK(plain.vardiff.maximum == d("9"));
  CHECK(plain.vardiff.shares_per_minute == 20);
  CHECK(nano.listen.size() == 2);
  CHECK(nano.version_mask == 0);
  CHECK(nano.vardiff.start == d("0.00016"));
  CHECK(nano.vardiff.minimum == d("0.000001"));
  CHECK(nano.vardiff.maximum == d("16"));
  CHECK(nano.vardiff.shares_per_minute == 10);
  CHECK(config->vardiff.start == d("5"));
  CHECK_FALSE(serves_tls(*config));
}

TEST_CASE("jobs leave free what the miners of any port may roll") {
  const std::string two = port(
                              "name = \"a\"\nlisten = [\"127.0.0.1:1\"]\n"
                              "version_mask = \"000000e0\"\n") +
                          port(
                              "name = \"b\"\nlisten = [\"127.0.0.1:2\"]\n"
                              "version_mask = \"00000000\"\n");
  const auto config =
      parse_config(kGood + "[stratum.v1]\nversion_mask = \"00002000\"\n" + two, "x");
  REQUIRE(config.ok());
  CHECK(rollable_bits(*config) == 0x000020e0);
  BlockTemplate block_template;
  block_template.network = Network::Regtest;
  CHECK(job_options(*config, block_template, nullptr).version_mask == 0x000020e0);
}

TEST_CASE("agents in their order, starts exact") {
  const auto config =
      parse_config(kGood + agent("NiceHash", "500_000") + agent("NerdMiner", "0.00016"), "x.toml");
  REQUIRE(config.ok());
  const std::vector<AgentStart> expected = {{"NiceHash", d("500000")}, {"NerdMiner", d("0.00016")}};
  CHECK(config->agents == expected);
}

TEST_CASE("the reference file's examples are good, and mean what they say") {
  const auto config = parse_config(reference_with_examples(), "adit.toml");
  REQUIRE_MESSAGE(config.ok(), (config ? "" : config.error().text));
  REQUIRE(config->ports.size() == 3);
  CHECK(config->ports[0].name == "nano");
  CHECK(config->ports[0].vardiff.minimum == d("0.000001"));
  CHECK(config->ports[1].vardiff.start == d("500000"));
  CHECK(config->ports[0].size == CoinbaseSize{8'000, true});
  CHECK(config->ports[2].size == CoinbaseSize{8'000, false});
  CHECK(config->payout.agents.size() == 4);
  CHECK(smaller_sizes(*config) == std::vector<std::uint64_t>{1'000, 2'000, 3'720});
  CHECK(size_by_agent(config->payout.agents, "bmminer/2.0.0/Antminer S19/14000") == 2'000);
  CHECK(size_by_agent(config->payout.agents, "Antminer S21/Fri May 17") == 8'000);
  CHECK_FALSE(size_by_agent(config->payout.agents, "bitaxe/BM1366/v2.5.0").has_value());
  CHECK(config->agents.size() == 5);
  CHECK(start_by_agent(config->agents, "NerdMinerV2/V1.7.0") == d("0.00016"));
  CHECK(start_by_agent(config->agents, "bitaxe/BM1370/v2.5.0") == d("850"));
  CHECK(start_by_agent(config->agents, "bitaxe/BM1366/v2.5.0") == d("400"));
  CHECK(start_by_agent(config->agents, "NiceHash/1.0.0") == d("500000"));
  CHECK_FALSE(start_by_agent(config->agents, "cgminer/4.11.1").has_value());
}

TEST_CASE("every mistake with ports and agents names its file, line and key") {
  const std::string nano = "name = \"nano\"\nlisten = [\"127.0.0.1:1\"]\n";
  std::string many_ports, many_agents;
  for (int i = 0; i < 17; ++i)
    many_ports += port("name = \"p" + std::to_string(i) + "\"\nlisten = [\"127.0.0.1:1\"]\n");
  for (int i = 100; i < 165; ++i) many_agents += agent("a" + std::to_string(i));
  const std::pair<std::string, std::string> rows[] = {
      {port(nano + "floor = 1\n"), "x.toml:11: stratum.v1.port.floor: unknown key"},
      {port(nano + "extranonce2_size = 4\n"),
       "x.toml:11: stratum.v1.port.extranonce2_size: unknown key"},
      {port("listen = [\"127.0.0.1:1\"]\n"), "x.toml:8: stratum.v1.port.name: is required"},
      {port("name = \"\"\nlisten = [\"127.0.0.1:1\"]\n"), "x.toml:9: stratum.v1.port.name: "},
      {port("name = \"a b\"\nlisten = [\"127.0.0.1:1\"]\n"), "x.toml:9: stratum.v1.port.name: "},
      {port("name = \"" + std::string(33, 'x') + "\"\nlisten = [\"127.0.0.1:1\"]\n"),
       "x.toml:9: stratum.v1.port.name: "},
      {port(nano) + port(nano), "x.toml:12: stratum.v1.port.name: is another port's name too"},
      {port("name = \"nano\"\n"), "x.toml:8: stratum.v1.port.listen: is required"},
      {port("name = \"nano\"\nlisten = \"127.0.0.1:1\"\n"),
       "x.toml:10: stratum.v1.port.listen: must be a list of texts"},
      {port("name = \"nano\"\nlisten = [\"nonsense\"]\n"), "x.toml:10: stratum.v1.port.listen: "},
      {port(nano + "tls_listen = [\"127.0.0.1:2\"]\n"),
       "x.toml:11: stratum.v1.port.tls_listen: needs tls_certificate and tls_key"},
      {"[stratum.v1]\ntls_certificate = \"none.pem\"\ntls_key = \"none.key\"\n" +
           port(nano + "tls_listen = [\"127.0.0.1:2\"]\n"),
       "x.toml:9: stratum.v1.tls_certificate: none.pem cannot be read: No such file"},
      {port(nano + "minimum = 2\nmaximum = 1\n"),
       "x.toml:11: stratum.v1.port.minimum: is above maximum"},
      {port(nano + "maximum = 1\n") + "[vardiff]\nminimum = 2\n",
       "x.toml:11: stratum.v1.port.maximum: is below minimum"},
      {port(nano + "start = 0\n"),
       "x.toml:11: stratum.v1.port.start: must be a number from 1e-10 to 1e18"},
      {port(nano + "start = \"1\"\n"), "x.toml:11: stratum.v1.port.start: must be a number"},
      {port(nano + "shares_per_minute = 601\n"),
       "x.toml:11: stratum.v1.port.shares_per_minute: must be a whole number from 1 to 600"},
      {port(nano + "version_mask = \"xyz\"\n"),
       "x.toml:11: stratum.v1.port.version_mask: must be eight hex digits"},
      {port(nano + "version_mask = \"20000000\"\n"),
       "x.toml:11: stratum.v1.port.version_mask: must lie within 1fffffe0"},
      {"[stratum.v1.port]\n" + nano,
       "x.toml:8: stratum.v1.port: must be written as [[stratum.v1.port]]"},
      {many_ports, "x.toml:8: stratum.v1.port: at most 16"},
      {"[vardiff]\nmaximum = 0.00001\n", "x.toml:9: vardiff.maximum: is below minimum"},
      {"[[vardiff.agent]]\nstart = 1\n", "x.toml:8: vardiff.agent.match: is required"},
      {agent(""), "x.toml:9: vardiff.agent.match: is required"},
      {agent(std::string(65, 'x')), "x.toml:9: vardiff.agent.match: is required: 1 to 64"},
      {agent("\\u00e9"), "x.toml:9: vardiff.agent.match: is required"},
      {"[[vardiff.agent]]\nmatch = \"x\"\n", "x.toml:8: vardiff.agent.start: is required"},
      {agent("x", "0"), "x.toml:10: vardiff.agent.start: must be a number from 1e-10"},
      {agent("x") + "minimum = 1\n", "x.toml:11: vardiff.agent.minimum: unknown key"},
      {agent("miner") + agent("NerdMiner"),
       "x.toml:12: vardiff.agent.match: never counts: \"miner\" stands before it"},
      {"[vardiff.agent]\nmatch = \"x\"\nstart = 1\n",
       "x.toml:8: vardiff.agent: must be written as [[vardiff.agent]]"},
      {many_agents, "x.toml:8: vardiff.agent: at most 64"},
  };
  for (const auto& [text, expected] : rows) {
    const std::string told = problem(kGood + text), wanted = expected;
    CAPTURE(wanted);
    CHECK_MESSAGE(told.starts_with(wanted), told);
    CHECK(told.find('\n') == std::string::npos);
  }
  CHECK(problem(kGood + agent("NerdMiner") + agent("miner")) == "good");
}
