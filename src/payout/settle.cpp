// SPDX-License-Identifier: MIT
#include "payout/settle.h"

#include <algorithm>

#include "adit/base/check.h"
#include "adit/payout/split.h"

namespace adit {
namespace {

void add_checked(Uint128& sum, Uint128 more) { CHECK(!__builtin_add_overflow(sum, more, &sum)); }

/// What outputs paid to each script of `scripts`; nullopt if they pay more than there is.
std::optional<std::vector<Satoshi>> paid_to(const std::vector<Script>& scripts,
                                            std::span<const TxOut> outputs, Satoshi value) {
  std::map<Script, std::size_t> places;
  for (std::size_t i = 0; i < scripts.size(); ++i)
    if (!scripts[i].empty()) places.try_emplace(scripts[i], i);
  std::vector<Satoshi> paid(scripts.size());
  Satoshi sum;
  for (const TxOut& out : outputs) {
    const auto at = places.find(out.script);
    if (at == places.end()) continue;
    paid[at->second] += out.value;
    sum += out.value;
  }
  return sum <= value ? std::optional(paid) : std::nullopt;
}

}  // namespace

void Claims::add(const std::vector<AccountWork>& weights, const IsPool& is_pool) {
  for (const AccountWork& entry : weights)
    add_checked(is_pool(entry.account) ? pool_work : works[entry.account], entry.work);
}

void Claims::add(const SettlementRecord& lost) {
  for (const PlanShare& share : lost.shares)
    if (share.work > 0) add_checked(works[share.account], share.work);
  add_checked(pool_work, lost.pool_work);
}

PayoutPlan assemble_plan(const PayoutTerms& terms, SliceNumber slice, std::uint64_t entry,
                         const Claims& claims, const Balances& balances, const ScriptOf& script_of,
                         const IsPool& is_pool) {
  PayoutPlan plan;
  plan.slice = slice.value();
  plan.entry = entry;
  plan.terms = terms;
  plan.pool_work = claims.pool_work;
  plan.accounts.reserve(claims.works.size());
  const auto add = [&](AccountId account, Uint128 work, Satoshi carry) {
    plan.accounts.push_back({account, work, carry, script_of(account)});
    plan.pool_carry -= carry;
  };
  auto work = claims.works.begin();
  for (const auto& [account, carry] : balances) {
    if (carry == Satoshi{} || is_pool(account)) continue;
    for (; work != claims.works.end() && work->first < account; ++work)
      add(work->first, work->second, Satoshi{});
    const bool works = work != claims.works.end() && work->first == account;
    add(account, works ? work->second : 0, carry);
    if (works) ++work;
  }
  for (; work != claims.works.end(); ++work) add(work->first, work->second, Satoshi{});
  return plan;
}

void settle_plan(SettlementRecord& record, const PayoutPlan& plan, const CoinbaseFacts& facts) {
  const bool coinbase = record.terms.way == PayWay::Coinbase;
  PlannedCoinbase planned;
  if (coinbase) {
    planned = plan_coinbase(plan, record.value, record.pool_script);
    if (!facts.outputs.empty() || !facts.as_planned) {
      std::vector<Script> scripts;
      for (const PlanAccount& account : plan.accounts) scripts.push_back(account.script);
      const auto paid = paid_to(scripts, facts.outputs, record.value);
      for (std::size_t i = 0; paid && i < paid->size(); ++i) planned.shares[i].paid = (*paid)[i];
    }
  } else {
    planned = plan_entitlements(plan, record.value);
  }
  record.pool_work = plan.pool_work;
  record.pool_entitled = planned.pool_entitled;
  record.pool_paid = coinbase ? record.value : Satoshi{};
  record.shares.clear();
  for (const PlanShare& share : planned.shares) {
    if (share.work == 0 && share.paid == Satoshi{}) continue;
    record.pool_paid -= share.paid;
    record.shares.push_back(share);
  }
}

void settle_solo(SettlementRecord& record, AccountId finder, const Script& finder_script,
                 const CoinbaseFacts& facts) {
  const bool coinbase = record.terms.way == PayWay::Coinbase;
  const std::uint32_t fee = record.terms.scheme.fee_basis_points;
  settle_pool(record);
  if (finder == AccountId{}) return;
  Satoshi entitled = record.value - fee_of(record.value, fee), paid;
  if (coinbase) {
    const auto planned = solo_outputs(record.value, fee, finder_script, record.pool_script);
    entitled = planned.front().script == finder_script ? planned.front().value : Satoshi{};
    paid = entitled;
    if (!facts.outputs.empty())
      paid = paid_to({finder_script}, facts.outputs, record.value).value_or(std::vector{paid})[0];
  }
  record.pool_entitled -= entitled;
  record.pool_paid -= paid;
  if (entitled > Satoshi{} || paid > Satoshi{})
    record.shares.push_back({finder, 1, entitled, Satoshi{}, paid});
}

void settle_pool(SettlementRecord& record) {
  record.shares.clear();
  record.pool_entitled = record.value;
  record.pool_paid = record.terms.way == PayWay::Coinbase ? record.value : Satoshi{};
}

}  // namespace adit
