// SPDX-License-Identifier: MIT
#include "adit/payout/window.h"

#include <map>
#include <random>

#include "adit/payout/split.h"
#include "bank.h"

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

/// The work of account 1 in a window, or its part of an amount.
Uint128 part_of_first(const Window& window, std::int64_t amount) {
  std::vector<Uint128> works;
  const auto weights = window.weights();
  for (const AccountWork& entry : weights) works.push_back(entry.work);
  if (weights.empty() || weights[0].account != AccountId(1)) return 0;
  return amount == 0 ? works[0] : split(static_cast<Uint128>(amount), works)[0];
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

TEST_CASE("the worked example by other pools' rules, as windows of this one") {
  const std::int64_t net = 314'532'311;
  const auto pays = [&](const Window& window) {
    std::vector<Uint128> works;
    for (const AccountWork& entry : window.weights()) works.push_back(entry.work);
    std::vector<std::int64_t> out;
    for (const Satoshi part : split(Satoshi(net), works)) out.push_back(part.value());
    return out;
  };
  const auto log_into = [](Window& window, const std::vector<Slice>& log) {
    for (const Slice& slice : log) window.add(slice);
  };
  // Whole last share: a window that ends where the share does.
  Window whole(2200);
  log_into(whole, {slice_of({{kC, 900}}), slice_of({{kB, 300}}), slice_of({{kA, 500}}),
                   slice_of({{kC, 300}}), slice_of({{kA, 700}}), slice_of({{kB, 400}})});
  CHECK(pays(whole) == std::vector<std::int64_t>{171'563'079, 100'078'462, 42'890'770});
  // Scores by the difficulty of each share's own time, in thousandths: the first three at 1000, the
  // older ones at 800.
  Window scores(2000);
  log_into(scores, {slice_of({{kB, 375}}), slice_of({{kA, 625}}), slice_of({{kC, 300}}),
                    slice_of({{kA, 700}}), slice_of({{kB, 400}})});
  CHECK(weights_of(scores) ==
        std::map<std::uint32_t, std::uint64_t>{{kA, 1300}, {kB, 400}, {kC, 300}});
  CHECK(pays(scores) == std::vector<std::int64_t>{204'446'002, 62'906'462, 47'179'847});
  // A short log. A fixed divisor would keep 94,359,695 back; here nothing is.
  Window short_log(2000);
  log_into(short_log, {slice_of({{kC, 300}}), slice_of({{kA, 700}}), slice_of({{kB, 400}})});
  CHECK(pays(short_log) == std::vector<std::int64_t>{157'266'155, 89'866'375, 67'399'781});
  std::int64_t kept = net;
  for (const auto& [account, work] : weights_of(short_log))
    kept -= net * static_cast<std::int64_t>(work) / 2000;
  CHECK(kept == 94'359'695);
}

TEST_CASE("a share is paid `factor` times on average, and pays its part of a block's work") {
  constexpr std::uint64_t kDifficulty = 50, kShares = 200'000;
  constexpr std::int64_t kNet = 1'000'000;
  std::mt19937_64 random(2);
  std::vector<bool> wins(kShares);
  for (std::uint64_t n = 0; n < kShares; ++n) wins[n] = random() % kDifficulty == 0;
  std::vector<double> spread;
  for (const std::uint64_t factor : {1, 2, 8}) {
    Window window(factor * kDifficulty);
    std::vector<std::int64_t> times(kShares), money(kShares);
    for (std::uint32_t n = 0; n < kShares; ++n) {
      window.add(slice_of({{n + 1, 1}}));  // everybody has one share
      if (!wins[n]) continue;
      std::vector<Uint128> works;
      const auto weights = window.weights();
      for (const AccountWork& entry : weights) works.push_back(entry.work);
      const auto parts = split(Satoshi(kNet), works);
      for (std::size_t i = 0; i < weights.size(); ++i) {
        ++times[weights[i].account.value() - 1];
        money[weights[i].account.value() - 1] += parts[i].value();
      }
    }
    // Of those that have had their whole time in the window, and came when it was full.
    double paid = 0, earned = 0, square = 0;
    const std::size_t from = factor * kDifficulty, to = kShares - from;
    for (std::size_t n = from; n < to; ++n) {
      paid += static_cast<double>(times[n]);
      earned += static_cast<double>(money[n]);
      square += static_cast<double>(money[n]) * static_cast<double>(money[n]);
    }
    const auto count = static_cast<double>(to - from);
    CHECK(paid / count == doctest::Approx(static_cast<double>(factor)).epsilon(0.03));
    CHECK(earned / count == doctest::Approx(1.0 * kNet / kDifficulty).epsilon(0.03));
    const double mean = earned / count;
    spread.push_back(square / count - mean * mean);
  }
  CHECK(spread[1] < 0.6 * spread[0]);  // a half, and an eighth
  CHECK(spread[2] < 0.16 * spread[0]);
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

TEST_CASE("more work in the window never lowers an account's work in it, or its part of a block") {
  std::mt19937_64 random(24);
  for (const std::uint64_t unit : {1ull, 1ull << 32}) {
    for (int run = 0; run < 50'000; ++run) {
      const Uint128 size = unit * (1 + random() % 3'000);
      const std::uint64_t slices = 1 + random() % 8, changed = random() % slices;
      Window before(size), after(size);
      for (std::uint64_t n = 0; n < slices; ++n) {
        std::vector<AccountWork> entries;
        for (std::uint32_t account = 1; account <= 6; ++account)
          if (account == 1 || random() % 3 != 0)
            entries.push_back({AccountId(account), 1 + random() % (200 * unit)});
        before.add(Slice(entries));
        if (n == changed) entries[0].work += 1 + random() % (run % 2 == 0 ? 3 : 100 * unit);
        after.add(Slice(entries));
      }
      REQUIRE(part_of_first(after, 0) >= part_of_first(before, 0));
      // What the cut takes from others may turn a fraction of theirs into a satoshi of his.
      constexpr std::int64_t kNet = 314'532'311;
      REQUIRE(part_of_first(after, kNet) + 1 >= part_of_first(before, kNet));
    }
  }
}

TEST_CASE("a window that grows takes the older slices back, one by one") {
  std::mt19937_64 random(10);
  std::vector<Slice> log;
  Uint128 size = 2'000;
  Window window(size);
  std::size_t kept_from = 0;
  for (int step = 0; step < 2'000; ++step) {
    std::vector<std::pair<std::uint32_t, std::uint64_t>> entries;
    for (std::uint32_t account = 1; account <= 8; ++account)
      if (account == 1 || random() % 3 == 0) entries.push_back({account, 1 + random() % 200});
    log.push_back(slice_of(entries));
    if (random() % 7 == 0) size = 1 + random() % 9'000;
    window.resize(size);
    window.add(log.back());
    kept_from = log.size() - window.slices();
    while (window.short_of_work() && kept_from > 0) window.add_front(log[--kept_from]);
    REQUIRE(weights_of(window) == naive(log, size));
  }
}

TEST_CASE("a rise of the difficulty reads the slices that are wanted again, and no others") {
  test::Bank bank("pplns factor=2 fee=0 way=wallet threshold=546 weight=8000");
  bank.facts.work = 10'000;
  bank.must_open();
  const auto reads_of_a_slice = [&](std::uint64_t number) {
    const int before = bank.store.reads;
    test::mine(bank, number, {{1 + static_cast<std::uint32_t>(number % 3), 100}});
    return bank.store.reads - before;
  };
  int usual = 0;
  for (std::uint64_t number = 1; number <= 300; ++number) usual = reads_of_a_slice(number);
  bank.facts.work = 10'500;
  bank.ledger->set_network(bank.facts);
  CHECK(reads_of_a_slice(301) <= usual + 2 + 10);  // two hundred are there, ten more are wanted
  CHECK(reads_of_a_slice(302) == usual);
  const BlockRecord block = bank.find_block(1, 303, 100, Satoshi(1'000'000), 100);
  const SettlementRecord record = bank.settlement(block);
  CHECK(record.slice - record.first_slice + 1 == 210);
  const auto weights = weights_at(bank.store, SliceNumber(record.slice), bank.options.terms);
  REQUIRE(weights.ok());
  REQUIRE(weights->size() == record.shares.size());
  for (std::size_t i = 0; i < weights->size(); ++i)
    CHECK((*weights)[i] == AccountWork{record.shares[i].account, record.shares[i].work});
}

TEST_CASE("new terms read the window once, at the start") {
  test::Bank bank("pplns factor=2 fee=0 way=wallet threshold=546 weight=8000");
  bank.facts.work = 10'000;
  bank.must_open();
  for (std::uint64_t number = 1; number <= 300; ++number) test::mine(bank, number, {{1, 100}});
  const auto reads_of_a_start = [&] {
    const int before = bank.store.reads;
    bank.must_open();
    return bank.store.reads - before;
  };
  const int usual = reads_of_a_start();
  CHECK(usual > 200);
  bank.options.terms =
      test::terms_of("pplns factor=2 fee=100 way=wallet threshold=546 weight=8000");
  CHECK(reads_of_a_start() < usual + 100);
}

TEST_CASE("a window of 10,000 accounts and 2,000 slices stays below 256 MiB") {
  std::vector<AccountWork> entries;
  for (std::uint32_t i = 1; i <= 10'000; ++i)
    entries.push_back({AccountId(i), Uint128{600'000'000'000'000} + i});  // 10 TH/s for a minute
  const Slice slice(entries);
  Window window(~Uint128{0});
  for (int i = 0; i < 2'000; ++i) window.add(slice);
  CHECK(window.weights()[9'999].work == 2'000 * entries[9'999].work);
  CHECK(window.bytes() > 2'000 * 10'000 * 7);
  CHECK(window.bytes() < 256u << 20);
}

}  // namespace adit
