// SPDX-License-Identifier: MIT
// PROXY headers of both versions, whole and in every split, and what must be refused.
#include "uv/proxy_protocol.h"

#include <doctest/doctest.h>

#include <random>

namespace adit::uv {
namespace {

using State = ProxyParser::State;
using namespace std::string_literals;

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;

std::string v2(std::uint8_t command, std::uint8_t family, const std::string& body) {
  std::string out = kSignature;
  out += static_cast<char>(command);
  out += static_cast<char>(family);
  out += static_cast<char>(body.size() >> 8);
  out += static_cast<char>(body.size() & 0xff);
  return out + body;
}

std::string tlv(std::uint8_t type, const std::string& value) {
  return std::string(1, static_cast<char>(type)) + static_cast<char>(value.size() >> 8) +
         static_cast<char>(value.size() & 0xff) + value;
}

const std::string kV4Body = "\x01\x02\x03\x04\x0a\x00\x00\x01\x02\x2b\x0d\x05"s;
const std::string kV6Body = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x07" +
                            std::string(15, '\0') + "\x01" + "\xff\xff\x0d\x05";

struct Outcome {
  State state = State::NeedMore;
  std::size_t consumed = 0;
  std::string source;
  bool operator==(const Outcome&) const = default;
};

/// Feeds the pieces between the cuts, as reads would bring them.
Outcome feed(const std::string& text, const std::vector<std::size_t>& cuts = {}) {
  ProxyParser parser;
  Outcome out;
  std::size_t at = 0;
  for (std::size_t i = 0; i <= cuts.size() && out.state == State::NeedMore; ++i) {
    const std::size_t end = i < cuts.size() ? cuts[i] : text.size();
    std::size_t used = 0;
    out.state = parser.feed(bytes_of(text).subspan(at, end - at), used);
    if (out.state == State::NeedMore) CHECK(used == end - at);
    out.consumed += used;
    at = end;
  }
  out.source = parser.source();
  return out;
}

void check_all_splits(const std::string& header, const std::string& source) {
  CAPTURE(header);
  const std::string text = header + "{\"id\":1}\n";
  const Outcome want{State::Done, header.size(), source};
  CHECK(feed(text) == want);
  std::vector<std::size_t> every;
  for (std::size_t cut = 1; cut < text.size(); ++cut) {
    CHECK(feed(text, {cut}) == want);
    every.push_back(cut);
  }
  CHECK(feed(text, every) == want);
  // Every shorter beginning wants more.
  for (std::size_t length = 0; length < header.size(); ++length)
    CHECK(feed(header.substr(0, length)).state == State::NeedMore);
}

void check_invalid(const std::string& text) {
  CAPTURE(text);
  CHECK(feed(text).state == State::Invalid);
  CHECK(feed(text).source.empty());
  std::vector<std::size_t> every;
  for (std::size_t cut = 1; cut < text.size(); ++cut) every.push_back(cut);
  CHECK(feed(text, every).state == State::Invalid);
}

}  // namespace

TEST_CASE("version 1, in every split") {
  check_all_splits("PROXY TCP4 1.2.3.4 10.0.0.1 555 3333\r\n", "1.2.3.4:555");
  check_all_splits("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
                   "255.255.255.255:65535");
  check_all_splits("PROXY TCP6 2001:db8::7 ::1 0 3333\r\n", "[2001:db8::7]:0");
  check_all_splits("PROXY UNKNOWN\r\n", "");
  // The longest line there is (section 2.1): 107 bytes with its end.
  const std::string longest =
      "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n";
  CHECK(longest.size() == 107);
  check_all_splits(longest, "");
}

TEST_CASE("version 1: anything but one well-formed line is refused") {
  const std::string end = "\r\n";
  for (const char* line : {"PROXY",
                           "PROXY ",
                           "PROXY TCP4",
                           "PROXY TCP4 1.2.3.4 10.0.0.1 555",
                           "PROXY TCP4 1.2.3.4 10.0.0.1 555 3333 ",
                           "PROXY TCP4 1.2.3.4 10.0.0.1 555 3333 1",
                           "PROXY TCP4  1.2.3.4 10.0.0.1 555 3333",
                           "PROXY  TCP4 1.2.3.4 10.0.0.1 555 3333",
                           "PROXY TCP4 1.2.3.4 10.0.0.1 65536 3333",
                           "PROXY TCP4 1.2.3.4 10.0.0.1 -1 3333",
                           "PROXY TCP4 1.2.3.4 10.0.0.1 0555 3333",
                           "PROXY TCP4 1.2.3.4 10.0.0.1 5x 3333",
                           "PROXY TCP4 1.2.3.4 10.0.0.1  3333",
                           "PROXY TCP4 1.2.3 10.0.0.1 555 3333",
                           "PROXY TCP4 01.2.3.4 10.0.0.1 555 3333",
                           "PROXY TCP4 1.2.3.4 ::1 555 3333",
                           "PROXY TCP4 ::1 ::1 555 3333",
                           "PROXY TCP6 1.2.3.4 ::1 555 3333",
                           "PROXY TCP6 ::1 ::1%lo 555 3333",
                           "PROXY TCP5 1.2.3.4 10.0.0.1 555 3333",
                           "PROXY tcp4 1.2.3.4 10.0.0.1 555 3333",
                           "PROXY UNKNOWNX",
                           "PROXY UDP4 1.2.3.4 1.2.3.4 1 1"})
    check_invalid(line + end);
  check_invalid("PROXY TCP4 1.2.3.4\0x 10.0.0.1 555 3333\r\n"s);
  check_invalid("PROXY TCP4 1.2.3.4\t10.0.0.1 555 3333\r\n");
  check_invalid("proxy TCP4 1.2.3.4 10.0.0.1 555 3333\r\n");
  check_invalid(" PROXY TCP4 1.2.3.4 10.0.0.1 555 3333\r\n");
  check_invalid("{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}\n");
  check_invalid("\x16\x03\x01");
  // A line end without CR is none; the line grows past its bound.
  check_invalid("PROXY TCP4 1.2.3.4 10.0.0.1 555 3333\n" + std::string(80, 'x'));
  const std::string too_long = "PROXY UNKNOWN " + std::string(93, 'x') + "\r\n";
  CHECK(too_long.size() == 109);
  check_invalid(too_long);
  CHECK(feed("PROXY UNKNOWN " + std::string(1000, 'x')).consumed == 107);
}

TEST_CASE("two headers: the second one is not taken") {
  const std::string line = "PROXY TCP4 1.2.3.4 10.0.0.1 555 3333\r\n";
  const Outcome got = feed(line + "PROXY TCP4 6.6.6.6 10.0.0.1 555 3333\r\n");
  CHECK(got == Outcome{State::Done, line.size(), "1.2.3.4:555"});
}

TEST_CASE("version 2, in every split") {
  check_all_splits(v2(0x21, 0x11, kV4Body), "1.2.3.4:555");
  check_all_splits(v2(0x21, 0x21, kV6Body), "[2001:db8::7]:65535");
  check_all_splits(v2(0x21, 0x11, kV4Body + tlv(0x02, "pool.example") + tlv(0x04, "")),
                   "1.2.3.4:555");
  check_all_splits(v2(0x20, 0x00, ""), "");
  check_all_splits(v2(0x20, 0x11, kV4Body), "");     // LOCAL: its addresses are ignored
  check_all_splits(v2(0x20, 0x77, "anything"), "");  // and so is its family
  check_all_splits(v2(0x21, 0x00, "whatever it is"), "");
  const std::string longest = v2(0x21, 0x11, kV4Body + tlv(0x04, std::string(505, '\0')));
  CHECK(longest.size() == 536);
  CHECK(feed(longest) == Outcome{State::Done, 536, "1.2.3.4:555"});
}

TEST_CASE("version 2: bad lengths, families and commands are refused") {
  check_invalid(v2(0x21, 0x11, kV4Body.substr(0, 11)));
  check_invalid(v2(0x21, 0x11, ""));
  check_invalid(v2(0x21, 0x21, kV4Body));
  check_invalid(v2(0x22, 0x11, kV4Body));
  check_invalid(v2(0x11, 0x11, kV4Body));
  check_invalid(v2(0x01, 0x11, kV4Body));
  for (const int family : {0x01, 0x10, 0x12, 0x22, 0x31, 0x32, 0x41, 0xff})
    check_invalid(v2(0x21, static_cast<std::uint8_t>(family), std::string(216, '\x01')));
  check_invalid(v2(0x21, 0x11, kV4Body + "\x02"));
  check_invalid(v2(0x21, 0x11, kV4Body + "\x02\x01"s));
  check_invalid(v2(0x21, 0x11, kV4Body + "\x02\x00\x05lost"s));
  for (std::size_t i = 0; i < kSignature.size(); ++i) {
    std::string broken = v2(0x21, 0x11, kV4Body);
    broken[i] = static_cast<char>(broken[i] ^ 1);
    check_invalid(broken);
  }
  // A length beyond the bound is refused by the head alone, not after 64 KiB.
  const std::string head = kSignature + "\x21\x11\xff\xff"s;
  CHECK(feed(head + std::string(1000, 'x')) == Outcome{State::Invalid, 16, ""});
  CHECK(feed(kSignature + "\x21\x11\x02\x09"s).state == State::Invalid);
  CHECK(feed(kSignature + "\x21\x11\x02\x08"s).state == State::NeedMore);
}

TEST_CASE("noise never takes more than a header's bound, and always ends") {
  std::mt19937 random(11);
  const std::string starts[] = {"", "PROXY ", "PROXY TCP4 ", kSignature, kSignature + "\x21\x11"};
  for (int i = 0; i < 3000; ++i) {
    std::string text = starts[i % 5];
    while (text.size() < 600) text += static_cast<char>(random());
    const Outcome got = feed(text);
    CHECK(got.state != State::NeedMore);
    CHECK(got.consumed <= 536);
  }
}

TEST_CASE("networks") {
  const auto list = NetworkList::parse(
      {"10.0.0.0/8", "127.0.0.1", "192.168.4.0/23", "::1", "2001:db8::/33", "172.16.0.4/30"});
  REQUIRE(list.ok());
  for (const char* in : {"10.0.0.0", "10.255.255.255", "127.0.0.1", "192.168.5.255", "::1",
                         "2001:db8:7fff::1", "172.16.0.7", "::ffff:10.1.2.3"})
    CHECK_MESSAGE(list->contains(in), std::string(in));
  for (const char* out :
       {"11.0.0.0", "9.255.255.255", "127.0.0.2", "192.168.6.0", "::2", "::", "2001:db8:8000::1",
        "172.16.0.8", "::10.1.2.3", "", "10.1.2", "pool", "10.0.0.1:3333"})
    CHECK_MESSAGE(!list->contains(out), std::string(out));
  CHECK(!list->contains("10.0.0.1\0x"s));
  const auto everyone = NetworkList::parse({"0.0.0.0/0"});
  REQUIRE(everyone.ok());
  CHECK(everyone->contains("8.8.8.8"));
  CHECK(!everyone->contains("2001:db8::1"));
  CHECK(NetworkList::parse({"::/0"})->contains("8.8.8.8"));
  CHECK(NetworkList::parse({})->empty());
  CHECK(!NetworkList::parse({})->contains("127.0.0.1"));
  for (const char* bad :
       {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/8/8",
        "::/129", "10.0.0.0/4294967304", "pool.example", "10.0.0.0 /8", "[::1]"})
    CHECK_MESSAGE(!NetworkList::parse({bad}).ok(), std::string(bad));
  const auto slip = NetworkList::parse({"10.0.0.1/8"});
  REQUIRE(!slip.ok());
  CHECK(slip.error().text.find("10.0.0.1/8") != std::string::npos);
}

}  // namespace adit::uv
