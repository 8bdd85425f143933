// SPDX-License-Identifier: MIT
#include "adit/payout/plan.h"

#include <algorithm>

#include "adit/base/check.h"
#include "adit/payout/split.h"

namespace adit {
namespace {

constexpr Satoshi kDust{546};

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
  std::vector<CoinbaseClaim> claims;
  claims.reserve(plan.accounts.size());
  for (std::size_t i = 0; i < plan.accounts.size(); ++i)
    claims.push_back({plan.accounts[i].account, planned.shares[i].entitled, plan.accounts[i].carry,
                      plan.accounts[i].script});
  const CoinbaseSplit cut =
      split_coinbase(value, claims, planned.pool_entitled, plan.pool_carry,
                     {plan.terms.threshold, std::min(room, plan.terms.coinbase_weight)});
  planned.pool_paid = cut.pool_paid;
  if (cut.pool_paid > Satoshi{}) planned.outputs.push_back({cut.pool_paid, pool_script});
  for (std::size_t i = 0; i < claims.size(); ++i) {
    planned.shares[i].paid = cut.paid[i];
    if (cut.paid[i] > Satoshi{}) planned.outputs.push_back({cut.paid[i], claims[i].script});
  }
  return planned;
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
