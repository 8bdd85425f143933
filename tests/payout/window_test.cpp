// SPDX-License-Identifier: MIT
#include "adit/payout/window.h"

#include <doctest/doctest.h>

#include <map>
#include <random>

#include "adit/payout/split.h"

namespace adit {
namespace {

constexpr std::uint32_t kA = 1, kB = 2, kC = 3;

Slice slice_of(std::vector<std::pair<std::uint32_t, std::uint64_t>> entries) {
  std::vector<AccountWork> works;
  for (const auto& [account, work] : entries) works.push_back({AccountId(account), work});
  return Slice(works);
}

std::map<std::uint32_t, std::uint64_t> weights_of(const Window& window) {
  std::map<std::uint32_t, std::uint64_t> out;
  for (const AccountWork& entry : window.weights())
    out[entry.account.value()] = static_cast<std::uint64_t>(entry.work);
  return out;
}

/// The window's definition, the slow way: from the newest slice backwards.
std::map<std::uint32_t, std::uint64_t> naive(const std::vector<Slice>& log, Uint128 size) {
  std::map<std::uint32_t, std::uint64_t> out;
  for (auto slice = log.rbegin(); slice != log.rend() && size > 0; ++slice) {
    const auto entries = slice->entries();
    std::vector<Uint128> outside(entries.size(), 0);
    if (slice->total() > size) {
      std::vector<Uint128> works;
      for (const AccountWork& entry : entries) works.push_back(entry.work);
      outside = split(slice->total() - size, works);
    }
    for (std::size_t i = 0; i < entries.size(); ++i)
      if (entries[i].work > outside[i])
        out[entries[i].account.value()] += static_cast<std::uint64_t>(entries[i].work - outside[i]);
    size -= std::min(size, slice->total());
  }
  return out;
}

}  // namespace

TEST_CASE("a slice comes back as it went in, in few bytes") {
  std::vector<AccountWork> entries;
  for (std::uint32_t i = 0; i < 10'000; ++i)
    entries.push_back({AccountId(3 * i + 1), Uint128{600'000'000'000'000} + i});
  entries.push_back({AccountId(0xffffffff), ~Uint128{0} >> 1});
  const Slice slice(entries);
  CHECK(slice.entries() == entries);
  CHECK(slice.bytes() < 10'000 * 9 + 100);
  CHECK(Slice().entries().empty());
}

TEST_CASE("the worked example: the last share counts only for the part inside") {
  Window window(2000);
  CHECK(window.short_of_work());
  for (const auto& share : {slice_of({{kC, 900}}), slice_of({{kB, 300}}), slice_of({{kA, 500}}),
                            slice_of({{kC, 300}}), slice_of({{kA, 700}}), slice_of({{kB, 400}})})
    window.add(share);
  CHECK(weights_of(window) ==
        std::map<std::uint32_t, std::uint64_t>{{kA, 1200}, {kB, 500}, {kC, 300}});
}

TEST_CASE("a log shorter than the window counts as it is") {
  Window window(2000);
  window.add(slice_of({{kC, 300}}));
  window.add(slice_of({{kA, 700}}));
  window.add(slice_of({{kB, 400}}));
  CHECK(window.short_of_work());
  CHECK(weights_of(window) ==
        std::map<std::uint32_t, std::uint64_t>{{kA, 700}, {kB, 400}, {kC, 300}});
}

TEST_CASE("the window and its naive twin agree at every step") {
  std::mt19937_64 random(7);
  for (int run = 0; run < 40; ++run) {
    std::vector<Slice> log;
    Uint128 size = 1 + random() % 5000;
    Window window(size);
    for (int step = 0; step < 200; ++step) {
      std::vector<std::pair<std::uint32_t, std::uint64_t>> entries;
      for (std::uint32_t account = 1; account <= 8; ++account)
        if (random() % 3 == 0) entries.push_back({account, 1 + random() % 200});
      log.push_back(slice_of(entries));
      window.add(log.back());
      if (random() % 20 == 0) {  // a lower difficulty
        size -= random() % (static_cast<std::uint64_t>(size) / 4 + 1);
        window.resize(size);
      }
      REQUIRE(weights_of(window) == naive(log, size));
    }
  }
}

TEST_CASE("a window of 10,000 accounts and 2,000 slices stays below 256 MiB") {
  std::vector<AccountWork> entries;
  for (std::uint32_t i = 1; i <= 10'000; ++i)
    entries.push_back({AccountId(i), Uint128{600'000'000'000'000} + i});  // 10 TH/s for a minute
  const Slice slice(entries);
  CHECK(slice.bytes() * 2'000 < 256u << 20);
}

}  // namespace adit
