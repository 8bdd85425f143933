// SPDX-License-Identifier: MIT
// How one block is settled: weights and carries in, a record out. The treasury writes it, the audit
// derives it again.
#pragma once

#include <functional>
#include <span>

#include "adit/payout/settlement_record.h"
#include "payout/weights.h"

namespace adit {

using Balances = std::map<AccountId, Satoshi>;
/// The script of an account's address; empty where it has none.
using ScriptOf = std::function<Script(AccountId)>;
using IsPool = std::function<bool(AccountId)>;
/// Whose address a script is; 0: nobody's in the books.
using AccountOf = std::function<AccountId(const Script&)>;

/// Weights by whose they are; the pool's own apart.
struct Claims {
  WorkByAccount works;
  Uint128 pool_work = 0;
  void add(const std::vector<AccountWork>& weights, const IsPool& is_pool);
  /// What a block was settled by.
  void add(const SettlementRecord& record);
};

/// A plan of everybody with work or a balance; `balances` may hold zeros and the pool's own.
PayoutPlan assemble_plan(const PayoutTerms& terms, SliceNumber slice, std::uint64_t entry,
                         const Claims& claims, const Balances& balances, const ScriptOf& script_of,
                         const IsPool& is_pool);

/// What the coinbase paid: `outputs`, or, where they are not known, what was planned (else all to
/// the pool).
struct CoinbaseFacts {
  std::span<const TxOut> outputs;
  bool as_planned = false;
  AccountOf account_of;
  const SettlementRecord* before = nullptr;  ///< what it says was paid stands
};

/// pplns and prop. Fills shares, pool_work, pool_entitled, pool_paid and unknown_paid of `record`,
/// whose terms, plan_weight, pool_script and value are there.
void settle_plan(SettlementRecord& record, const PayoutPlan& plan, const CoinbaseFacts& facts);
/// solo; account 0: the pool's.
void settle_solo(SettlementRecord& record, AccountId finder, const Script& finder_script,
                 CoinbaseFacts facts);
/// pps and fpps.
void settle_pool(SettlementRecord& record);

}  // namespace adit
