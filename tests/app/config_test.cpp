// SPDX-License-Identifier: MIT
// The configuration: the reference file is valid and says the defaults, and every mistake is
// answered with its file, line and key.
#include "app/config.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

using namespace adit;

namespace {

const std::string kGood = R"([pool]
network = "regtest"
payout_address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
[[node]]
rpc = "http://127.0.0.1:18443"
user = "a"
password = "b"
)";

std::string reference() {
  const std::ifstream file(std::string(std::getenv("ADIT_TEST_DATA")) + "/../config/adit.toml");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string problem(const std::string& text) {
  const auto config = parse_config(text, "x.toml");
  return config ? "good" : config.error().text;
}

std::string with(const std::string& from, const std::string& to) {
  std::string text = kGood;
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("the reference file is valid and says the defaults") {
  const auto read = parse_config(reference(), "config/adit.toml");
  REQUIRE_MESSAGE(read.ok(), (read ? "" : read.error().text));
  const Config config = *read;
  const Config defaults;
  CHECK(config.data_dir == defaults.data_dir);
  CHECK(config.workers == defaults.workers);
  CHECK(config.pool.name == defaults.pool.name);
  CHECK(config.pool.coinbase_tag == defaults.pool.coinbase_tag);
  CHECK(config.pool.scheme == defaults.pool.scheme);
  CHECK(config.pool.accept_names == defaults.pool.accept_names);
  CHECK(config.v1 == defaults.v1);
  CHECK(config.ledger == defaults.ledger);
  CHECK(config.vardiff.start == defaults.vardiff.start);
  CHECK(config.vardiff.minimum == defaults.vardiff.minimum);
  CHECK(config.vardiff.maximum == defaults.vardiff.maximum);
  CHECK(config.vardiff.shares_per_minute == defaults.vardiff.shares_per_minute);
}

TEST_CASE("the keys that the reference only mentions are keys") {
  std::string text = reference();
  for (const char* key : {"#zmq_hashblock", "#tls_certificate", "#tls_key"}) {
    const std::size_t at = text.find(key);
    REQUIRE(at != std::string::npos);
    text.erase(at, 1);
  }
  CHECK(problem(text) == "good");
  CHECK(problem(kGood) == "good");
}

TEST_CASE("difficulties are exact, not doubles") {
  const auto config = parse_config(
      kGood + "[vardiff]\nstart = 0.00016\nminimum = 1e-10\nmaximum = 1_000\n", "x.toml");
  REQUIRE(config.ok());
  CHECK(config->vardiff.start == *Difficulty::parse("0.00016"));
  CHECK(config->vardiff.minimum == *Difficulty::parse("1e-10"));
  CHECK(config->vardiff.maximum == Difficulty::from_u64(1000));
}

TEST_CASE("fees in basis points") {
  const auto fee = [](const std::string& text) {
    const auto config = parse_config(with("network", "fee = \"" + text + "\"\nnetwork"), "x.toml");
    return config ? static_cast<int>(config->pool.fee_basis_points) : -1;
  };
  CHECK(fee("1.5%") == 150);
  CHECK(fee("0%") == 0);
  CHECK(fee("100%") == 10'000);
  CHECK(fee("0.01%") == 1);
  for (const char* bad : {"1.5", "100.01%", "1.555%", "-1%", "1.%", "%", "", "1,5%", "1e1%"})
    CHECK(fee(bad) == -1);
}

TEST_CASE("every mistake names its file, line and key") {
  struct Row {
    std::string text, expected;
  };
  const Row rows[] = {
      {"x = [", "x.toml:1: "},
      {"nonsense = 1\n" + kGood, "x.toml:1: nonsense: unknown key"},
      {with("network", "netwerk"), "x.toml:2: pool.netwerk: unknown key"},
      {with("\"regtest\"", "\"mars\""),
       "x.toml:2: pool.network: must be main, testnet4, signet or regtest"},
      {with("\"regtest\"", "7"), "x.toml:2: pool.network: must be a text in quotes"},
      {with("\"regtest\"", "\"main\""), "x.toml:3: pool.payout_address: \"bcrt1q"},
      {with("kygt080", "kygt081"), "x.toml:3: pool.payout_address: \"bcrt1q"},
      {with("payout_address = \"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\"\n", ""),
       "x.toml:1: pool.payout_address: is required"},
      {with("[[node]]", "[node]"), "x.toml:4: node: must be written as [[node]]"},
      {with("http://", "ftp://"), "x.toml:5: node.rpc: is required and must be like"},
      {with("user = \"a\"\n", ""), "x.toml:4: node.cookie_file: give either"},
      {kGood + "[stratum.v1]\nextranonce2_size = 9\n",
       "x.toml:9: stratum.v1.extranonce2_size: must be a whole number from 4 to 8"},
      {kGood + "[stratum.v1]\nversion_mask = \"xyz\"\n",
       "x.toml:9: stratum.v1.version_mask: must be eight hex digits"},
      {kGood + "[stratum.v1]\ntls_listen = [\"0.0.0.0:3343\"]\n",
       "x.toml:9: stratum.v1.tls_listen: needs tls_certificate"},
      {kGood + "[stratum.v1]\nlisten = [3333]\n",
       "x.toml:9: stratum.v1.listen: must be a list of texts"},
      {kGood + "[vardiff]\nminimum = 0\n",
       "x.toml:9: vardiff.minimum: must be a number from 1e-10 to 1e18"},
      {kGood + "[vardiff]\nminimum = 2\nmaximum = 1\n",
       "x.toml:9: vardiff.minimum: is above maximum"},
      {kGood + "[vardiff]\nstart = inf\n", "x.toml:9: vardiff.start: must be a number"},
      {kGood + "[ledger]\ndurability = \"maybe\"\n",
       "x.toml:9: ledger.durability: must be sync or relaxed"},
      {kGood + "workers = 300\n", "x.toml:8: node.workers: unknown key"},
  };
  for (const Row& row : rows) {
    const std::string text = problem(row.text);
    CHECK_MESSAGE(text.starts_with(row.expected), text << " but expected " << row.expected);
    CHECK(text.find('\n') == std::string::npos);
  }
}

TEST_CASE("sections of later versions are heard of, not refused") {
  const auto config = parse_config(
      kGood + "[stratum.v2]\nlisten = [\"0.0.0.0:3334\"]\n[api]\nlisten = \"127.0.0.1:8080\"\n",
      "x.toml");
  REQUIRE(config.ok());
  CHECK(config->warnings.size() == 2);
}
