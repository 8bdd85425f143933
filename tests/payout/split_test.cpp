// SPDX-License-Identifier: MIT
#include "adit/payout/split.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <random>

namespace adit {
namespace {

using Amounts = std::vector<std::int64_t>;

Amounts split_of(std::int64_t amount, const std::vector<Uint128>& weights) {
  Amounts out;
  for (const Satoshi part : split(Satoshi(amount), weights)) out.push_back(part.value());
  return out;
}

// The worked examples' block: 312,500,000 subsidy, 8,451,337 fees, 2 % of it for the pool.
constexpr std::int64_t kReward = 320'951'337;
constexpr std::int64_t kNet = 314'532'311;

/// Whether weights the other way round give the parts the other way round: all of them, unless
/// equal fractions meet where the last unit is handed out. `exactly` counts those without.
bool turned_is_same(std::int64_t amount, const std::vector<Uint128>& weights, const Amounts& parts,
                    std::size_t& exactly) {
  const Amounts turned = split_of(amount, {weights.rbegin(), weights.rend()});
  const Uint128 total = std::accumulate(weights.begin(), weights.end(), Uint128{0});
  // What is below one unit, of each: exact in the low 128 bits, since it is below the total.
  const auto fraction = [&](std::size_t i) {
    const auto all = static_cast<Uint128>(amount);
    return all * weights[i] - multiply_divide(all, weights[i], total) * total;
  };
  std::optional<Uint128> tie;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (turned[parts.size() - 1 - i] == parts[i]) continue;
    if (std::abs(turned[parts.size() - 1 - i] - parts[i]) > 1) return false;
    if (tie && *tie != fraction(i)) return false;
    tie = fraction(i);
  }
  exactly += tie ? 0 : 1;
  return true;
}

}  // namespace

TEST_CASE("the fee is rounded down") {
  CHECK(fee_of(Satoshi(kReward), 200) == Satoshi(6'419'026));
  CHECK(fee_of(Satoshi(kReward), 150) == Satoshi(4'814'270));
  CHECK(fee_of(Satoshi(kReward), 50) == Satoshi(1'604'756));
  CHECK(fee_of(Satoshi(kReward), 0) == Satoshi(0));
  CHECK(fee_of(kMaxMoney, 10'000) == kMaxMoney);
}

TEST_CASE("worked examples of the largest remainder") {
  CHECK(split_of(kNet, {3000, 1500, 500}) == Amounts{188'719'387, 94'359'693, 31'453'231});
  CHECK(split_of(kNet, {1200, 500, 300}) == Amounts{188'719'386, 78'633'078, 47'179'847});
  CHECK(split_of(kNet, {1200, 700, 300}) == Amounts{171'563'079, 100'078'462, 42'890'770});
  CHECK(split_of(kNet, {700, 400, 300}) == Amounts{157'266'155, 89'866'375, 67'399'781});
  CHECK(split_of(kNet, {3500, 3000, 1500}) == Amounts{137'607'886, 117'949'617, 58'974'808});
  CHECK(split_of(kNet, {13, 4, 3}) == Amounts{204'446'002, 62'906'462, 47'179'847});
  CHECK(split_of(kNet, {999'999'000, 1'000}) == Amounts{314'531'996, 315});
}

TEST_CASE("ties go to the earlier part; no weight, no part") {
  CHECK(split_of(2, {1, 1, 1}) == Amounts{1, 1, 0});
  CHECK(split_of(5, {0, 3, 0, 3}) == Amounts{0, 3, 0, 2});
  CHECK(split_of(100, {0, 0}) == Amounts{0, 0});
  CHECK(split_of(100, {}).empty());
  CHECK(split_of(0, {1, 2}) == Amounts{0, 0});
}

TEST_CASE("weights of the size of the network's work") {
  const Uint128 big = Uint128{1} << 126;
  CHECK(split_of(1'000'001, {big, big, big}) == Amounts{333'334, 333'334, 333'333});
  const std::vector<Uint128> parts = split(~Uint128{0} >> 1, std::vector<Uint128>{big, big, 1});
  CHECK(parts[0] + parts[1] + parts[2] == ~Uint128{0} >> 1);
}

TEST_CASE("a million random blocks: exact, monotone, symmetric") {
  std::mt19937_64 random(20'261'122);
  const auto below = [&](std::uint64_t n) { return random() % n; };
  std::vector<Uint128> weights;
  std::size_t exactly_turned = 0;
  for (int round = 0; round < 1'000'000; ++round) {
    // Mostly a few accounts, one in 5,000 times up to 10,000; sums of weights stay below 2^128.
    weights.resize(1 + (below(5'000) == 0 ? below(10'000) : below(6)));
    for (Uint128& weight : weights) weight = Uint128{random()} << below(50) >> below(64);
    const Satoshi value(static_cast<std::int64_t>(random() >> 1 >> below(64)));
    const auto fee = static_cast<std::uint32_t>(below(10'001));
    const std::int64_t amount = (value - fee_of(value, fee)).value();
    const Amounts parts = split_of(amount, weights);
    const Uint128 total = std::accumulate(weights.begin(), weights.end(), Uint128{0});
    const std::int64_t sum = std::accumulate(parts.begin(), parts.end(), std::int64_t{0});
    bool good = sum == (total == 0 ? 0 : amount) && Satoshi(amount) + fee_of(value, fee) == value &&
                amount >= 0;

    const std::size_t who = below(weights.size());
    if (round % 10 == 0) {  // more weight never gives less
      std::vector<Uint128> more = weights;
      more[who] += below(1'000'000) + 1;
      good = good && split_of(amount, more)[who] >= parts[who];
    }
    if (round % 10 == 3) {  // one account as two: a satoshi more or less
      std::vector<Uint128> two = weights;
      const Uint128 half = weights[who] / (1 + below(4));
      two[who] -= half;
      two.push_back(half);
      const Amounts apart = split_of(amount, two);
      good = good && std::abs(apart[who] + apart.back() - parts[who]) <= 1;
    }
    if (round % 10 == 5) good = good && turned_is_same(amount, weights, parts, exactly_turned);
    if (!good) REQUIRE_MESSAGE(good, "round ", round);
  }
  CHECK(exactly_turned > 50'000);
}

TEST_CASE("multiply_divide: short products and long ones are one function") {
  std::mt19937_64 random(11);
  for (int i = 0; i < 20'000; ++i) {
    const auto any = [&] { return (Uint128{random()} << 64 | random()) >> (random() % 127); };
    const Uint128 a = any(), b = any(), c = std::max(b, any()) | 1;
    bool overflow = false;
    const U256 product = multiply(U256::from_u128(a), U256::from_u128(b), overflow);
    CHECK(U256::from_u128(multiply_divide(a, b, c)) == divide(product, U256::from_u128(c)));
  }
}

}  // namespace adit
