// SPDX-License-Identifier: MIT
// Who may come in: bounds in all, and of one source until it mines.
#include "app/places.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>

#include <random>
#include <thread>
#include <vector>

using namespace adit;
using Answer = Places::Answer;

namespace {

Source ipv4(const char* text) {
  sockaddr_storage storage{};
  auto& address = reinterpret_cast<sockaddr_in&>(storage);
  address.sin_family = AF_INET;
  REQUIRE(inet_pton(AF_INET, text, &address.sin_addr) == 1);
  return Source::of(storage);
}

Source ipv6(const char* text) {
  sockaddr_storage storage{};
  auto& address = reinterpret_cast<sockaddr_in6&>(storage);
  address.sin6_family = AF_INET6;
  REQUIRE(inet_pton(AF_INET6, text, &address.sin6_addr) == 1);
  return Source::of(storage);
}

}  // namespace

TEST_CASE("sources: an IPv4 address however it is written, a /64 of IPv6") {
  CHECK(ipv4("10.1.2.3") == ipv6("::ffff:10.1.2.3"));
  CHECK(!(ipv4("10.1.2.3") == ipv4("10.1.2.4")));
  CHECK(ipv6("2001:db8:1:2::1") == ipv6("2001:db8:1:2:ffff::9"));
  CHECK(!(ipv6("2001:db8:1:2::1") == ipv6("2001:db8:1:3::1")));
  CHECK(ipv4("10.1.2.3").text() == "10.1.2.3");
  CHECK(ipv6("2001:db8:1:2::1").text() == "2001:db8:1:2::/64");
}

TEST_CASE("a source that does not mine has few places; the others find theirs") {
  Places places(10, 3);
  const Source crowd = ipv4("10.0.0.1"), other = ipv4("10.0.0.2");
  for (int i = 0; i < 3; ++i) CHECK(places.enter(crowd) == Answer::Welcome);
  CHECK(places.enter(crowd) == Answer::SourceAtBoundFirst);
  CHECK(places.enter(crowd) == Answer::SourceAtBound);
  CHECK(places.enter(other) == Answer::Welcome);
  SUBCASE("one leaves, one comes") {
    places.leave(crowd);
    CHECK(places.enter(crowd) == Answer::Welcome);
    CHECK(places.enter(crowd) == Answer::SourceAtBound);
  }
  SUBCASE("once it mines, all that are left") {
    places.mines(crowd);
    for (int i = 0; i < 6; ++i) CHECK(places.enter(crowd) == Answer::Welcome);
    CHECK(places.enter(crowd) == Answer::Full);
    CHECK(places.enter(other) == Answer::Full);
    places.leave(other);
    CHECK(places.enter(crowd) == Answer::Welcome);
  }
  SUBCASE("who has left has to show it again") {
    places.mines(crowd);
    for (int i = 0; i < 3; ++i) places.leave(crowd);
    for (int i = 0; i < 3; ++i) CHECK(places.enter(crowd) == Answer::Welcome);
    CHECK(places.enter(crowd) == Answer::SourceAtBoundFirst);
  }
}

TEST_CASE("a bound of 0 is none") {
  Places places(1'000, 0);
  for (int i = 0; i < 1'000; ++i) CHECK(places.enter(ipv4("10.0.0.1")) == Answer::Welcome);
  CHECK(places.enter(ipv4("10.0.0.1")) == Answer::Full);
}

TEST_CASE("several workers share the places") {
  Places places(400, 0);
  std::atomic<int> welcome = 0;
  std::vector<std::thread> workers;
  for (int worker = 0; worker < 4; ++worker)
    workers.emplace_back([&] {
      for (int i = 0; i < 150; ++i)
        if (places.enter(ipv4("10.0.0.1")) == Answer::Welcome) ++welcome;
    });
  for (std::thread& worker : workers) worker.join();
  CHECK(welcome == 400);
}
