// SPDX-License-Identifier: MIT
// PayoutPlan: what the next block would pay whom, in weights. Immutable and shared between threads:
// the ledger makes one whenever a slice closes or a carry changes, the thread that makes jobs turns
// it into coinbase outputs for each template's value.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "adit/bitcoin/transaction.h"
#include "adit/payout/coinbase_split.h"
#include "adit/payout/terms.h"

namespace adit {

struct PlanAccount {
  AccountId account;
  Uint128 work = 0;  ///< in the window; may be zero for one that only has a carry
  Satoshi carry;     ///< owed from earlier blocks; below zero: was paid ahead
  Script script;
};
struct PayoutPlan {
  std::uint64_t slice = 0;  ///< the newest one counted
  std::uint64_t entry = 0;  ///< the newest journal entry counted
  PayoutTerms terms;
  /// By rising account. Not the pool's own address: its work counts as the pool's.
  std::vector<PlanAccount> accounts;
  Uint128 pool_work = 0;
  Satoshi pool_carry;  ///< what all other carries sum to, the other way round
};
using PlanPtr = std::shared_ptr<const PayoutPlan>;

struct PlanShare {
  AccountId account;
  Uint128 work = 0;
  Satoshi entitled, carry, paid;
  bool operator==(const PlanShare&) const = default;
};
struct PlannedCoinbase {
  std::vector<TxOut> outputs;     ///< sum to the value; the pool's, when there is one, comes first
  std::vector<PlanShare> shares;  ///< of every account of the plan
  Satoshi pool_entitled, pool_paid;
};
/// Way Coinbase with pplns or prop. Without accounts all goes to the pool. Who has no script gets
/// no output and keeps a credit. CHECKs that carries sum to zero with the pool's. `room`: weight
/// units for the accounts' outputs, where the block has less than the terms allow.
PlannedCoinbase plan_coinbase(const PayoutPlan& plan, Satoshi value, const Script& pool_script,
                              std::uint64_t room = ~std::uint64_t{0});
/// The outputs alone, for each of `rooms`: most of the work is done once.
std::vector<std::vector<TxOut>> plan_outputs(const PayoutPlan& plan, Satoshi value,
                                             const Script& pool_script,
                                             std::span<const std::uint64_t> rooms);
/// Of each account's carry what is the wallet's to pay, since the pool's output took it: no more
/// than the pool owes, the largest credits first, and nothing that a block of this plan pays, if it
/// is worth no more than `value`. So a job in flight and a payment never pay the same credit.
std::vector<Satoshi> left_to_wallet(const PayoutPlan& plan, Satoshi value);
/// Who is entitled to what alone: no outputs, nothing paid. For the ways that pay later.
PlannedCoinbase plan_entitlements(const PayoutPlan& plan, Satoshi value);
/// Scheme solo: the finder's output, then the fee's to the pool. Below 546 satoshi there is no fee,
/// and the finder has all; when less than that is left for him, the pool.
std::vector<TxOut> solo_outputs(Satoshi value, std::uint32_t fee_basis_points, const Script& finder,
                                const Script& pool_script);

}  // namespace adit
