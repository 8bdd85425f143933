// SPDX-License-Identifier: MIT
// Framer, decoder, names, wishes: what comes from a stranger, taken apart.
#include <doctest/doctest.h>

#include "stratum/names.h"
#include "stratum/strikes.h"
#include "stratum/v1/decode.h"
#include "stratum/v1/encode.h"
#include "stratum/v1/framer.h"
#include "stratum/v1/wishes.h"

using namespace adit;
using namespace adit::v1;

namespace {

std::vector<std::string> lines_of(LineFramer& framer, std::string_view text, bool& too_long) {
  std::vector<std::string> lines;
  Bytes wire = bytes_of(text);
  std::string_view line;
  for (;;) {
    const auto step = framer.next(wire, line);
    if (step == LineFramer::Step::TooLong) too_long = true;
    if (step != LineFramer::Step::Line) return lines;
    lines.emplace_back(line);
  }
}

}  // namespace

TEST_CASE("framer: any cutting of the stream gives the same lines") {
  const std::string text = "one\r\n\ntwo two\nthree\r\r\n";
  const std::vector<std::string> expected{"one", "", "two two", "three\r"};
  for (std::size_t a = 0; a <= text.size(); ++a) {
    for (std::size_t b = a; b <= text.size(); ++b) {
      LineFramer framer;
      bool too_long = false;
      std::vector<std::string> lines;
      for (const auto& piece : {text.substr(0, a), text.substr(a, b - a), text.substr(b)})
        for (auto& line : lines_of(framer, piece, too_long)) lines.push_back(line);
      CHECK(lines == expected);
      CHECK_FALSE(too_long);
      CHECK_FALSE(framer.partial());
    }
  }
}

TEST_CASE("framer: 4096 bytes with the LF, however they come") {
  for (const std::size_t cut : {0u, 1u, 4000u, 4095u}) {
    LineFramer framer;
    bool too_long = false;
    const std::string fits = std::string(4095, 'a') + "\n";
    lines_of(framer, std::string_view(fits).substr(0, cut), too_long);
    CHECK(lines_of(framer, std::string_view(fits).substr(cut), too_long).size() == 1);
    CHECK_FALSE(too_long);
    const std::string over = std::string(4096, 'a') + "\n";
    lines_of(framer, std::string_view(over).substr(0, cut), too_long);
    lines_of(framer, std::string_view(over).substr(cut), too_long);
    CHECK(too_long);
  }
}

TEST_CASE("decoder: ids come back as they were written") {
  Decoder decoder;
  const auto id_of = [&](std::string_view id) -> std::string {
    Request request;
    const std::string line =
        "{\"params\":[{\"id\":9}],\"id\": " + std::string(id) + " ,\"method\":\"mining.ping\"}";
    if (decoder.decode(line, request) != Decoded::Request) return "refused";
    return std::string(request.id);
  };
  CHECK(id_of("1") == "1");
  CHECK(id_of("-1") == "-1");
  CHECK(id_of("9223372036854775808") == "9223372036854775808");
  CHECK(id_of("1.50") == "1.50");
  CHECK(id_of("1e3") == "1e3");
  CHECK(id_of("0.123456789012345678") == "0.123456789012345678");
  CHECK(id_of("0.1234567890123456789") == "refused");
  CHECK(id_of("null") == "null");
  CHECK(id_of("\"txlist\"") == "\"txlist\"");
  CHECK(id_of("\"a\\\"\\u0001\\n\"") == "\"a\\\"\\u0001\\n\"");
  CHECK(id_of("\"" + std::string(64, 'x') + "\"") == "\"" + std::string(64, 'x') + "\"");
  CHECK(id_of("\"" + std::string(65, 'x') + "\"") == "refused");
  for (const char* bad : {"{}", "[1]", "true", "false", "1e400"}) CHECK(id_of(bad) == "refused");
}

TEST_CASE("decoder: what is not a request") {
  Decoder decoder;
  const auto kind = [&](std::string_view line) {
    Request request;
    return decoder.decode(line, request);
  };
  CHECK(kind("{}") == Decoded::NoMethod);
  CHECK(kind(R"({"id":1,"result":true,"error":null})") == Decoded::Response);
  CHECK(kind("[1]") == Decoded::Batch);
  CHECK(kind("7") == Decoded::NotAnObject);
  CHECK(kind("\"x\"") == Decoded::NotAnObject);
  CHECK(kind(R"({"id":1,"id":2,"method":"mining.ping"})") == Decoded::DuplicateKey);
  CHECK(kind(R"({"params":[],"method":"a","params":[]})") == Decoded::DuplicateKey);
  CHECK(kind(R"({"id":1,"method":5})") == Decoded::BadMethod);
  CHECK(kind(R"({"id":1,"method":"mining.ping"})") == Decoded::Request);
  CHECK(kind(R"({"id":1,"method":"mining.ping"}xyz)") == Decoded::ParseError);
  CHECK(kind(R"({"id":1,"method":"mining.ping")") == Decoded::ParseError);
  CHECK(kind(std::string(4000, '[')) == Decoded::ParseError);
  CHECK(kind(R"({"id":1,"method":"mining.ping","params":[[[[[[[[[[1]]]]]]]]]]})") ==
        Decoded::ParseError);
  CHECK(kind("{\"id\":\"\xc3\x28\",\"method\":\"mining.ping\"}") == Decoded::ParseError);
  CHECK(kind(R"({"id":"\ud800","method":"mining.ping"})") == Decoded::ParseError);
}

TEST_CASE("decoder: whole numbers above 64 bits are numbers") {
  Decoder decoder;
  const auto wish = [&](const std::string& number) -> std::string {
    Request request;
    const std::string line = "{\"id\":\"18446744073709551616\",\"params\":[" + number +
                             ",\"\\\"\"],\"method\":\"mining.ping\"}";
    if (decoder.decode(line, request) != Decoded::Request) return "refused";
    CHECK(request.id == "\"18446744073709551616\"");
    const auto value = difficulty_wish(request.params.at(0).value());
    return value ? value->text() : "none";
  };
  CHECK(wish("18446744073709551615") == wish("1.84467440737095516e19"));
  CHECK(wish("100000000000000000000") == "100000000000000000000");
  CHECK(wish("18446744073709551616").starts_with("184467440737095"));
  CHECK(wish("12345" + std::string(200, '0')) == Difficulty::parse("1e30")->text());
  CHECK(wish("1" + std::string(400, '0')) == "refused");
  CHECK(wish("00000000000000000001024") == "refused");
  CHECK(wish("1.00000000000000000000000") == "1");
  CHECK(wish("100000000000000000000.5").starts_with("100000000000000000000"));
  for (const char* bad :
       {"99999999999999999999x", "99999999999999999999\"", "\"99999999999999999999"})
    CHECK(wish(bad) == "refused");
}

TEST_CASE("names") {
  const std::string alice = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
  const auto parse = [](std::string_view text, std::string_view account = "") {
    return parse_worker_name(text, Network::Regtest, account);
  };
  REQUIRE(parse(alice));
  CHECK(parse(alice)->worker.empty());
  CHECK(parse(alice + ".rig_1-x")->worker == "rig_1-x");
  CHECK(parse(alice + ".hall2.rig_1")->worker == "hall2.rig_1");
  CHECK(parse(alice + "%2Erig%31")->worker == "rig1");
  CHECK(parse("BCRT1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KYGT080.a")->account == alice);
  for (const std::string& bad :
       {std::string(), alice + ".a b", alice + "." + std::string(33, 'a'), alice + "%",
        alice + "%2", alice + "%zz", alice + ".%00", alice + "%2e%3Cscript%3E", std::string("rig1"),
        std::string("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4")})
    CHECK_FALSE(parse(bad).ok());
  CHECK(parse("rig-1", alice)->account == alice);
  CHECK(parse("rig-1", alice)->worker == "rig-1");
  CHECK_FALSE(parse("rig.1", alice).ok());
  CHECK_FALSE(parse("bc1qw508d6qejxtdg4y5r3zarvary0c5", alice).ok());
  CHECK_FALSE(parse("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNV", alice).ok());
  CHECK_FALSE(parse("a b", alice).ok());
  CHECK(parse("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4").error().text.find("network") !=
        std::string::npos);
  CHECK(spells(alice + ".a", alice, "a"));
  CHECK(spells(alice, alice, ""));
  CHECK_FALSE(spells(alice + ".", alice, ""));
  CHECK_FALSE(spells(alice + "_a", alice, "a"));
  CHECK_FALSE(spells(alice + ".ab", alice, "a"));
}

TEST_CASE("wishes") {
  simdjson::dom::parser parser;
  const auto wish = [&](std::string_view json) -> std::string {
    const auto value = difficulty_wish(parser.parse(std::string(json)));
    return value ? value->text() : "none";
  };
  CHECK(wish("1024") == "1024");
  CHECK(wish("0.00016") == "0.00016");
  CHECK(wish("1.5e-4") == "0.00015");
  CHECK(wish("\"0.0001\"") == Difficulty::parse("0.0001")->text());
  CHECK(wish("\"2048\"") == "2048");
  CHECK(wish("0") == Difficulty::parse("1e-30")->text());
  CHECK(wish("0.0") == wish("0"));
  CHECK(wish("1e-300") == wish("0"));
  CHECK(wish("1e308") == Difficulty::parse("1e30")->text());
  CHECK(wish("18446744073709551615") != "none");
  CHECK(wish("\"0\"") == wish("0"));
  CHECK(wish("\"0." + std::string(36, '0') + "1\"") == wish("0"));
  CHECK(wish("\"" + std::string(34, '0') + "1024.0\"") == "1024");
  CHECK(wish("\"" + std::string(40, '9') + "\"").starts_with("9.9999999"));
  for (const char* bad :
       {"-1", "-0.5", "\"NaN\"", "\"1e3\"", "\"\"", "\"-1\"", "\" 1\"", "\".5\"", "\"1.2.3\"",
        "\"1000.\"", "\"0.\"", "\"0x10\"", "null", "[]", "{}", "true"})
    CHECK(wish(bad) == "none");
  const auto target = [&](std::string_view hex) -> std::string {
    const auto value = target_wish(parser.parse("\"" + std::string(hex) + "\""));
    return value ? value->text() : "none";
  };
  CHECK(target("00000000ffff" + std::string(52, '0')) == "1");
  CHECK(target(std::string(64, '0')) == "none");
  CHECK(target("ffff") == "none");
  CHECK(target(std::string(63, '0') + "1") == Difficulty::parse("1e30")->text());
}

TEST_CASE("passwords") {
  const auto all = parse_password("x, d=1024;md=0.5 fd=1e3,zz=1");
  CHECK(all.start == Difficulty::parse("1024"));
  CHECK(all.minimum == Difficulty::parse("0.5"));
  CHECK(all.fixed == Difficulty::parse("1000"));
  for (const char* none : {"", "x", "d=", "d=abc", "d=-5", "D=5", "dd=5", "=5", ",;, "}) {
    const auto wishes = parse_password(none);
    CHECK_FALSE((wishes.start || wishes.minimum || wishes.fixed));
  }
}

TEST_CASE("strikes and pace count within their windows") {
  const Instant start{};
  Strikes strikes;
  for (int i = 0; i < 19; ++i) CHECK_FALSE(strikes.add(5, start));
  CHECK(strikes.add(5, start));
  CHECK_FALSE(strikes.add(5, start + Strikes::kWindow));
  Pace pace;
  for (int i = 0; i < 3; ++i) CHECK(pace.allow(3, std::chrono::seconds(1), start));
  CHECK_FALSE(pace.allow(3, std::chrono::seconds(1), start));
  CHECK(pace.allow(3, std::chrono::seconds(1), start + std::chrono::seconds(1)));
}

TEST_CASE("job ids") {
  const auto id = parse_job_id("add100000007000f");
  REQUIRE(id.has_value());
  CHECK(id->epoch == 0xadd1);
  CHECK(id->job == IssuedJobId{JobNumber(7), 15});
  std::string text;
  append_notify_front(text, *id);
  CHECK(text.ends_with("\"add100000007000f"));
  for (const char* bad : {"", "add100000007000", "add100000007000ff", "add100000007000g"})
    CHECK_FALSE(parse_job_id(bad).has_value());
}
