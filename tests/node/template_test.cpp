// SPDX-License-Identifier: MIT
// Templates: a good one taken apart, and the corpus of bad ones (G-13 to G-19, G-31 to G-39), each
// refused by its name.
#include <doctest/doctest.h>

#include <functional>

#include "fixture.h"
#include "node/template_parser.h"

using namespace adit;
using namespace adit::test;

namespace {

Result<TemplatePtr> parse(const TemplateText& text, const NodeOptions& options = regtest()) {
  return parse_template(text.text(), options, Instant{} + std::chrono::seconds(9));
}

struct Bad {
  const char* name;
  std::function<void(TemplateText&)> spoil;
  const char* reason;  ///< the refusal must hold this
};

void replace(Fields& fields, const std::string& key, const std::string& raw) { fields[key] = raw; }

const std::vector<Bad> kCorpus{
    {"G-15 63 digits",
     [](auto& t) { replace(t.fields, "previousblockhash", in_quotes(std::string(63, 'a'))); },
     "previousblockhash: not 64 hex digits"},
    {"G-15 65 digits",
     [](auto& t) { replace(t.transactions[0], "txid", in_quotes(std::string(65, 'a'))); },
     "transactions[0].txid: not 64 hex digits"},
    {"G-15 71 digits",
     [](auto& t) { replace(t.fields, "target", in_quotes(std::string(71, '0'))); },
     "target: not 64 hex digits"},
    {"G-15 no hex",
     [](auto& t) { replace(t.transactions[1], "hash", in_quotes(std::string(64, 'g'))); },
     "transactions[1].hash: not 64 hex digits"},
    {"G-15 odd data", [](auto& t) { replace(t.transactions[1], "data", in_quotes("abc")); },
     "transactions[1].data: not hex"},
    {"G-16 -1", [](auto& t) { replace(t.fields, "coinbasevalue", "-1"); },
     "coinbasevalue: out of range"},
    {"G-16 0", [](auto& t) { replace(t.fields, "coinbasevalue", "0"); }, "coinbasevalue: 0 is not"},
    {"G-16 above all money",
     [](auto& t) { replace(t.fields, "coinbasevalue", "2100000000000001"); },
     "coinbasevalue: out of range"},
    {"G-16 1.5", [](auto& t) { replace(t.fields, "coinbasevalue", "1.5"); },
     "coinbasevalue: not an integer"},
    {"G-16 above 64 bits",
     [](auto& t) { replace(t.fields, "coinbasevalue", "18446744073709551615"); },
     "coinbasevalue: not an integer"},
    {"G-17 bits", [](auto& t) { replace(t.fields, "bits", in_quotes("1d00ffff")); },
     "bits: do not match target"},
    {"G-17 bits no target", [](auto& t) { replace(t.fields, "bits", in_quotes("20800000")); },
     "bits: not a target"},
    {"G-17 bits short", [](auto& t) { replace(t.fields, "bits", in_quotes("207ffff")); },
     "bits: not 8 hex digits"},
    {"G-18 mintime", [](auto& t) { replace(t.fields, "mintime", "1700000601"); },
     "mintime: above curtime"},
    {"G-18 negative time", [](auto& t) { replace(t.fields, "curtime", "-5"); },
     "curtime: out of range"},
    {"G-19 rule", [](auto& t) { replace(t.fields, "rules", R"(["csv","!segwit","!covenants"])"); },
     "rules: !covenants is required but unknown"},
    {"rules no strings", [](auto& t) { replace(t.fields, "rules", "[1]"); }, "rules: not strings"},
    {"G-31 child first",
     [](auto& t) {
       std::swap(t.transactions[1], t.transactions[2]);
       replace(t.transactions[1], "depends", "[]");
     },
     "transactions[1]: stands before its parent"},
    {"G-31 depends on itself", [](auto& t) { replace(t.transactions[1], "depends", "[2]"); },
     "transactions[1]: depends on a later one"},
    {"depends on 0", [](auto& t) { replace(t.transactions[1], "depends", "[0]"); },
     "transactions[1].depends: out of range"},
    {"G-32 twice",
     [](auto& t) {
       t.transactions[2] = t.transactions[1];
       replace(t.transactions[2], "fee", "500");
     },
     "transactions[2]: duplicate txid"},
    {"G-33 txid",
     [](auto& t) { replace(t.transactions[1], "txid", in_quotes(hash_number(5).hex())); },
     "transactions[1]: txid does not match data"},
    {"G-33 hash",
     [](auto& t) { replace(t.transactions[1], "hash", in_quotes(hash_number(5).hex())); },
     "transactions[1]: hash does not match data"},
    {"G-33 no transaction", [](auto& t) { replace(t.transactions[1], "data", in_quotes("0011")); },
     "transactions[1]: data is not one transaction"},
    {"G-33 weight", [](auto& t) { replace(t.transactions[0], "weight", "400"); },
     "transactions[0]: weight does not match data"},
    {"G-34 fees", [](auto& t) { replace(t.transactions[0], "fee", "1001"); },
     "is not the subsidy and fees"},
    {"G-34 fee below zero", [](auto& t) { replace(t.transactions[0], "fee", "-1"); },
     "transactions[0].fee: out of range"},
    {"G-34 below what is known",
     [](auto& t) {
       t.transactions[0].erase("fee");
       replace(t.fields, "coinbasevalue", "5000002499");
     },
     "is not the subsidy and fees"},
    {"G-35 sigops", [](auto& t) { replace(t.transactions[0], "sigops", "79992"); },
     "sigops: 80008"},
    {"G-36 weight", [](auto& t) { replace(t.transactions[0], "weight", "3999000"); },
     "above the limit"},
    {"G-37 commitment",
     [](auto& t) {
       replace(t.fields, "default_witness_commitment",
               in_quotes("6a24aa21a9ed" + std::string(64, '1')));
     },
     "default_witness_commitment: does not match"},
    {"G-37 another script",
     [](auto& t) {
       replace(t.fields, "default_witness_commitment", in_quotes(std::string(76, '1')));
     },
     "default_witness_commitment: does not match"},
    {"G-37 short",
     [](auto& t) { replace(t.fields, "default_witness_commitment", in_quotes("6a24")); },
     "default_witness_commitment: not 38 bytes of hex"},
    {"G-13 no commitment", [](auto& t) { t.fields.erase("default_witness_commitment"); },
     "default_witness_commitment: missing"},
    {"G-38 64 bytes",
     [](auto& t) {
       Transaction small = make_transaction(Txid::from(hash_number(9)), 0, false);
       small.inputs[0].script_sig.clear();
       small.outputs = {{Satoshi(1), ByteVec(4, 0x51)}};
       t.add(small, 0);
       t.commit();
     },
     "transactions[3]: 64 bytes long"},
    {"G-39 20,000",
     [](auto& t) {
       std::string list = "[";
       for (int i = 0; i < 20'000; ++i) list += i == 0 ? "{}" : ",{}";
       replace(t.fields, "transactions", list + "]");
     },
     "transactions: more than a block can hold"},
    {"spent twice",
     [](auto& t) {
       Transaction other = make_transaction(Txid::from(hash_number(8)), 1, true);
       other.lock_time = 5;
       t.add(other, 0);
       t.commit();
     },
     "transactions[3]: spends an output twice"},
    {"a coinbase",
     [](auto& t) {
       t.add(make_transaction({}, 0xffffffff, false), 0);
       t.commit();
     },
     "transactions[3]: a coinbase among them"},
    {"height 0", [](auto& t) { replace(t.fields, "height", "0"); }, "height: out of range"},
};

}  // namespace

TEST_CASE("a template of a Core 28 regtest node") {
  const auto made = parse(full_template());
  REQUIRE(made.ok());
  const BlockTemplate& t = **made;
  CHECK(t.height == 102);
  CHECK(t.prev.hex() == hash_number(101).hex());
  CHECK(t.version == 0x20000000);
  CHECK(t.bits.value() == kRegtestBits);
  CHECK(t.curtime == 1'700'000'600);
  CHECK(t.mintime == 1'700'000'001);
  CHECK(t.coinbase_value.value() == 50 * kCoin + 3'500);
  CHECK(t.long_poll_id == hash_number(101).hex() + "7");
  CHECK(t.received == Instant{} + std::chrono::seconds(9));
  REQUIRE(t.transactions.size() == 3);
  CHECK(t.transactions[0].txid.bytes == t.transactions[0].wtxid.bytes);
  CHECK(t.transactions[1].txid.bytes != t.transactions[1].wtxid.bytes);
  CHECK(t.transactions[2].fee.value() == 500);
  CHECK(t.witness_commitment.has_value());
}

TEST_CASE("a template without transactions, with and without a commitment") {
  TemplateText text = bare_template();
  REQUIRE(parse(text).ok());
  CHECK((*parse(text))->witness_commitment.has_value());
  text.fields.erase("default_witness_commitment");
  REQUIRE(parse(text).ok());
  CHECK(!(*parse(text))->witness_commitment.has_value());
}

TEST_CASE("what may be absent or otherwise written") {
  TemplateText text = full_template();
  SUBCASE("fees not told") {
    for (Fields& transaction : text.transactions) transaction.erase("fee");
  }
  SUBCASE("limits and rules not told") {
    for (const char* key : {"sigoplimit", "weightlimit", "rules", "longpollid", "vbavailable"})
      text.fields.erase(key);
  }
  SUBCASE("an optional rule that is not known") {
    text.fields["rules"] = R"(["csv","segwit","!taproot","somethingnew"])";
  }
  SUBCASE("G-15 upper case") {
    std::string upper = Hash256::from(hash_number(101)).hex();
    for (char& c : upper) c = static_cast<char>(std::toupper(c));
    text.fields["previousblockhash"] = in_quotes(upper);
  }
  CHECK(parse(text).ok());
}

TEST_CASE("G-13, G-14: each key that must be there, and of its type") {
  for (const std::string key : {"version", "previousblockhash", "transactions", "coinbasevalue",
                                "target", "mintime", "curtime", "bits", "height"}) {
    CAPTURE(key);
    for (const char* wrong :
         {"", "null", "true", "{}", "1.25", "\"x\"", "[[]]", "99999999999999999999"}) {
      CAPTURE(wrong);
      TemplateText text = full_template();
      std::string json;
      if (*wrong != 0) {
        text.fields[key] = wrong;
        json = text.text();
      } else {
        json = text.text();
        const auto at = json.find('"' + key + "\":");
        json.replace(at, key.size() + 2, "\"other\"");
      }
      const auto made = parse_template(json, regtest(), {});
      REQUIRE(!made.ok());
      CHECK((made.error().text.starts_with(key) || made.error().text == "template: not JSON"));
      if (*wrong == 0) CHECK(made.error().text == key + ": missing");
    }
  }
  for (const std::string key : {"data", "txid", "hash", "sigops", "weight"}) {
    CAPTURE(key);
    TemplateText text = full_template();
    text.transactions[1].erase(key);
    const auto missing = parse(text);
    REQUIRE(!missing.ok());
    CHECK(missing.error().text == "transactions[1]." + key + ": missing");
    text.transactions[1][key] = "{}";
    CHECK(!parse(text).ok());
  }
  for (const std::string key :
       {"rules", "longpollid", "default_witness_commitment", "sigoplimit"}) {
    CAPTURE(key);
    TemplateText text = full_template();
    text.fields[key] = "{}";
    const auto odd = parse(text);
    REQUIRE(!odd.ok());
    CHECK(odd.error().text.starts_with(key));
  }
}

TEST_CASE("the corpus of bad templates, each with its reason") {
  for (const Bad& bad : kCorpus) {
    CAPTURE(bad.name);
    TemplateText text = full_template();
    bad.spoil(text);
    const auto made = parse(text);
    REQUIRE(!made.ok());
    CHECK_MESSAGE(made.error().text.find(bad.reason) != std::string::npos, made.error().text);
  }
}

TEST_CASE("no template at all") {
  for (const char* text : {"", "null", "[]", "\"x\"", "{}", "{\"version\":", "<html>"}) {
    CAPTURE(text);
    CHECK(!parse_template(text, regtest(), {}).ok());
  }
}

TEST_CASE("the room of the smallest coinbase counts to the last unit, and no more is set aside") {
  TemplateText text = full_template();
  const TemplatePtr made = *parse(text);
  std::uint64_t weight = kBareBlockWeight;
  for (const auto& transaction : made->transactions) weight += transaction.weight;
  const auto with = [&text](const char* key, std::uint64_t limit) {
    TemplateText limited = text;
    limited.fields[key] = std::to_string(limit);
    return parse(limited).ok();
  };
  CHECK(with("weightlimit", weight));
  CHECK(!with("weightlimit", weight - 1));
  CHECK(with("sigoplimit", 12 + kBareBlockSigops));
  CHECK(!with("sigoplimit", 12 + kBareBlockSigops - 1));
}

TEST_CASE("a signet whose blocks must be signed gives no work") {
  TemplateText text = bare_template(102, hash_number(101), 0, Network::Signet);
  CHECK(parse(text, on(Network::Signet)).ok());
  // That of the public signet.
  text.fields["signet_challenge"] =
      "\"512103ad5e0edad18cb1f0fc0d28a3d4f1f3e445640337489abb10404f2d1e086be430210359ef5021964fe22d"
      "6f8e05b2463c9540ce96883fe3b278760f048f5189f2e6c452ae\"";
  auto made = parse(text, on(Network::Signet));
  REQUIRE(!made.ok());
  CHECK(made.error().text.find("signet_challenge: blocks of this signet must be signed") == 0);
  text.fields.erase("signet_challenge");
  made = parse(text, on(Network::Signet));
  REQUIRE(!made.ok());
  CHECK(made.error().text == "signet_challenge: missing");
}

TEST_CASE("any cut or flipped byte is refused or harmless") {
  const std::string good = full_template().text();
  for (std::size_t cut = 0; cut < good.size(); cut += 7)
    CHECK(!parse_template(std::string_view(good).substr(0, cut), regtest(), {}).ok());
  const TemplatePtr whole = *parse_template(good, regtest(), {});
  for (std::size_t at = 0; at < good.size(); at += 3) {
    std::string flipped = good;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x01);
    const auto made = parse_template(flipped, regtest(), {});
    if (made.ok()) CHECK((*made)->transactions.size() == whole->transactions.size());
  }
}

TEST_CASE("the empty template of a new tip") {
  const BlockHash tip = BlockHash::from(hash_number(500));
  const auto made = empty_template(Network::Regtest, tip, 149, 0x20000000,
                                   CompactTarget(kRegtestBits), 1'700'000'000, 5, Instant{});
  REQUIRE(made);
  CHECK(made->height == 150);
  CHECK(made->prev == tip);
  CHECK(made->coinbase_value.value() == 25 * kCoin);
  CHECK(made->mintime == 1'700'000'001);
  CHECK(made->curtime == 1'700'000'001);
  CHECK(made->transactions.empty());
  CHECK(!made->witness_commitment);
  CHECK(!empty_template(Network::Main, tip, 1, 1, CompactTarget(0), 0, 0, Instant{}));
}
