// SPDX-License-Identifier: MIT
#include "adit/mining/extranonce.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>

namespace adit {
namespace {

ByteVec first_eight(const ExtranoncePrefix& p) { return {p.bytes.begin(), p.bytes.begin() + 8}; }

}  // namespace

TEST_CASE("a prefix is instance, worker, boot and counter, big-endian, then zeros") {
  ExtranonceAllocator allocator({.instance = 0xab, .worker = 3, .boot = 0x1234});
  const auto first = allocator.allocate(8).value();
  CHECK(to_hex(first.view()) == "ab03123400000001");
  const auto second = allocator.allocate(12).value();
  CHECK(to_hex(second.view()) == "ab0312340000000200000000");
  CHECK(second.counter() == 2);
  CHECK(allocator.live() == 2);
}

TEST_CASE("a released prefix comes back two tips later, not before") {
  ExtranonceAllocator allocator({});
  allocator.tip_changed(TipNumber(10));
  const auto prefix = allocator.allocate(8).value();
  allocator.release(prefix, TipNumber(10));
  CHECK(allocator.live() == 0);
  CHECK(allocator.allocate(8).value() != prefix);
  allocator.tip_changed(TipNumber(11));
  CHECK(allocator.allocate(8).value() != prefix);
  allocator.tip_changed(TipNumber(12));
  CHECK(allocator.allocate(8).value() == prefix);
}

TEST_CASE("no two prefixes that are live or still creditable overlap, under random churn") {
  struct Live {
    ExtranoncePrefix prefix;
    std::uint32_t last_tip;
  };
  std::mt19937 random(7);
  ExtranonceAllocator allocator({.instance = 1, .worker = 2, .boot = 3});
  std::vector<Live> live;
  std::vector<Live> dying;
  std::set<ByteVec> taken;  // first eight bytes of live and dying ones
  std::uint32_t tip = 1;
  std::uint32_t highest = 0;
  allocator.tip_changed(TipNumber(tip));
  for (int step = 0; step < 60'000; ++step) {
    const unsigned dice = static_cast<unsigned>(random() % 100);
    if (dice < 48) {
      const auto size = static_cast<std::uint8_t>(8 + random() % 8);
      const auto prefix = allocator.allocate(size).value();
      CHECK(prefix.size == size);
      REQUIRE(taken.insert(first_eight(prefix)).second);
      highest = std::max(highest, prefix.counter());
      live.push_back({prefix, tip});
    } else if (dice < 95 && !live.empty()) {
      const std::size_t at = random() % live.size();
      // A session that got no job since may close with an older tip.
      live[at].last_tip = tip - static_cast<std::uint32_t>(random() % std::min(tip, 3u));
      allocator.release(live[at].prefix, TipNumber(live[at].last_tip));
      dying.push_back(live[at]);
      live.erase(live.begin() + static_cast<std::ptrdiff_t>(at));
    } else if (dice == 99) {
      allocator.tip_changed(TipNumber(++tip));
      std::erase_if(dying, [&](const Live& d) {
        if (tip < d.last_tip + 2) return false;
        taken.erase(first_eight(d.prefix));
        return true;
      });
    }
    CHECK(allocator.live() == live.size());
  }
  // Reuse works: far fewer counters than allocations.
  CHECK(highest < 3'000);
}

TEST_CASE("a storm of reconnects within one tip costs counters, not memory without end") {
  ExtranonceAllocator allocator({});
  allocator.tip_changed(TipNumber(1));
  const std::uint32_t rounds = ExtranonceAllocator::kFreedLimit + 100;
  for (std::uint32_t i = 1; i <= rounds; ++i) {
    const auto prefix = allocator.allocate(8).value();
    REQUIRE(prefix.counter() == i);
    allocator.release(prefix, TipNumber(1));
  }
  allocator.tip_changed(TipNumber(3));
  std::uint32_t last = 0;
  for (std::uint32_t i = 0; i < ExtranonceAllocator::kFreedLimit; ++i) {
    last = allocator.allocate(8).value().counter();
  }
  CHECK(last == ExtranonceAllocator::kFreedLimit);
  CHECK(allocator.allocate(8).value().counter() == rounds + 1);
}

}  // namespace adit
