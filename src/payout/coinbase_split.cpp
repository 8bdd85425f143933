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

Satoshi least_output(const CoinbaseRules& rules) { return std::max(rules.threshold, kDust); }

Satoshi due(const CoinbaseClaim& claim) { return claim.entitled + claim.carry; }

/// The claims that get an output, as indices: above the threshold, as many as fit.
std::vector<std::size_t> chosen(const std::vector<CoinbaseClaim>& claims,
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
  std::uint64_t left = rules.weight;
  std::erase_if(order, [&](std::size_t i) {
    const std::uint64_t weight = output_weight(claims[i].script);
    if (weight > left) return true;
    left -= weight;
    return false;
  });
  return order;
}

Satoshi magnitude(Satoshi value) { return value < Satoshi{} ? Satoshi{} - value : value; }

}  // namespace

std::uint64_t output_weight(const Script& script) {
  return kWitnessScale * (kValueBytes + compact_size_length(script.size()) + script.size());
}

CoinbaseSplit split_coinbase(Satoshi value, const std::vector<CoinbaseClaim>& claims,
                             Satoshi pool_entitled, Satoshi pool_carry,
                             const CoinbaseRules& rules) {
  Satoshi entitled = pool_entitled, carries = pool_carry;
  for (const CoinbaseClaim& claim : claims) {
    CHECK(claim.entitled >= Satoshi{});
    entitled += claim.entitled;
    carries += claim.carry;
  }
  CHECK(entitled == value && carries == Satoshi{});

  CoinbaseSplit result;
  result.paid.assign(claims.size(), Satoshi{});
  const Satoshi debit_limit = least_output(rules);
  const Satoshi pool_due = std::max(pool_entitled + pool_carry, Satoshi{});
  std::vector<std::size_t> in = chosen(claims, rules);
  for (bool again = true; again;) {
    std::vector<Uint128> weights = {static_cast<Uint128>(pool_due.value())};
    Satoshi sum = pool_due;
    for (const std::size_t i : in) {
      weights.push_back(static_cast<Uint128>(due(claims[i]).value()));
      sum += due(claims[i]);
    }
    // Those left out are owed something, which the accounts take as a debit, or owe it, and then
    // the pool's output stands in the row with everybody.
    const Satoshi rest = value - sum;
    if (rest > Satoshi{}) weights[0] = 0;
    const std::vector<Satoshi> shift = split(magnitude(rest), weights);
    result.pool_paid = value;
    again = false;
    for (std::size_t k = 0; k < in.size(); ++k) {
      const Satoshi before = due(claims[in[k]]), by = shift[k + 1];
      const Satoshi paid = rest < Satoshi{} ? before - by : before + std::min(by, debit_limit);
      result.paid[in[k]] = paid;
      result.pool_paid -= paid;
    }
    // A debit of others may push the smallest below dust: it waits for the next block.
    if (!in.empty() && result.paid[in.back()] < kDust) {
      result.paid[in.back()] = Satoshi{};
      in.pop_back();
      again = true;
    }
  }
  for (std::size_t i = 0; i < claims.size(); ++i)
    result.carry.push_back(due(claims[i]) - result.paid[i]);
  result.pool_carry = pool_entitled + pool_carry - result.pool_paid;
  return result;
}

}  // namespace adit
