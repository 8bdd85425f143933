// SPDX-License-Identifier: MIT
// Outbox against a plain string, with sends of every size.
#include "adit/stratum/outbox.h"

#include <doctest/doctest.h>

#include <array>
#include <random>

using namespace adit;

namespace {
std::string gathered(const Outbox& outbox) {
  std::array<Bytes, 64> parts;
  std::string all;
  const std::size_t n = outbox.gather(parts);
  for (std::size_t i = 0; i < n; ++i) all += text_of(parts[i]);
  return all;
}
}  // namespace

TEST_CASE("an outbox keeps the order of own and shared bytes") {
  Outbox outbox(1000);
  const auto shared = std::make_shared<const std::string>("-shared-");
  outbox.append("one");
  outbox.append("two");
  outbox.append(shared);
  outbox.append("three");
  CHECK(outbox.size() == 19);
  CHECK(gathered(outbox) == "onetwo-shared-three");
  std::array<Bytes, 2> two;
  CHECK(outbox.gather(two) == 2);
  outbox.consume(8);
  CHECK(gathered(outbox) == "hared-three");
  outbox.consume(11);
  CHECK(outbox.empty());
  CHECK(shared.use_count() == 1);
}

TEST_CASE("more than the cap is refused whole, for good") {
  Outbox outbox(10);
  outbox.append("1234567890");
  CHECK_FALSE(outbox.overflowed());
  outbox.append("x");
  CHECK(outbox.overflowed());
  CHECK(gathered(outbox) == "1234567890");
  outbox.consume(10);
  outbox.append("y");
  CHECK(outbox.empty());
}

TEST_CASE("random appends and sends give the bytes in order") {
  std::mt19937 random(7);
  Outbox outbox(1 << 20);
  std::string sent, expected;
  for (int step = 0; step < 20'000; ++step) {
    const std::string piece(random() % 40, static_cast<char>('a' + random() % 26));
    if (random() % 2 == 0) {
      expected += piece;
      if (random() % 3 == 0)
        outbox.append(std::make_shared<const std::string>(piece));
      else
        outbox.append(piece);
    }
    if (random() % 3 == 0) {
      std::array<Bytes, 3> parts;
      const std::size_t n = outbox.gather(parts);
      std::string now;
      for (std::size_t i = 0; i < n; ++i) now += text_of(parts[i]);
      const std::size_t take = now.empty() ? 0 : random() % (now.size() + 1);
      sent += now.substr(0, take);
      outbox.consume(take);
    }
  }
  while (!outbox.empty()) {
    std::array<Bytes, 3> parts;
    const std::size_t n = outbox.gather(parts);
    std::size_t size = 0;
    for (std::size_t i = 0; i < n; ++i) {
      sent += text_of(parts[i]);
      size += parts[i].size();
    }
    outbox.consume(size);
  }
  CHECK(sent == expected);
}
