// SPDX-License-Identifier: MIT
#include "adit/payout/coinbase_split.h"

#include <doctest/doctest.h>

#include <map>
#include <numeric>
#include <random>

namespace adit {
namespace {

Script p2wpkh(std::uint32_t seed) {
  Script script = {0x00, 0x14};
  for (std::uint32_t i = 0; i < 20; ++i)
    script.push_back(static_cast<std::uint8_t>(seed >> (8 * (i % 4))));
  return script;
}

CoinbaseClaim claim(std::uint32_t id, std::int64_t entitled, std::int64_t carry = 0) {
  return {AccountId(id), Satoshi(entitled), Satoshi(carry), p2wpkh(id)};
}

Satoshi sum_of(const std::vector<Satoshi>& values) {
  return std::accumulate(values.begin(), values.end(), Satoshi{});
}

}  // namespace

TEST_CASE("the worked example of dust: a debit of A, a credit of B, zero in sum") {
  const Satoshi value(320'951'337), fee(6'419'026);
  const auto s = split_coinbase(value, {claim(1, 314'531'996), claim(2, 315)}, fee, Satoshi{},
                                {Satoshi(546), 8'000});
  CHECK(s.paid[1] == Satoshi{});
  CHECK(s.carry[1] == Satoshi(315));
  CHECK(s.carry[0] + s.pool_carry == Satoshi(-315));
  CHECK(s.paid[0] + s.pool_paid == value);
}

TEST_CASE("room in the coinbase: 397 P2WPKH outputs in 50,000 weight units less the fixed part") {
  CHECK(output_weight(p2wpkh(1)) == 124);
  CHECK((8'000 - 668) / output_weight(p2wpkh(1)) == 59);
  CHECK((50'000 - 668) / output_weight(p2wpkh(1)) == 397);
  std::vector<CoinbaseClaim> claims;
  Satoshi value;
  for (std::uint32_t i = 1; i <= 100; ++i) {
    claims.push_back(claim(i, 1'000'000 + i));
    value += claims.back().entitled;
  }
  const auto s = split_coinbase(value, claims, Satoshi{}, Satoshi{}, {Satoshi(546), 59 * 124});
  std::size_t outputs = 0;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    outputs += s.paid[i] > Satoshi{} ? 1 : 0;
    CHECK((s.paid[i] > Satoshi{}) == (i >= 41));  // the largest are in
  }
  CHECK(outputs == 59);
  CHECK(sum_of(s.paid) + s.pool_paid == value);
}

TEST_CASE("a credit grows until it is worth an output, then it is paid") {
  Satoshi carry_a, carry_b, carry_pool, paid_b;
  int blocks = 0;
  for (; paid_b == Satoshi{}; ++blocks) {
    REQUIRE(blocks < 100);
    const auto s = split_coinbase(
        Satoshi(1'000'000), {claim(1, 970'000, carry_a.value()), claim(2, 20'000, carry_b.value())},
        Satoshi(10'000), carry_pool, {Satoshi(100'000), 8'000});
    carry_a = s.carry[0];
    carry_b = s.carry[1];
    carry_pool = s.pool_carry;
    paid_b = s.paid[1];
    REQUIRE(carry_a + carry_b + carry_pool == Satoshi{});
  }
  CHECK(blocks == 5);
  CHECK(paid_b == Satoshi(100'000));
}

TEST_CASE("200 random blocks: nothing is created or lost, everyone is exact within the carry") {
  std::mt19937_64 random(5);
  constexpr std::uint32_t kAccounts = 60;
  std::map<std::uint32_t, Satoshi> carry, earned, paid;
  Satoshi pool_carry, pool_earned, pool_paid;
  for (int block = 0; block < 200; ++block) {
    std::vector<CoinbaseClaim> claims;
    Satoshi value(static_cast<std::int64_t>(random() % 40'000));
    const Satoshi pool = value;
    for (std::uint32_t id = 1; id <= kAccounts; ++id) {
      const bool works = random() % 3 != 0;
      const auto entitled =
          works ? static_cast<std::int64_t>(random() % 2'000'000 >> random() % 14) : 0;
      claims.push_back(claim(id, entitled, carry[id].value()));
      value += Satoshi(entitled);
      earned[id] += Satoshi(entitled);
    }
    const auto s = split_coinbase(value, claims, pool, pool_carry, {Satoshi(20'000), 30 * 124});
    REQUIRE(sum_of(s.paid) + s.pool_paid == value);
    Satoshi carries = s.pool_carry;
    for (std::uint32_t id = 1; id <= kAccounts; ++id) {
      carry[id] = s.carry[id - 1];
      paid[id] += s.paid[id - 1];
      carries += carry[id];
      REQUIRE((s.paid[id - 1] == Satoshi{} || s.paid[id - 1] >= Satoshi(546)));
      REQUIRE(earned[id] == paid[id] + carry[id]);
    }
    REQUIRE(carries == Satoshi{});
    pool_carry = s.pool_carry;
    pool_earned += pool;
    pool_paid += s.pool_paid;
    REQUIRE(pool_earned == pool_paid + pool_carry);
  }
}

}  // namespace adit
