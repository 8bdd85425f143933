// SPDX-License-Identifier: MIT
#include "payout/settle.h"

#include <algorithm>

#include "adit/base/check.h"
#include "adit/payout/split.h"

namespace adit {
namespace {

void add_checked(Uint128& sum, Uint128 more) { CHECK(!__builtin_add_overflow(sum, more, &sum)); }

struct Paid {
  std::map<AccountId, Satoshi> accounts;
  Satoshi unknown;
};

/// What is known to have been paid to others than the pool; nullopt: nothing. (Outputs that pay
/// more than there is cannot be this block's.)
std::optional<Paid> known_payments(const SettlementRecord& record, const CoinbaseFacts& facts) {
  Paid paid;
  if (facts.before != nullptr) {
    for (const PlanShare& share : facts.before->shares) paid.accounts[share.account] = share.paid;
    paid.unknown = facts.before->unknown_paid;
    return paid;
  }
  Satoshi sum;
  for (const TxOut& out : facts.outputs) {
    sum += out.value;
    if (out.script == record.pool_script || out.value == Satoshi{}) continue;
    const AccountId account = facts.account_of(out.script);
    (account == AccountId{} ? paid.unknown : paid.accounts[account]) += out.value;
  }
  if (sum > record.value || (facts.outputs.empty() && facts.as_planned)) return std::nullopt;
  return paid;
}

void set_paid(SettlementRecord& record, const CoinbaseFacts& facts) {
  if (auto paid = known_payments(record, facts)) {
    record.unknown_paid = paid->unknown;
    for (PlanShare& share : record.shares) {
      const auto at = paid->accounts.find(share.account);
      share.paid = at == paid->accounts.end() ? Satoshi{} : at->second;
      if (at != paid->accounts.end()) paid->accounts.erase(at);
    }
    for (const auto& [account, amount] : paid->accounts)
      record.shares.push_back({account, 0, Satoshi{}, Satoshi{}, amount});
    std::sort(record.shares.begin(), record.shares.end(),
              [](const PlanShare& a, const PlanShare& b) { return a.account < b.account; });
  }
  record.pool_paid = record.value - record.unknown_paid;
  for (const PlanShare& share : record.shares) record.pool_paid -= share.paid;
}

}  // namespace

void Claims::add(const std::vector<AccountWork>& weights, const IsPool& is_pool) {
  for (const AccountWork& entry : weights)
    add_checked(is_pool(entry.account) ? pool_work : works[entry.account], entry.work);
}

void Claims::add(const SettlementRecord& record) {
  for (const PlanShare& share : record.shares)
    if (share.work > 0) add_checked(works[share.account], share.work);
  add_checked(pool_work, record.pool_work);
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
  PlannedCoinbase planned =
      coinbase ? plan_coinbase(plan, record.value, record.pool_script, record.plan_weight)
               : plan_entitlements(plan, record.value);
  record.pool_work = plan.pool_work;
  record.pool_entitled = planned.pool_entitled;
  record.pool_paid = record.unknown_paid = Satoshi{};
  record.shares = std::move(planned.shares);
  if (coinbase) set_paid(record, facts);
  std::erase_if(record.shares,
                [](const PlanShare& share) { return share.work == 0 && share.paid == Satoshi{}; });
}

void settle_solo(SettlementRecord& record, AccountId finder, const Script& finder_script,
                 CoinbaseFacts facts) {
  const std::uint32_t fee = record.terms.scheme.fee_basis_points;
  const bool coinbase = record.terms.way == PayWay::Coinbase;
  settle_pool(record);
  if (finder != AccountId{}) {
    Satoshi entitled = record.value - fee_of(record.value, fee);
    if (coinbase) {
      const auto planned = solo_outputs(record.value, fee, finder_script, record.pool_script);
      entitled = planned.front().script == finder_script ? planned.front().value : Satoshi{};
    }
    record.pool_entitled -= entitled;
    record.shares = {{finder, 1, entitled, Satoshi{}, coinbase ? entitled : Satoshi{}}};
  }
  facts.as_planned = true;
  if (coinbase) set_paid(record, facts);
  std::erase_if(record.shares, [](const PlanShare& share) {
    return share.entitled == Satoshi{} && share.paid == Satoshi{};
  });
}

void settle_pool(SettlementRecord& record) {
  record.shares.clear();
  record.pool_entitled = record.value;
  record.unknown_paid = Satoshi{};
  record.pool_paid = record.terms.way == PayWay::Coinbase ? record.value : Satoshi{};
}

}  // namespace adit
