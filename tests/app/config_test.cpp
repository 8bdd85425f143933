// SPDX-License-Identifier: MIT
// The configuration: the reference file is valid and says the defaults, and every mistake is
// answered with its file, line and key.
#include "app/config.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "adit/stratum/v2/key_text.h"
#include "app/key_files.h"
#include "good_config.h"

using namespace adit;
using namespace adit::test;

namespace {

std::string reference() {
  const std::ifstream file(std::string(std::getenv("ADIT_TEST_DATA")) + "/../config/adit.toml");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// As an operator has it who did what the file says.
std::string filled_in() {
  std::string text = reference();
  const std::string_view blank = "YOUR ADDRESS";
  return text.replace(text.find(blank), blank.size(), "bc1qvyq0cc6rahyvsazfdje0twl7ez82ndmuac2lhv");
}

std::string with(const std::string& from, const std::string& to) {
  std::string text = kGood;
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("the reference file is valid but for its address, and says the defaults") {
  const auto as_shipped = parse_config(reference(), "config/adit.toml");
  REQUIRE_FALSE(as_shipped.ok());
  CHECK(as_shipped.error().text.starts_with(
      "config/adit.toml:11: pool.payout_address: \"YOUR ADDRESS\": "));
  const auto read = parse_config(filled_in(), "config/adit.toml");
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
  CHECK(config.v2 == defaults.v2);
  CHECK(config.both == defaults.both);
  CHECK(config.ledger == defaults.ledger);
  CHECK(config.payout == defaults.payout);
  CHECK(config.vardiff.start == defaults.vardiff.start);
  CHECK(config.vardiff.minimum == defaults.vardiff.minimum);
  CHECK(config.vardiff.maximum == defaults.vardiff.maximum);
  CHECK(config.vardiff.shares_per_minute == defaults.vardiff.shares_per_minute);
}

TEST_CASE("the keys that the reference only mentions are keys") {
  std::string text = filled_in();
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
      {"[pool]\npayout_address = \"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4\"\n",
       "x.toml:2: pool.payout_address: is a standard's example"},
      {with("http://", "http://me:secret@"), "x.toml:5: node.rpc: must not carry a password"},
      {with("user = \"a\"\n", "cookie_file = \"c\"\n"), "x.toml:7: node.password: belongs to user"},
      {with("user = \"a\"\n", "user = \"a\"\nzmq_hashblock = \"127.0.0.1:1\"\n"),
       "x.toml:7: node.zmq_hashblock: must be like"},
      {kGood + "[api]\nlisten = \"8080\"\n", "x.toml:9: api.listen: "},
      {kGood + "[api]\nport = 1\n", "x.toml:9: api.port: unknown key"},
      {kGood + "[stratum.v1]\nlisten = [\"nonsense\"]\n", "x.toml:9: stratum.v1.listen: "},
      {kGood + "[stratum.v2]\nlisten = [\"127.0.0.1:99999\"]\n", "x.toml:9: stratum.v2.listen: "},
      {kGood + "[stratum.auto]\nlisten = [\"a:1\"]\n", "x.toml:9: stratum.auto.listen: "},
      {kGood + "[stratum.v1]\nproxy_from = [\"1.2.3.4/99\"]\n",
       "x.toml:9: stratum.v1.proxy_from: "},
      {kGood + "[stratum.v1]\ntls_listen = [\"127.0.0.1:1\"]\ntls_certificate = \"none.pem\"\n"
               "tls_key = \"none.key\"\n",
       "x.toml:10: stratum.v1.tls_certificate: none.pem cannot be read: No such file"},
      {kGood + "[stratum.v1]\nextranonce2_size = 9\n",
       "x.toml:9: stratum.v1.extranonce2_size: must be a whole number from 4 to 8"},
      {kGood + "[stratum.v1]\nversion_mask = \"xyz\"\n",
       "x.toml:9: stratum.v1.version_mask: must be eight hex digits"},
      {kGood + "[stratum.v1]\nversion_mask = \"ffffffff\"\n",
       "x.toml:9: stratum.v1.version_mask: must lie within 1fffffe0"},
      {kGood + "[stratum.v1]\nnewcomers_per_source = -1\n",
       "x.toml:9: stratum.v1.newcomers_per_source: must be a whole number from 0"},
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

namespace {

// The secret half of the reference implementation's demo key.
const std::string kDemoSecret = "mkDLTBBRxdBv998612qipDYoTK3YUrqLe8uWw7gu3iXbSrn2n";

/// A folder with key files, beside a configuration that names them.
class KeyFolder {
 public:
  KeyFolder() {
    std::string name = "/tmp/adit-config-XXXXXX";
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  const std::string& path() const { return path_; }
  ~KeyFolder() { std::filesystem::remove_all(path_); }
  void write(const std::string& name, const std::string& text, mode_t mode = 0600) {
    REQUIRE(write_key_file(path_ + "/" + name, text, mode, true).ok());
  }
  Result<Config> parse(const std::string& section) const {
    return parse_config(kGood + section, path_ + "/x.toml");
  }
  /// "good", or the error without the folder's name.
  std::string problem(const std::string& section) const {
    const auto config = parse(section);
    if (config) return "good";
    std::string text = config.error().text;
    for (std::size_t at; (at = text.find(path_ + "/")) != std::string::npos;)
      text.erase(at, path_.size() + 1);
    return text;
  }

 private:
  std::string path_;
};

SecretKey secret_of(std::uint8_t value) {
  return std::move(*SecretKey::from_bytes(ByteVec(32, value)));
}

}  // namespace

TEST_CASE("Stratum V2 with the authority's secret") {
  KeyFolder folder;
  folder.write("authority.key", v2::secret_key_text(secret_of(1)));
  const std::string key = "authority_secret_file = \"authority.key\"\n";
  const auto config =
      folder.parse("[stratum.v2]\nlisten = [\"0.0.0.0:3334\"]\n" + key +
                   "version_mask = \"00000000\"\nchannels_per_connection = 5\n"
                   "certificate_days = 30\n[stratum.auto]\nlisten = [\"[::]:3335\"]\n");
  REQUIRE_MESSAGE(config.ok(), (config ? "" : config.error().text));
  CHECK(config->warnings.empty());
  CHECK(config->v2.listen == std::vector<std::string>{"0.0.0.0:3334"});
  CHECK(config->both.listen == std::vector<std::string>{"[::]:3335"});
  CHECK(config->v2.version_mask == 0);
  CHECK(config->v2.channels_per_connection == 5);
  CHECK(config->v2.certificate_days == 30);
  const auto keeper = open_identity(config->v2, Network::Main, UnixSeconds(1'800'000'000),
                                    [](MutableBytes out) { std::ranges::fill(out, 9); });
  REQUIRE(keeper.ok());
  CHECK(keeper->authority() == public_key_of(secret_of(1)));
  folder.write("authority.key", v2::secret_key_text(secret_of(1)), 0644);
  const auto open = folder.parse("[stratum.v2]\n" + key);
  REQUIRE(open.ok());
  CHECK(open->v2.version_mask == 0x1fffffe0);
  REQUIRE(open->warnings.size() == 1);
  CHECK(open->warnings[0].find("can be read by other users") != std::string::npos);
}

TEST_CASE("Stratum V2 with a certificate signed elsewhere") {
  KeyFolder folder;
  const SecretKey authority = secret_of(1), secret = secret_of(2);
  const v2::IssuedCertificate issued{
      public_key_of(authority), v2::issue_certificate(authority, public_key_of(secret),
                                                      UnixSeconds(1'000), UnixSeconds(2'000), {})};
  folder.write("static.key", v2::secret_key_text(secret));
  folder.write("static.cert", issued.text());
  const auto config = folder.parse(
      "[stratum.v2]\nlisten = [\"0.0.0.0:3334\"]\ncertificate_file = \"static.cert\"\n"
      "static_secret_file = \"static.key\"\n");
  REQUIRE_MESSAGE(config.ok(), (config ? "" : config.error().text));
  const auto open = [&](std::uint32_t now) {
    const auto keeper = open_identity(config->v2, Network::Main, UnixSeconds(now),
                                      [](MutableBytes out) { std::ranges::fill(out, 9); });
    return keeper ? "good" : keeper.error().text;
  };
  CHECK(open(1'500) == "good");
  CHECK(open(2'001).find("static.cert: the certificate cannot be used: it has expired") !=
        std::string::npos);
}

TEST_CASE("a certificate that ends within a day is refused at the start") {
  StratumV2Config config;
  config.certificate_file = "static.cert";
  const v2::Certificate certificate{0, UnixSeconds(1'000), UnixSeconds(200'000), {}};
  const auto verdict = [&](std::uint32_t now) {
    const Status good = refuse_short_certificate(config, certificate, UnixSeconds(now));
    return good ? "good" : good.error().text;
  };
  CHECK(verdict(200'000 - 86'400) == "good");
  const std::string words = "static.cert: the certificate ends in 23 hours and 59 minutes: ";
  CHECK(verdict(200'000 - 86'399).starts_with(words));
  CHECK(verdict(200'000 - 86'399).find("--short-certificate") != std::string::npos);
  CHECK_FALSE(verdict(200'000) == "good");
  config.certificate_file.clear();  // the pool signs its own anew
  CHECK(verdict(200'000) == "good");
}

TEST_CASE("every mistake with V2's keys names its file, line and key") {
  KeyFolder folder;
  folder.write("good.key", v2::secret_key_text(secret_of(1)));
  folder.write("demo.key", kDemoSecret);
  folder.write("bad.key", "nonsense");
  const std::string listen = "listen = [\"0.0.0.0:3334\"]\n";
  const std::string good = "authority_secret_file = \"good.key\"\n";
  struct Row {
    std::string text, expected;
  };
  const Row rows[] = {
      {"[stratum.v2]\n" + listen, "9: stratum.v2.listen: needs authority_secret_file (adit keygen"},
      {"[stratum.auto]\n" + listen, "9: stratum.auto.listen: [stratum.v2] needs authority_secret"},
      {"[stratum.v2]\nauthority_secret_file = \"no.key\"\n",
       "9: stratum.v2.authority_secret_file: no.key does not exist; make it with: adit keygen "
       "--out "
       "no.key"},
      {"[stratum.v2]\nauthority_secret_file = \"bad.key\"\n",
       "9: stratum.v2.authority_secret_file: bad.key: not a secret key: "},
      {"[stratum.v2]\n" + good + "certificate_file = \"x\"\n",
       "10: stratum.v2.certificate_file: certificate_file and static_secret_file belong together"},
      {"[stratum.v2]\nstatic_secret_file = \"good.key\"\n",
       "9: stratum.v2.static_secret_file: certificate_file and static_secret_file belong together"},
      {"[stratum.v2]\n" + good + "certificate_file = \"x\"\nstatic_secret_file = \"y\"\n",
       "10: stratum.v2.certificate_file: give either it or authority_secret_file"},
      {"[stratum.v2]\ncertificate_file = \"bad.key\"\nstatic_secret_file = \"good.key\"\n",
       "9: stratum.v2.certificate_file: bad.key: not a certificate: "},
      {"[stratum.v2]\n" + good + "version_mask = \"1fffe001\"\n",
       "10: stratum.v2.version_mask: must be \"1fffffe0\", \"1fffe000\" or \"00000000\""},
      {"[stratum.v2]\n" + good + "channels_per_connection = 0\n",
       "10: stratum.v2.channels_per_connection: must be a whole number from 1 to 10000"},
      {"[stratum.v2]\n" + good + "certificate_days = 3651\n",
       "10: stratum.v2.certificate_days: must be a whole number from 1 to 3650"},
      {"[stratum.v2]\n" + good + "tls_listen = []\n", "10: stratum.v2.tls_listen: unknown key"},
      {"[stratum.v3]\n", "8: stratum.v3: unknown key"},
      {"[stratum.v2]\nauthority_secret_file = \"demo.key\"\n", "good"},
  };
  for (const Row& row : rows) {
    std::string text = folder.problem(row.text);
    const std::string expected = row.expected == "good" ? "good" : "x.toml:" + row.expected;
    CHECK_MESSAGE(text.starts_with(expected), text << " but expected " << expected);
  }
}

TEST_CASE("the demo key may not vouch for a pool on the main network") {
  KeyFolder folder;
  folder.write("demo.key", kDemoSecret);
  const std::string text =
      "[pool]\npayout_address = \"bc1qvyq0cc6rahyvsazfdje0twl7ez82ndmuac2lhv\"\n[[node]]\n"
      "rpc = \"http://127.0.0.1:8332\"\nuser = \"a\"\n[stratum.v2]\n"
      "authority_secret_file = \"demo.key\"\n";
  const auto config = parse_config(text, folder.path() + "/x.toml");
  REQUIRE_FALSE(config.ok());
  CHECK(config.error().text.find("x.toml:7: stratum.v2.authority_secret_file: this is the "
                                 "reference implementation's demo key") != std::string::npos);
  const XOnlyKey demo = public_key_of(*v2::parse_secret_key(kDemoSecret));
  CHECK_FALSE(refuse_demo_key(demo, Network::Main).ok());
  CHECK(refuse_demo_key(demo, Network::Signet).ok());
  CHECK(refuse_demo_key(public_key_of(secret_of(1)), Network::Main).ok());
}

TEST_CASE("the way of payment follows the scheme") {
  const auto payout = [](const std::string& scheme, const std::string& section) {
    const auto config =
        parse_config(with("[pool]", "[pool]\nscheme = \"" + scheme + "\"") + section, "x.toml");
    REQUIRE_MESSAGE(config.ok(), (config ? "" : config.error().text));
    return config->payout;
  };
  CHECK(payout("solo", "").way == PayWay::Coinbase);
  CHECK(payout("pplns", "").way == PayWay::Wallet);
  CHECK(payout("pplns", "").minimum == Satoshi(100'000));
  CHECK(payout("pplns", "[payout]\nway = \"coinbase\"\n").minimum == Satoshi(1'048'576));
  CHECK(payout("solo", "[payout]\nway = \"export\"\nminimum = 546\n").minimum == Satoshi(546));
  CHECK(problem(with("[pool]", "[pool]\nscheme = \"pps\"") + "[payout]\nway = \"coinbase\"\n") ==
        "x.toml:10: payout.way: pps and fpps pay for shares, not for blocks: wallet or export");
  CHECK(problem(kGood + "[payout]\nminimum = 545\n").starts_with("x.toml:9: payout.minimum: "));
  CHECK(problem(kGood + "[payout]\nwallet = \"a/b\"\n").starts_with("x.toml:9: payout.wallet: "));
  CHECK(problem(kGood + "[payout]\nway = \"paypal\"\n") ==
        "x.toml:9: payout.way: must be wallet, coinbase or export");
}

TEST_CASE("terms hold what the settlement of a block needs") {
  const auto config = parse_config(
      with("[pool]", "[pool]\nfee = \"1.5%\"") +
          "[payout]\nway = \"coinbase\"\nfactor = 8\nminimum = 5000\ncoinbase_weight = 50000\n",
      "x.toml");
  REQUIRE(config.ok());
  const PayoutTerms terms = terms_of(*config);
  CHECK(terms.scheme.kind == SchemeKind::Pplns);
  CHECK(terms.scheme.fee_basis_points == 150);
  CHECK(terms.scheme.factor == 8);
  CHECK(terms.way == PayWay::Coinbase);
  CHECK(terms.threshold == Satoshi(5000));
  CHECK(terms.coinbase_weight == 50'000);
}
