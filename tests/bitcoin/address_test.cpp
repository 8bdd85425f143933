// SPDX-License-Identifier: MIT
// Addresses: Bitcoin Core's key_io vectors, BIP173 and BIP350, and errors that say why.
#include "adit/bitcoin/address.h"

#include <doctest/doctest.h>
#include <simdjson.h>

#include <cctype>
#include <cstdlib>
#include <vector>

#include "adit/bitcoin/base58.h"
#include "bitcoin/bech32.h"

using namespace adit;

namespace {

constexpr Network kNetworks[] = {Network::Main, Network::Testnet4, Network::Signet,
                                 Network::Regtest};

simdjson::dom::array load(simdjson::dom::parser& parser, const std::string& name) {
  const char* data = std::getenv("ADIT_TEST_DATA");
  REQUIRE(data != nullptr);
  simdjson::dom::array array;
  REQUIRE(parser.load(std::string(data) + "/vectors/" + name).get(array) == simdjson::SUCCESS);
  return array;
}

Network from_chain(std::string_view chain) {
  return chain == "test" ? Network::Testnet4 : *network_from_name(chain);
}

std::string flip_case(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    out += static_cast<char>(std::islower(u) ? std::toupper(u) : std::tolower(u));
  }
  return out;
}

std::string reason(std::string_view text, Network network) {
  const auto address = parse_address(text, network);
  return address ? "" : address.error().text;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("address: key_io_valid.json") {
  simdjson::dom::parser parser;
  int checked = 0;
  for (const simdjson::dom::element entry : load(parser, "key_io_valid.json")) {
    const std::string_view text = entry.at(0);
    const Network network = from_chain(entry.at(2)["chain"]);
    if (bool(entry.at(2)["isPrivkey"])) {
      for (const Network n : kNetworks) CHECK_FALSE(parse_address(text, n).ok());
      continue;
    }
    ++checked;
    const auto address = parse_address(text, network);
    REQUIRE_MESSAGE(address.ok(), std::string(text));
    CHECK(address->text == text);
    CHECK(to_hex(address->script) == std::string_view(entry.at(1)));
    CHECK(address_of(address->script, network) == address->text);
    bool may_flip = false;
    if (entry.at(2)["tryCaseFlip"].get(may_flip) != simdjson::SUCCESS) may_flip = false;
    const auto flipped = parse_address(flip_case(text), network);
    CHECK(flipped.ok() == may_flip);
    if (flipped) {
      CHECK(flipped->text == text);
      CHECK(flipped->script == address->script);
    }
    // Testnets share prefixes, main shares none.
    const Network other = network == Network::Main ? Network::Regtest : Network::Main;
    CHECK(has(reason(text, other), "wrong network"));
  }
  CHECK(checked == 54);
}

TEST_CASE("address: key_io_invalid.json") {
  simdjson::dom::parser parser;
  for (const simdjson::dom::element entry : load(parser, "key_io_invalid.json")) {
    const std::string_view text = entry.at(0);
    for (const Network n : kNetworks) CHECK_FALSE(parse_address(text, n).ok());
  }
}

TEST_CASE("address: BIP173 and BIP350 addresses") {
  struct Case {
    const char* text;
    const char* script;
    Network network;
    bool future;
  };
  const Network main = Network::Main;
  const Network test = Network::Testnet4;
  for (const Case& c : {
           Case{"BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
                "0014751e76e8199196d454941c45d1b3a323f1433bd6", main, false},
           Case{"tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",
                "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262", test,
                false},
           Case{"bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
                "5128751e76e8199196d454941c45d1b3a323f1433bd6751e76e8199196d454941c45d1b3a323f1433b"
                "d6",
                main, true},
           Case{"BC1SW50QGDZ25J", "6002751e", main, true},
           Case{"bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", "5210751e76e8199196d454941c45d1b3a323",
                main, true},
           Case{"tb1qqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesrxh6hy",
                "0020000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433", test,
                false},
           Case{"tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c",
                "5120000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433", test,
                false},
           Case{"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
                "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798", main,
                false},
       }) {
    const auto address = parse_address(c.text, c.network);
    REQUIRE_MESSAGE(address.ok(), c.text);
    CHECK(to_hex(address->script) == c.script);
    CHECK(address->future_witness == c.future);
    CHECK(address->text == (std::islower(c.text[0]) ? c.text : flip_case(c.text)));
    CHECK(address_of(address->script, c.network) == address->text);
    CHECK(parse_address(c.text, Network::Signet).ok() == (c.network == test));
  }
}

TEST_CASE("address: BIP350's invalid addresses, with the reason") {
  const std::pair<const char*, const char*> cases[] = {
      {"tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut", "prefix"},
      {"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd", "checksum"},
      {"tb1z0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqglt7rf", "checksum"},
      {"BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL", "checksum"},
      {"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh", "checksum"},
      {"tb1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq24jc47", "checksum"},
      {"bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4", "character"},
      {"BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R", "version"},
      {"bc1pw5dgrnzv", "length"},
      {"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav", "length"},
      {"BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P", "length"},
      {"tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq", "mixed case"},
      {"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf", "padding"},
      {"tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j", "padding"},
      {"bc1gmk9yu", "version"},
  };
  for (const auto& [text, why] : cases) {
    for (const Network n : kNetworks) {
      const std::string said = reason(text, n);
      CHECK_MESSAGE(has(said, why), said);
    }
  }
}

TEST_CASE("address: other refusals") {
  CHECK(has(reason("", Network::Main), "empty"));
  CHECK(has(reason(std::string(91, '1'), Network::Main), "length"));
  CHECK(has(reason("bc1q", Network::Main), "length"));
  CHECK(has(reason("1BoatSLRHtKNngkdXEeobR76b53LETtpyU", Network::Main), "checksum"));
  CHECK(has(reason("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", Network::Signet), "wrong network"));
  CHECK(parse_address("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", Network::Main).ok());
  CHECK_FALSE(parse_address(" 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", Network::Main).ok());
  CHECK_FALSE(parse_address("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa.rig", Network::Main).ok());
}

TEST_CASE("address_of: scripts that have none") {
  for (const char* hex : {"", "6a", "00", "51", "5151",
                          "0013"
                          "00",
                          "0001aa", "00150000", "76a914000000000000000000000000000000000000000088",
                          "4f0200ff", "6102aaaa", "5101aa"}) {
    CHECK_FALSE(address_of(*from_hex(hex), Network::Main));
  }
  CHECK_FALSE(address_of(commitment_script({}), Network::Main));
  CHECK(address_of(*from_hex("5102aaaa"), Network::Main));
}

TEST_CASE("bech32: BIP173 and BIP350 strings") {
  for (
      const char* text :
      {"A12UEL5L", "a12uel5l",
       "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
       "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
       "11qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqc8247j",
       "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w", "?1ezyfcl"}) {
    const Bech32 decoded = bech32_decode(text);
    CHECK(decoded.error == Bech32Error::None);
    CHECK(decoded.kind == Bech32Kind::Bech32);
    if (text[0] != 'A') CHECK(bech32_encode(decoded.kind, decoded.prefix, decoded.data) == text);
  }
  for (
      const char* text :
      {"A1LQFN3A", "a1lqfn3a",
       "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6",
       "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
       "11llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllludsr8",
       "split1checkupstagehandshakeupstreamerranterredcaperredlc445v", "?1v759aa"}) {
    const Bech32 decoded = bech32_decode(text);
    CHECK(decoded.error == Bech32Error::None);
    CHECK(decoded.kind == Bech32Kind::Bech32m);
    if (text[0] != 'A') CHECK(bech32_encode(decoded.kind, decoded.prefix, decoded.data) == text);
  }
  for (const char* text :
       {" 1nwldj5",
        "\x7f"
        "1axkwrx",
        "\x80"
        "1eym55h",
        "an84characterslonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1569p"
        "vx",
        "pzry9x0s0muk",
        "1pzry9x0s0muk",
        "x1b4n0q5v",
        "li1dgmt3",
        "de1lg7wt\xff",
        "A1G7SGD8",
        "10a06t8",
        "1qzzfhee",
        " 1xj0phk",
        "\x7f"
        "1g6xzxy",
        "\x80"
        "1vctc34",
        "qyrz8wqd2c9m",
        "1qyrz8wqd2c9m",
        "y1b0jsk6g",
        "lt1igcx5c0",
        "in1muywd",
        "mm1crxm3i",
        "au1s5cgom",
        "M1VUXWEZ",
        "16plkw9",
        "1p2gdwpf",
        ""}) {
    CHECK(bech32_decode(text).error != Bech32Error::None);
  }
}

TEST_CASE("base58: Core's vectors") {
  simdjson::dom::parser parser;
  for (const simdjson::dom::element entry : load(parser, "base58_encode_decode.json")) {
    const auto bytes = from_hex(std::string_view(entry.at(0)));
    REQUIRE(bytes);
    CHECK(base58_encode(*bytes) == std::string_view(entry.at(1)));
    CHECK(base58_decode(std::string_view(entry.at(1))) == *bytes);
  }
  for (const char* bad : {"0", "O", "I", "l", "bad0IOl", "goodbad0IOl", " 2g", "2g ", "2\xff"}) {
    CHECK_FALSE(base58_decode(bad));
  }
  CHECK_FALSE(base58_decode(std::string(385, '1')));
  CHECK_FALSE(base58check_decode(""));
  CHECK_FALSE(base58check_decode("3vQB7B6MrGQZaxCuFg4og"));
}
