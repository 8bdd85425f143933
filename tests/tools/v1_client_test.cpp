// SPDX-License-Identifier: MIT
// The miner's half of Stratum V1: a job whose block is known, and what pools may say.
#include <doctest/doctest.h>

#include <algorithm>

#include "adit/bitcoin/header.h"
#include "adit/crypto/sha256.h"
#include "client/endpoint.h"
#include "v1_client/conversation.h"
#include "v1_client/lines.h"

using namespace adit;
using namespace adit::client;

namespace {

/// Block 1 of the main chain, as a pool would have given it out: the coinbase cut around its
/// extranonce (the pushed "0104" is played by extranonce1 and extranonce2).
constexpr std::string_view kCoinbase1 =
    "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff0704ffff001"
    "d";
constexpr std::string_view kCoinbase2 =
    "ffffffff0100f2052a0100000043410496b538e853519c726a2c91e61ec11600ae1390813a627c66fb8be7947be63c"
    "52da7589379515d4e0a604f8141781e62294721166bf621e73a82cbf2342c858eeac00000000";
constexpr std::string_view kBlock1 =
    "00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048";
constexpr std::string_view kGenesis =
    "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";

/// A previous hash as V1 writes it: the header's eight words, each turned round.
std::string wire_prevhash(const BlockHash& prev) {
  std::string out;
  for (std::size_t word = 0; word < 32; word += 4) {
    std::uint8_t turned[4];
    std::reverse_copy(prev.bytes.begin() + word, prev.bytes.begin() + word + 4, turned);
    out += to_hex(turned);
  }
  return out;
}

std::string notify_line(std::string_view id, std::string_view branch = "", bool clean = true) {
  return "{\"id\":null,\"method\":\"mining.notify\",\"params\":[\"" + std::string(id) + "\",\"" +
         wire_prevhash(*BlockHash::from_hex(kGenesis)) + "\",\"" + std::string(kCoinbase1) +
         "\",\"" + std::string(kCoinbase2) + "\",[" + std::string(branch) +
         "],\"00000001\",\"1d00ffff\",\"4966bc61\"," + (clean ? "true" : "false") + "]}";
}

struct Pool {
  Login login{.user = "addr.w\"1"};
  Conversation talk{login};
  simdjson::dom::parser parser;

  Event hear(const std::string& line) { return talk.hear(line, parser); }
  void log_in(const std::string& extranonce1 = "01", const std::string& size = "1") {
    CHECK(hear(R"({"id":2,"result":[[["mining.notify","x"]],")" + extranonce1 + "\"," + size +
               R"(],"error":null})")
              .what == Heard::Subscribed);
    CHECK(hear(R"({"id":3,"result":true,"error":null})").what == Heard::Authorised);
  }
};

}  // namespace

TEST_CASE("a job becomes the header of the block it was") {
  Pool pool;
  pool.log_in();
  REQUIRE(pool.hear(notify_line("j1")).what == Heard::NewWork);
  const MinerWork& work = *pool.talk.work();
  CHECK(work.job.job_id == "j1");
  CHECK(work.job.clean);
  CHECK(work.extranonce1 == ByteVec{0x01});
  CHECK(work.extranonce2_size == 1);

  const MerkleRoot root = merkle_root_of(work, ByteVec{0x04});
  CHECK(root.hex() == "0e3e2357e806b6cdb1f70b54c3a3a17b6714ee1f0e68bebb44a74b1efd512098");
  HeaderBytes header = header_of(work, root, 0xffffffff);
  store_le(header.data() + 76, std::uint32_t{2573394689});
  const BlockHash hash{sha256d_80(header.data())};
  CHECK(hash.hex() == kBlock1);
  CHECK(meets(hash, work.target));
  CHECK(scan_nonces(header, 2573394680, 20, top_word(work.target)) ==
        std::vector<std::uint32_t>{2573394689});
}

TEST_CASE("the branch is folded from the coinbase upwards") {
  Pool pool;
  pool.log_in();
  const std::string a(64, 'a'), b(64, 'b');
  REQUIRE(pool.hear(notify_line("j", "\"" + a + "\",\"" + b + "\"")).what == Heard::NewWork);
  const MinerWork& work = *pool.talk.work();
  ByteVec all = *from_hex(kCoinbase1);
  append(all, ByteVec{0x01, 0x04});
  append(all, *from_hex(kCoinbase2));
  Digest node = sha256d(all);
  for (const std::string& sibling : {a, b}) {
    ByteVec pair(node.begin(), node.end());
    append(pair, *from_hex(sibling));
    node = sha256d(pair);
  }
  CHECK(merkle_root_of(work, ByteVec{0x04}).bytes == node);
}

TEST_CASE("a difficulty holds from the next job on, fractions too") {
  Pool pool;
  pool.log_in();
  pool.hear(notify_line("j1"));
  CHECK(pool.talk.work()->target == Target::difficulty_one());
  for (const auto& [wire, meaning] : {std::pair{"0.00001", "0.00001"},
                                      {"1e-5", "0.00001"},
                                      {"1024", "1024"},
                                      {"0.5", "0.5"},
                                      {"2048.0", "2048"}}) {
    const WorkPtr before = pool.talk.work();
    CHECK(pool.hear("{\"id\":null,\"method\":\"mining.set_difficulty\",\"params\":[" +
                    std::string(wire) + "]}")
              .what == Heard::Nothing);
    CHECK(pool.talk.work() == before);
    pool.hear(notify_line("j2", "", false));
    const Difficulty wanted = *Difficulty::parse(meaning);
    CHECK(pool.talk.work()->difficulty == wanted);
    CHECK(pool.talk.work()->target == wanted.to_target());
    CHECK_FALSE(pool.talk.work()->job.clean);
  }
  CHECK(Difficulty::parse("0.5")->to_target().value() ==
        Target::difficulty_one().value() + Target::difficulty_one().value());
  for (const std::string bad : {"0", "-1", "\"8\"", "null", ""})
    CHECK(pool.hear("{\"id\":null,\"method\":\"mining.set_difficulty\",\"params\":[" + bad + "]}")
              .what == Heard::Malformed);
  CHECK(pool.talk.difficulty() == *Difficulty::parse("2048"));
}

TEST_CASE("version bits are rolled within the agreed mask only") {
  Pool pool;
  pool.hear(R"({"id":1,"result":{"version-rolling":true,"version-rolling.mask":"1fffe000"}})");
  pool.log_in();
  pool.hear(notify_line("j1"));
  const MinerWork& work = *pool.talk.work();
  REQUIRE(work.version_mask == 0x1fffe000u);
  const HeaderBytes header = header_of(work, MerkleRoot{}, 0xffffffff);
  CHECK(load_le<std::uint32_t>(header.data()) == (1u | 0x1fffe000u));
  std::string line;
  pool.talk.append_submit(line, 7, work, ByteVec{0xab}, 0x0badcafe, 0x00006001);
  CHECK(line ==
        "{\"id\":7,\"method\":\"mining.submit\",\"params\":[\"addr.w\\\"1\",\"j1\",\"ab\","
        "\"4966bc61\",\"0badcafe\",\"00006000\"]}\n");

  CHECK(pool.hear(R"({"id":null,"method":"mining.set_version_mask","params":["0000e000"]})").what ==
        Heard::Nothing);
  pool.hear(notify_line("j2"));
  CHECK(pool.talk.work()->version_mask == 0x0000e000u);
}

TEST_CASE("without version rolling a submit has five fields") {
  Pool pool;
  for (const std::string answer : {R"({"id":1,"result":{"version-rolling":false},"error":null})",
                                   R"({"id":1,"result":null,"error":[-3,"unknown method",null]})",
                                   R"({"id":1,"result":{"version-rolling":"no"},"error":null})"})
    CHECK(pool.hear(answer).what == Heard::Nothing);
  pool.log_in();
  pool.hear(notify_line("j1"));
  CHECK_FALSE(pool.talk.work()->version_mask);
  std::string line;
  pool.talk.append_submit(line, 4, *pool.talk.work(), ByteVec{0x01}, 1, 0xffffffff);
  CHECK(line.ends_with("\"00000001\"]}\n"));
}

TEST_CASE("a new extranonce holds from the next job on") {
  Pool pool;
  pool.log_in("0102", "4");
  pool.hear(notify_line("j1"));
  CHECK(pool.hear(R"({"id":null,"method":"mining.set_extranonce","params":["0a0b0c",8]})").what ==
        Heard::Nothing);
  CHECK(pool.talk.work()->extranonce2_size == 4);
  pool.hear(notify_line("j2"));
  CHECK(pool.talk.work()->extranonce1 == ByteVec{0x0a, 0x0b, 0x0c});
  CHECK(pool.talk.work()->extranonce2_size == 8);
  for (const std::string bad :
       {R"(["0a"])", R"(["0",8])", R"(["0a",0])", R"(["0a",-1])", R"(["0a",4000])", R"([1,8])"})
    CHECK(pool.hear("{\"id\":null,\"method\":\"mining.set_extranonce\",\"params\":" + bad + "}")
              .what == Heard::Malformed);
}

TEST_CASE("answers to shares, in the shapes that pools use") {
  Pool pool;
  Event event = pool.hear(R"({"id":9,"result":true,"error":null})");
  CHECK(event.what == Heard::Accepted);
  CHECK(event.id == 9);
  CHECK(pool.hear(R"({"error":null,"result":true,"id":10})").id == 10);
  for (const auto& [line, why] : {
           std::pair{R"({"id":9,"result":null,"error":[21,"stale",null]})", "stale"},
           {R"({"id":9,"result":false,"error":[23,"low",null]})", "low"},
           {R"({"id":9,"result":null,"error":{"code":21,"message":"gone"}})", "gone"},
           {R"({"id":9,"result":null,"error":"full"})", "full"},
           {R"({"id":9,"result":false,"error":null})", "no reason given"},
           {R"({"id":9,"result":true,"error":[20,"odd",null]})", "odd"},
       }) {
    event = pool.hear(line);
    CHECK(event.what == Heard::Rejected);
    CHECK(event.text == why);
  }
}

TEST_CASE("a refusal to subscribe or authorise says why") {
  Pool pool;
  Event event = pool.hear(R"({"id":2,"result":null,"error":[20,"pool is full",null]})");
  CHECK(event.what == Heard::Refused);
  CHECK(event.text == "pool is full");
  event = pool.hear(R"({"id":3,"result":false,"error":[24,"no such address",null]})");
  CHECK(event.what == Heard::Refused);
  CHECK(event.text == "no such address");
  CHECK_FALSE(pool.talk.authorised());
}

TEST_CASE("what the pool asks of a client") {
  Pool pool;
  Event event = pool.hear(R"({"id":null,"method":"client.reconnect","params":["h",3334,5]})");
  CHECK(event.what == Heard::Reconnect);
  CHECK(event.text == "h");
  CHECK(event.port == 3334);
  CHECK(event.wait_s == 5);
  event = pool.hear(R"({"id":null,"method":"client.reconnect","params":[]})");
  CHECK(event.what == Heard::Reconnect);
  CHECK(event.text.empty());
  CHECK(event.port == 0);
  event = pool.hear(R"({"id":null,"method":"client.show_message","params":["hello"]})");
  CHECK(event.what == Heard::Message);
  CHECK(event.text == "hello");
  event = pool.hear(R"({"id":"v","method":"client.get_version","params":[]})");
  CHECK(event.what == Heard::Asked);
  CHECK(event.text == "{\"id\":\"v\",\"result\":\"adit-tool/0.1\",\"error\":null}\n");
  CHECK(pool.hear(R"({"id":5,"method":"mining.ping","params":[]})").text ==
        "{\"id\":5,\"result\":\"pong\",\"error\":null}\n");
  CHECK(pool.hear(R"({"id":5,"method":"other","params":[]})").text.find("-3") != std::string::npos);
  CHECK(pool.hear(R"({"id":null,"method":"other","params":[]})").what == Heard::Nothing);
}

TEST_CASE("what cannot be read is said to be so, and changes nothing") {
  Pool pool;
  pool.log_in();
  pool.hear(notify_line("j1"));
  const WorkPtr work = pool.talk.work();
  const std::string good = notify_line("j2");
  for (const std::string& line :
       {std::string("{"), std::string("[]"), std::string("{\"id\":null}"),
        std::string("{\"id\":null,\"method\":\"mining.notify\",\"params\":[]}"),
        std::string("{\"id\":null,\"method\":\"mining.notify\"}"),
        std::string(good).replace(good.find("1d00ffff"), 8, "1d00fff"),
        std::string(good).replace(good.find("1d00ffff"), 8, "1d00fffg"),
        std::string(good).replace(good.find(",true"), 5, ",null"),
        std::string(good).replace(good.find(kCoinbase1), 2, "0")}) {
    CHECK(pool.hear(line).what == Heard::Malformed);
    CHECK(pool.talk.work() == work);
  }
  Pool early;
  CHECK(early.hear(notify_line("j1")).what == Heard::Malformed);
}

TEST_CASE("the hello is three requests, each a line of JSON") {
  Pool pool;
  LineBuffer lines;
  lines.feed(pool.talk.hello());
  for (const std::string_view method :
       {"mining.configure", "mining.subscribe", "mining.authorize"}) {
    const auto line = lines.next();
    REQUIRE(line);
    const simdjson::dom::element root = pool.parser.parse(line->data(), line->size());
    CHECK(std::string_view(root["method"]) == method);
  }
  CHECK_FALSE(lines.next());
}

TEST_CASE("lines come out whole, however the bytes arrive") {
  const std::string text = "one\ntwo\r\n\nthree\nrest";
  for (std::size_t step = 1; step <= text.size(); ++step) {
    LineBuffer lines;
    std::vector<std::string> got;
    for (std::size_t i = 0; i < text.size(); i += step) {
      lines.feed(std::string_view(text).substr(i, step));
      while (const auto line = lines.next()) got.emplace_back(*line);
    }
    CHECK(got == std::vector<std::string>{"one", "two", "", "three"});
    CHECK_FALSE(lines.empty());
  }
}

TEST_CASE("endpoints") {
  CHECK(parse_endpoint("127.0.0.1:3333")->port == 3333);
  CHECK(parse_endpoint("stratum+tcp://pool.example:25/")->host == "pool.example");
  CHECK(parse_endpoint("[::1]:3333")->host == "::1");
  CHECK(parse_endpoint("[::1]:3333")->text() == "[::1]:3333");
  for (const char* bad : {"", "host", "host:", ":1", "host:0", "host:65536", "host:1x", "::1:3333"})
    CHECK_FALSE(parse_endpoint(bad));
  CHECK(resolve({"127.0.0.9", 1})->is_loopback());
  CHECK(resolve({"::1", 1})->is_loopback());
  CHECK_FALSE(resolve({"192.0.2.1", 1})->is_loopback());
}
