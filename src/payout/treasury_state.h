// SPDX-License-Identifier: MIT
// What the treasury knows. Its functions stand in three files: treasury_open.cpp (and pricing),
// treasury_blocks.cpp, treasury.cpp.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <unordered_map>

#include "adit/payout/treasury.h"
#include "payout/live_weights.h"
#include "payout/settle.h"

namespace adit {

struct Treasury::State {
  /// A block that no settlement could be written for yet.
  struct Waiting {
    BlockRecord block;
    std::vector<TxOut> outputs;
    UnixMillis since;
  };
  /// What booked, unripe blocks brought, by account.
  struct Unripe {
    std::map<BlockHash, Balances> blocks;
    Balances sums;
    void add(const BlockHash& block, const std::vector<PlanShare>& shares);
    void remove(const BlockHash& block);
  };

  /// Plans whose jobs may still find a block.
  struct RecentPlan {
    PlanPtr plan;
    SliceNumber first;  ///< the oldest slice it counts
  };
  static constexpr std::size_t kRecentPlans = 4;

  State(Ledger& books, const TreasuryOptions& wanted, Journal money, TermsHistory past);

  // treasury_open.cpp
  Status open(UnixMillis now);
  Status start(const PayoutTerms& in_force, UnixMillis now);
  void set_pool(const Script& script);
  Status change_terms(const Script& pool_script, UnixMillis now);
  Status reconcile(UnixMillis now);
  Status price_backlog(UnixMillis now);
  Status price(const SliceRecord& slice, UnixMillis now);
  Status pay_priced(SliceNumber last, UnixMillis now);

  // treasury_blocks.cpp
  Status handle(const BlockRecord& given, std::span<const TxOut> outputs, UnixMillis now);
  Status settle_waiting(const BlockHash& hash, SliceNumber slice, UnixMillis now);
  /// `facts.as_planned`: by the block's plan.
  Status settle(const BlockRecord& block, SliceNumber slice, std::uint64_t entry,
                const CoinbaseFacts& facts, UnixMillis now);
  Status settle_shares(SettlementRecord& record, const BlockRecord& block,
                       const CoinbaseFacts& facts);
  void take_lost(const SettlementRecord& by, LedgerBatch& batch);
  Status apply(const BlockRecord& block, SettlementRecord record, UnixMillis now);
  Status book(const BlockRecord& block, SettlementRecord record, UnixMillis now);
  Status reverse(SettlementRecord record, UnixMillis now);
  Status move_to(SettlementRecord record, SettlementState state);
  Status moved(SettlementRecord record);
  Result<SettlementRecord> with_shares(SettlementRecord record);
  Result<BlockRecord> stored(const BlockRecord& block);
  std::uint64_t newest_carry() const;
  Result<Balances> balances_at(std::uint64_t entry);
  static bool joins_next_round(const SettlementRecord& record);

  // treasury.cpp
  Status write(LedgerBatch& batch);
  Status refusal() const;
  bool plans() const;
  bool planned(const BlockRecord& block) const;
  Result<RecentPlan> make_plan();
  const RecentPlan* recent_plan(SliceNumber slice, std::uint64_t entry) const;
  Claims claims_of(const Derived& derived);
  Script script_of(AccountId account);
  bool is_pool(AccountId account) const;
  ScriptOf scripts() {
    return [this](AccountId account) { return script_of(account); };
  }
  IsPool pools() const {
    return [this](AccountId account) { return is_pool(account); };
  }

  Ledger* ledger;
  TreasuryOptions options;
  Journal journal;
  TermsHistory history;
  PayoutTerms terms;  ///< in force: at open, those of the run before come first
  std::string pool_address;
  LiveWeights live;
  std::map<AccountId, MicroSatoshi> priced;
  SliceNumber priced_through;
  std::map<BlockHash, Waiting> waiting;
  Unripe unripe;
  std::map<BlockHash, SettlementRecord> lost;  ///< prop: with shares, not taken yet
  std::deque<RecentPlan> recent_plans;         ///< newest last
  bool plan_stale = true;
  std::unordered_map<AccountId, Script> script_memory;
  std::optional<Error> broken;
};

}  // namespace adit
