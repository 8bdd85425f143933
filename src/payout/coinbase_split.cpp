// SPDX-License-Identifier: MIT
#include "adit/payout/coinbase_split.h"

#include <algorithm>
#include <numeric>

#include "adit/base/bytes.h"
#include "adit/base/check.h"
#include "adit/payout/split.h"

namespace adit {
namespace {

constexpr Satoshi kDust{546};
constexpr std::uint64_t kWitnessScale = 4;
constexpr std::uint64_t kValueBytes = 8;
constexpr std::uint64_t kLightestOutput = kWitnessScale * (kValueBytes + 1);

Satoshi least_output(const CoinbaseRules& rules) { return std::max(rules.threshold, kDust); }

Satoshi due(const CoinbaseClaim& claim) { return claim.entitled + claim.carry; }

/// The claims that may get an output, as indices, the first in line first.
std::vector<std::size_t> ranked(const std::vector<CoinbaseClaim>& claims,
                                const CoinbaseRules& rules) {
  const Satoshi least = least_output(rules);
  std::vector<std::size_t> order(claims.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::erase_if(order,
                [&](std::size_t i) { return due(claims[i]) < least || claims[i].script.empty(); });
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const Satoshi due_a = due(claims[a]), due_b = due(claims[b]);
    return due_a != due_b ? due_a > due_b : claims[a].script < claims[b].script;
  });
  return order;
}

/// As many of them as fit.
std::vector<std::size_t> fitting(const std::vector<std::size_t>& order,
                                 const std::vector<CoinbaseClaim>& claims, std::uint64_t left) {
  std::vector<std::size_t> in;
  for (const std::size_t i : order) {
    if (left < kLightestOutput) break;
    const std::uint64_t weight = output_weight(claims[i].script);
    if (weight > left) continue;
    left -= weight;
    in.push_back(i);
  }
  return in;
}

Satoshi magnitude(Satoshi value) { return value < Satoshi{} ? Satoshi{} - value : value; }

/// What stands in the pool's way beyond its own part of the block.
struct PoolPart {
  Satoshi due, debt;  ///< one of them is zero
};

/// What a block cannot pay since the pool has it: the largest credits of the row wait for that.
void defer_credits(Satoshi amount, const std::vector<CoinbaseClaim>& claims,
                   const std::vector<std::size_t>& in, std::vector<Satoshi>& paid) {
  std::vector<std::size_t> order(in.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return claims[in[a]].carry > claims[in[b]].carry;
  });
  for (const std::size_t k : order) {
    const Satoshi by = std::min(amount, std::max(claims[in[k]].carry, Satoshi{}));
    paid[k] -= by;
    amount -= by;
  }
}

/// What each of the row is paid; the pool's output is the rest of the value.
std::vector<Satoshi> pay_row(Satoshi value, const std::vector<CoinbaseClaim>& claims,
                             const std::vector<std::size_t>& in, const PoolPart& pool,
                             Satoshi debit_limit) {
  std::vector<Satoshi> paid;
  Satoshi sum = pool.due;
  for (const std::size_t i : in) {
    paid.push_back(due(claims[i]));
    sum += paid.back();
  }
  const Satoshi missing = std::clamp(sum - value, Satoshi{}, pool.debt);
  defer_credits(missing, claims, in, paid);
  // Those left out are owed something, which the accounts take as a debit, or owe it, and then
  // the pool's output stands in the row with everybody.
  const Satoshi rest = value - sum + missing;
  std::vector<Uint128> weights;
  for (const Satoshi amount : paid) weights.push_back(static_cast<Uint128>(amount.value()));
  if (rest < Satoshi{}) weights.push_back(static_cast<Uint128>(pool.due.value()));
  const std::vector<Satoshi> shift = split(magnitude(rest), weights);
  for (std::size_t k = 0; k < paid.size(); ++k)
    paid[k] += rest < Satoshi{} ? Satoshi{} - shift[k] : std::min(shift[k], debit_limit);
  return paid;
}

/// The row `in`, of which some may have to wait after all.
CoinbaseSplit split_among(Satoshi value, const std::vector<CoinbaseClaim>& claims,
                          std::vector<std::size_t> in, Satoshi pool_due, Satoshi least) {
  CoinbaseSplit result;
  const PoolPart pool{std::max(pool_due, Satoshi{}), std::max(Satoshi{} - pool_due, Satoshi{})};
  std::vector<Satoshi> paid;
  while (true) {
    paid = pay_row(value, claims, in, pool, least);
    // A debit of others, or a credit that waits, may push one below dust: he waits as a whole.
    const auto lowest = std::min_element(paid.rbegin(), paid.rend());
    if (lowest == paid.rend() || *lowest >= kDust) break;
    in.erase(in.begin() + (paid.rend() - lowest - 1));
  }
  result.paid.assign(claims.size(), Satoshi{});
  result.pool_paid = value;
  for (std::size_t k = 0; k < in.size(); ++k) {
    result.paid[in[k]] = paid[k];
    result.pool_paid -= paid[k];
  }
  for (std::size_t i = 0; i < claims.size(); ++i)
    result.carry.push_back(due(claims[i]) - result.paid[i]);
  result.pool_carry = pool_due - result.pool_paid;
  return result;
}

}  // namespace

std::uint64_t output_weight(const Script& script) {
  return kWitnessScale * (kValueBytes + compact_size_length(script.size()) + script.size());
}

std::vector<CoinbaseSplit> split_coinbases(Satoshi value, const std::vector<CoinbaseClaim>& claims,
                                           Satoshi pool_entitled, Satoshi pool_carry,
                                           const CoinbaseRules& rules,
                                           std::span<const std::uint64_t> weights) {
  Satoshi entitled = pool_entitled, carries = pool_carry;
  for (const CoinbaseClaim& claim : claims) {
    CHECK(claim.entitled >= Satoshi{});
    entitled += claim.entitled;
    carries += claim.carry;
  }
  CHECK(entitled == value && carries == Satoshi{});

  const Satoshi pool_due = pool_entitled + pool_carry;
  const std::vector<std::size_t> order = ranked(claims, rules);
  std::vector<CoinbaseSplit> splits;
  for (const std::uint64_t weight : weights)
    splits.push_back(
        split_among(value, claims, fitting(order, claims, weight), pool_due, least_output(rules)));
  return splits;
}

CoinbaseSplit split_coinbase(Satoshi value, const std::vector<CoinbaseClaim>& claims,
                             Satoshi pool_entitled, Satoshi pool_carry,
                             const CoinbaseRules& rules) {
  const std::uint64_t weights[] = {rules.weight};
  return split_coinbases(value, claims, pool_entitled, pool_carry, rules, weights).front();
}

}  // namespace adit
