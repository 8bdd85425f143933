// SPDX-License-Identifier: MIT
#include "adit/payout/plan.h"

#include <algorithm>

#include "adit/base/check.h"
#include "adit/payout/split.h"

namespace adit {
namespace {

constexpr Satoshi kDust{546};

std::vector<CoinbaseSplit> splits_of(const PayoutPlan& plan, Satoshi value,
                                     const PlannedCoinbase& planned,
                                     std::span<const std::uint64_t> rooms) {
  std::vector<CoinbaseClaim> claims;
  claims.reserve(plan.accounts.size());
  for (std::size_t i = 0; i < plan.accounts.size(); ++i)
    claims.push_back({plan.accounts[i].account, planned.shares[i].entitled, plan.accounts[i].carry,
                      plan.accounts[i].script});
  std::vector<std::uint64_t> weights;
  for (const std::uint64_t room : rooms)
    weights.push_back(std::min(room, plan.terms.coinbase_weight));
  return split_coinbases(value, claims, planned.pool_entitled, plan.pool_carry,
                         {plan.terms.threshold, plan.terms.coinbase_weight}, weights);
}

std::vector<TxOut> outputs_of(const PayoutPlan& plan, const CoinbaseSplit& cut,
                              const Script& pool_script) {
  std::vector<TxOut> outputs;
  if (cut.pool_paid > Satoshi{}) outputs.push_back({cut.pool_paid, pool_script});
  for (std::size_t i = 0; i < plan.accounts.size(); ++i)
    if (cut.paid[i] > Satoshi{}) outputs.push_back({cut.paid[i], plan.accounts[i].script});
  return outputs;
}

}  // namespace

PlannedCoinbase plan_entitlements(const PayoutPlan& plan, Satoshi value) {
  // The pool's own work comes first.
  std::vector<Uint128> works{plan.pool_work};
  works.reserve(plan.accounts.size() + 1);
  for (const PlanAccount& account : plan.accounts) works.push_back(account.work);
  const Satoshi fee = fee_of(value, plan.terms.scheme.fee_basis_points);
  const std::vector<Satoshi> parts = split(value - fee, works);
  PlannedCoinbase planned;
  planned.pool_entitled = value;
  planned.shares.reserve(plan.accounts.size());
  for (std::size_t i = 0; i < plan.accounts.size(); ++i) {
    const PlanAccount& account = plan.accounts[i];
    planned.pool_entitled -= parts[i + 1];
    planned.shares.push_back(
        {account.account, account.work, parts[i + 1], account.carry, Satoshi{}});
  }
  return planned;
}

PlannedCoinbase plan_coinbase(const PayoutPlan& plan, Satoshi value, const Script& pool_script,
                              std::uint64_t room) {
  PlannedCoinbase planned = plan_entitlements(plan, value);
  const std::uint64_t rooms[] = {room};
  const CoinbaseSplit cut = splits_of(plan, value, planned, rooms).front();
  planned.pool_paid = cut.pool_paid;
  planned.outputs = outputs_of(plan, cut, pool_script);
  for (std::size_t i = 0; i < planned.shares.size(); ++i) planned.shares[i].paid = cut.paid[i];
  return planned;
}

std::vector<std::vector<TxOut>> plan_outputs(const PayoutPlan& plan, Satoshi value,
                                             const Script& pool_script,
                                             std::span<const std::uint64_t> rooms) {
  std::vector<std::vector<TxOut>> all;
  for (const CoinbaseSplit& cut : splits_of(plan, value, plan_entitlements(plan, value), rooms))
    all.push_back(outputs_of(plan, cut, pool_script));
  return all;
}

std::vector<Satoshi> left_to_wallet(const PayoutPlan& plan, Satoshi value) {
  const PlannedCoinbase planned = plan_coinbase(plan, value, {});
  std::vector<Satoshi> left;
  std::vector<std::size_t> order;
  for (const PlanShare& share : planned.shares) {
    order.push_back(left.size());
    left.push_back(share.carry - std::max(share.paid - share.entitled, Satoshi{}));
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return left[a] > left[b]; });
  Satoshi owed = std::max(Satoshi{} - plan.pool_carry, Satoshi{});
  for (const std::size_t i : order) {
    left[i] = std::clamp(left[i], Satoshi{}, owed);
    owed -= left[i];
  }
  return left;
}

std::vector<TxOut> solo_outputs(Satoshi value, std::uint32_t fee_basis_points, const Script& finder,
                                const Script& pool_script) {
  const Satoshi fee = fee_of(value, fee_basis_points);
  if (fee < kDust || finder == pool_script) return {{value, finder}};
  if (value - fee < kDust) return {{value, pool_script}};
  return {{value - fee, finder}, {fee, pool_script}};
}

}  // namespace adit
