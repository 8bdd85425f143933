// SPDX-License-Identifier: MIT
// Which protocol a connection speaks, by its first bytes: on V2's port and on the port of both.
#include <doctest/doctest.h>

#include "stratum/v2/foreign.h"
#include "v1_miner.h"
#include "v2_miner.h"

using namespace adit;
using namespace adit::test;
using namespace adit::v2;

namespace {

const std::string kSubscribe = R"({"id":1,"method":"mining.subscribe","params":["test/1.0"]})"
                               "\n";

/// A key whose encoding begins with these bytes: the half of it that is ours to choose does.
EllSwiftKey key_beginning_with(std::string_view beginning, v2::test::SplitMix& random) {
  return EllSwiftKey::generate([&](MutableBytes out) {
    random.fill(out);
    std::copy(beginning.begin(), beginning.end(), out.begin());
  });
}

std::string said_in_pieces(V2Pool& pool, const std::vector<std::string>& pieces) {
  const auto session = make_auto_session(pool.context, pool.job, at(0));
  std::string said;
  for (const std::string& piece : pieces) {
    session->receive(bytes_of(piece), at(0));
    std::array<Bytes, 8> parts;
    while (const std::size_t n = session->outbox().gather(parts)) {
      std::size_t size = 0;
      for (std::size_t i = 0; i < n; ++i) {
        said += text_of(parts[i]);
        size += parts[i].size();
      }
      session->outbox().consume(size);
    }
  }
  return said;
}

}  // namespace

TEST_CASE("a V1 line on the port of both, split at each byte") {
  std::string whole;
  for (std::size_t split = 0; split < kSubscribe.size(); ++split) {
    V2Pool pool;
    pool.next_tip();
    const std::string said =
        said_in_pieces(pool, {kSubscribe.substr(0, split), kSubscribe.substr(split)});
    if (whole.empty()) whole = said;
    CHECK(said == whole);
  }
  CHECK(whole.find("\"result\":[[[\"mining.set_difficulty\"") != std::string::npos);
  V2Pool pool;
  for (const std::string& form : {" \r\n\t" + kSubscribe, "{ " + kSubscribe.substr(1),
                                  kSubscribe.substr(0, kSubscribe.size() - 1) + " \r\n"})
    CHECK(said_in_pieces(pool, {form}).find("mining.set_difficulty") != std::string::npos);
}

TEST_CASE("V2 keys that look like text reach V2 on the port of both") {
  V2Pool pool;
  pool.next_tip();
  for (const std::string_view beginning :
       {"", "{", "{\"", "{\"id\":1,", "{\"id\": 1, \"method\"", " {", "\n{", "{\n", "{ab\n", "\t",
        "[", "\"", "GET / HTTP", "PROXY TCP4 ", "\x16\x03\x01"}) {
    V2Link link(pool, at(0), make_auto_session, key_beginning_with(beginning, pool.random));
    INFO(beginning);
    REQUIRE(link.shaken());
    link.send(SetupConnection{});
    CHECK(link.take().at(0).is<SetupConnectionSuccess>());
  }
}

TEST_CASE("a V2 key in any two pieces, and byte by byte") {
  v2::test::SplitMix random(5);
  for (const std::string_view beginning : {"", "{", "{\"id\":1"}) {
    const EllSwiftKey key = key_beginning_with(beginning, random);
    const Bytes hello(key.encoding.bytes);
    for (std::size_t split = 0; split < hello.size(); ++split) {
      if (guess_protocol(hello.first(split)) == Guess::V1) FAIL("V1 after " << split);
    }
    CHECK(guess_protocol(hello) == Guess::V2);
  }
}

TEST_CASE("a key that came as V2's from the port of both is not foreign on any later byte") {
  v2::test::SplitMix random(8);
  for (int i = 0; i < 20'000; ++i) {
    ByteVec hello = random.bytes(64);
    const std::string_view beginning = "{\"id\":1,\"method\"";
    std::copy(beginning.begin(), beginning.end(), hello.begin());
    bool is_v2 = false;
    for (std::size_t size = 1; size <= hello.size(); ++size) {
      const Bytes start = Bytes(hello).first(size);
      is_v2 = is_v2 || guess_protocol(start) == Guess::V2;
      if (is_v2 && foreign_protocol(start)) FAIL("foreign at " << size << " of " << to_hex(hello));
    }
  }
}

TEST_CASE("random keys that begin with a brace are hardly ever taken for V1") {
  v2::test::SplitMix random(6);
  int mistaken = 0;
  for (int i = 0; i < 100'000; ++i) {
    ByteVec hello = random.bytes(64);
    hello[0] = '{';
    const Guess guess = guess_protocol(hello);
    CHECK(guess != Guess::Unknown);
    mistaken += guess == Guess::V1 ? 1 : 0;
  }
  CHECK(mistaken < 50);  // one in 256 begins so: less than one hello in 500,000
}

TEST_CASE("what is said while nobody knows the protocol waits or ends") {
  V2Pool pool;
  for (const std::size_t size : {0u, 1u, 30u}) {
    const auto session = make_auto_session(pool.context, pool.job, at(0));
    session->receive(bytes_of(kSubscribe.substr(0, size)), at(0));
    session->publish(pool.next_tip(), at(1));
    session->expire(at(9));
    std::vector<SessionEvent> events;
    session->take_events(events);
    CHECK(events.empty());
    CHECK(session->outbox().empty());
    session->expire(at(10));
    session->take_events(events);
    REQUIRE(events.size() == 1);
    session->receive(bytes_of(kSubscribe), at(10));
    CHECK(session->outbox().empty());
  }
}

TEST_CASE("the job that came while nobody knew the protocol is the first one") {
  V2Pool pool;
  pool.next_tip();
  const auto session = make_auto_session(pool.context, pool.job, at(0));
  session->publish(pool.next_tip(), at(1));
  V2Rig rig(pool);
  CHECK(rig.open(true).prev == pool.job->block_template->prev);
}

TEST_CASE("foreign protocols on V2's port") {
  const auto is = [](std::string_view text) { return foreign_protocol(bytes_of(text)); };
  CHECK(is("{\"id\":1,\"method\"") == Foreign::StratumV1);
  CHECK(is("{\"id\":") == std::nullopt);  // too little to be sure
  CHECK(is("GET / HTTP/1.1\r\n") == Foreign::Http);
  CHECK(is("OPTIONS * HTTP/1.1") == Foreign::Http);
  CHECK(is(std::string_view("\x16\x03\x01\x00\xf0\x01\x00\x00\xec", 9)) == Foreign::Tls);
  CHECK(is("completely other text") == std::nullopt);
  v2::test::SplitMix random(7);
  for (int i = 0; i < 100'000; ++i)
    if (foreign_protocol(random.bytes(64))) FAIL("a random key is foreign");
  V2Pool pool;
  const auto session = make_session(pool.context, pool.job, at(0));
  session->receive(bytes_of(kSubscribe), at(0));
  std::vector<SessionEvent> events;
  session->take_events(events);
  REQUIRE(events.size() == 1);
  CHECK(!std::get<Close>(events[0]).flush);
  CHECK(session->outbox().empty());
}
