// SPDX-License-Identifier: MIT
#include "adit/bitcoin/duplicate_filter.h"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <set>
#include <vector>

namespace adit {
namespace {

using Insert = HashSet::Insert;

BlockHash random_hash(std::mt19937_64& random) {
  BlockHash h;
  for (int i = 0; i < 4; ++i)
    store_le(h.bytes.data() + 8 * i, static_cast<std::uint64_t>(random()));
  return h;
}
BlockHash named(std::uint8_t n) {
  BlockHash h;
  h.bytes[0] = n;
  return h;
}

}  // namespace

TEST_CASE("a hash set agrees with std::set through growth") {
  std::mt19937_64 random(1);
  HashSet set(50'000);
  std::set<BlockHash> twin;
  std::vector<BlockHash> known;
  for (int i = 0; i < 40'000; ++i) {
    const bool again = !known.empty() && random() % 4 == 0;
    const BlockHash h = again ? known[random() % known.size()] : random_hash(random);
    const bool present = twin.count(h) > 0;
    REQUIRE(set.contains(h) == present);
    REQUIRE(set.insert(h) == (present ? Insert::Present : Insert::Added));
    if (twin.insert(h).second) known.push_back(h);
    REQUIRE(set.size() == twin.size());
  }
  for (const BlockHash& h : known) REQUIRE(set.contains(h));
}

TEST_CASE("hashes that fall on one slot are still told apart") {
  HashSet set(10'000);
  for (std::uint64_t i = 0; i < 2'000; ++i) {
    BlockHash h;
    store_le(h.bytes.data() + 8, i);  // low half and part equal
    REQUIRE(set.insert(h) == Insert::Added);
    REQUIRE(set.insert(h) == Insert::Present);
  }
  CHECK(set.size() == 2'000);
}

TEST_CASE("the all-zero key is a hash like others") {
  HashSet set(10);
  CHECK_FALSE(set.contains(BlockHash{}));
  CHECK(set.insert(BlockHash{}) == Insert::Added);
  CHECK(set.insert(BlockHash{}) == Insert::Present);
  CHECK(set.size() == 1);
}

TEST_CASE("a full set refuses new hashes and still knows the old ones") {
  std::mt19937_64 random(2);
  HashSet set(100);
  std::vector<BlockHash> in;
  while (in.size() < 100) {
    in.push_back(random_hash(random));
    REQUIRE(set.insert(in.back()) == Insert::Added);
  }
  const BlockHash extra = random_hash(random);
  CHECK(set.insert(extra) == Insert::Full);
  CHECK_FALSE(set.contains(extra));
  for (const BlockHash& h : in) CHECK(set.insert(h) == Insert::Present);
  set.clear();
  CHECK(set.size() == 0);
  CHECK_FALSE(set.contains(in[0]));
  CHECK(set.insert(extra) == Insert::Added);
}

TEST_CASE("a set with no room takes nothing") {
  HashSet set(0);
  CHECK(set.insert(named(1)) == Insert::Full);
  CHECK_FALSE(set.contains(named(1)));
}

TEST_CASE("the filter keeps tips apart and finds an earlier one again after a reorg") {
  DuplicateFilter filter(1'000'000);
  const BlockHash share = named(77);
  CHECK_FALSE(filter.contains(named(1), share));
  CHECK(filter.insert(named(1), share) == Insert::Added);
  CHECK(filter.insert(named(2), share) == Insert::Added);
  CHECK(filter.insert(named(1), share) == Insert::Present);
  CHECK(filter.contains(named(1), share));
  CHECK_FALSE(filter.contains(named(3), share));
  CHECK(filter.size() == 2);
}

TEST_CASE("the limit holds for each tip") {
  DuplicateFilter filter(2);
  CHECK(filter.insert(named(1), named(10)) == Insert::Added);
  CHECK(filter.insert(named(1), named(11)) == Insert::Added);
  CHECK(filter.insert(named(1), named(12)) == Insert::Full);
  CHECK(filter.insert(named(1), named(11)) == Insert::Present);
  CHECK(filter.insert(named(2), named(12)) == Insert::Added);
}

TEST_CASE("the filter remembers the last tips by use, like a list kept by hand") {
  std::mt19937_64 random(3);
  DuplicateFilter filter(1'000'000);
  std::vector<std::uint8_t> recent;  // newest last
  std::map<std::uint8_t, std::set<BlockHash>> twin;
  std::uint8_t tip = 1;
  for (int i = 0; i < 20'000; ++i) {
    if (random() % 20 == 0) tip = static_cast<std::uint8_t>(1 + random() % 7);
    std::erase(recent, tip);
    recent.push_back(tip);
    if (recent.size() > DuplicateFilter::kTips) {
      twin.erase(recent.front());
      recent.erase(recent.begin());
    }
    BlockHash h;
    store_le(h.bytes.data(), static_cast<std::uint64_t>(2 + random() % 300));
    const bool added = twin[tip].insert(h).second;
    REQUIRE(filter.insert(named(tip), h) == (added ? Insert::Added : Insert::Present));
    std::size_t total = 0;
    for (const auto& [t, hashes] : twin) total += hashes.size();
    REQUIRE(filter.size() == total);
  }
}

}  // namespace adit
