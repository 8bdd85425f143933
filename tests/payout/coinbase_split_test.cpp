// SPDX-License-Identifier: MIT
#include "adit/payout/coinbase_split.h"

#include <doctest/doctest.h>

#include <map>
#include <numeric>
#include <random>

#include "adit/base/bytes.h"

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
  CHECK(s.paid == std::vector{Satoshi(314'532'311), Satoshi{}});
  CHECK(s.pool_paid == Satoshi(6'419'026));
  CHECK(s.carry == std::vector{Satoshi(-315), Satoshi(315)});
  CHECK(s.pool_carry == Satoshi{});
}

TEST_CASE("what no account may owe is in the pool's output, and the pool owes it") {
  const Satoshi value(1'000'000), fee(10'000);
  const auto one = split_coinbase(value, {claim(1, 980'000), claim(2, 10'000)}, fee, Satoshi{},
                                  {Satoshi(10'001), 124});
  CHECK(one.carry == std::vector{Satoshi(-10'000), Satoshi(10'000)});
  CHECK(one.pool_carry == Satoshi{});
  const auto limited = split_coinbase(value, {claim(1, 900'000), claim(2, 90'000)}, fee, Satoshi{},
                                      {Satoshi(600), 124});
  CHECK(limited.carry == std::vector{Satoshi(-600), Satoshi(90'000)});
  CHECK(limited.pool_carry == Satoshi(-89'400));
  const auto nobody = split_coinbase(value, {claim(1, 990'000)}, fee, Satoshi{}, {Satoshi(546), 0});
  CHECK(nobody.pool_paid == value);
  CHECK(nobody.pool_carry == Satoshi(-990'000));
}

TEST_CASE("equal dues: the smaller script bytes get the room") {
  for (const bool turned : {false, true}) {
    std::vector<CoinbaseClaim> claims = {claim(1, 500'000), claim(2, 500'000)};
    claims[0].script = p2wpkh(turned ? 0xFFu : 0xFE00u);
    claims[1].script = p2wpkh(turned ? 0xFE00u : 0xFFu);
    const auto s =
        split_coinbase(Satoshi(1'000'000), claims, Satoshi{}, Satoshi{}, {Satoshi(546), 124});
    // Bytes in memory's order: 00fe.. before ff00..
    CHECK((s.paid[turned ? 1 : 0] > Satoshi{}));
    CHECK(s.paid[turned ? 0 : 1] == Satoshi{});
  }
}

TEST_CASE("room in the coinbase, beside 668 weight units of fixed parts") {
  struct Kind {
    Bytes start;
    std::size_t size;
    std::uint64_t weight;
    std::size_t in_small, in_large;
  };
  static constexpr std::uint8_t kP2wpkh[] = {0x00, 0x14}, kP2pkh[] = {0x76, 0xa9, 0x14},
                                kP2sh[] = {0xa9, 0x14}, kP2wsh[] = {0x00, 0x20},
                                kP2tr[] = {0x51, 0x20};
  const Kind kinds[] = {{kP2wpkh, 22, 124, 59, 397},
                        {kP2pkh, 25, 136, 53, 362},
                        {kP2sh, 23, 128, 57, 385},
                        {kP2wsh, 34, 172, 42, 286},
                        {kP2tr, 34, 172, 42, 286}};
  constexpr std::uint32_t kClaims = 450;
  for (const Kind& kind : kinds) {
    std::vector<CoinbaseClaim> claims;
    Satoshi value;
    for (std::uint32_t i = 1; i <= kClaims; ++i) {
      claims.push_back(claim(i, 1'000'000 + i));
      Script& script = claims.back().script;
      script.assign(kind.start.begin(), kind.start.end());
      script.resize(kind.size, 7);
      store_le(script.data() + 4, i);
      value += claims.back().entitled;
    }
    CHECK(output_weight(claims[0].script) == kind.weight);
    for (const auto& [weight, room] :
         {std::pair{8'000u, kind.in_small}, std::pair{50'000u, kind.in_large}}) {
      const auto s =
          split_coinbase(value, claims, Satoshi{}, Satoshi{}, {Satoshi(546), weight - 668});
      std::size_t outputs = 0;
      for (std::size_t i = 0; i < claims.size(); ++i) {
        outputs += s.paid[i] > Satoshi{} ? 1 : 0;
        CHECK((s.paid[i] > Satoshi{}) == (i >= kClaims - room));  // the largest are in
      }
      CHECK(outputs == room);
      CHECK(sum_of(s.paid) + s.pool_paid == value);
    }
  }
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
