// SPDX-License-Identifier: MIT
// What the treasury knows. Its functions stand in four files: treasury_open.cpp (and pricing),
// treasury_blocks.cpp, treasury_booking.cpp, treasury.cpp.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <unordered_map>

#include "adit/payout/treasury.h"
#include "payout/live_weights.h"
#include "payout/settle.h"

namespace adit {

bool is_lost(BlockState state);

struct Treasury::State {
  /// A block that no settlement could be written for yet.
  struct Waiting {
    BlockRecord block;
    std::vector<TxOut> outputs;
    UnixMillis since;
    bool late(UnixMillis now) const { return now.value() - since.value() >= kShareWaitMillis; }
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

  /// A settlement divided again, and the entries that this undoes.
  struct Redone {
    SettlementRecord record;
    std::vector<JournalEntry> entries;
  };

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
  Status settle_waiting(const BlockHash& hash, UnixMillis now);
  Result<std::optional<SliceNumber>> slice_for(const Waiting& entry, UnixMillis now);
  Status settle(const Waiting& entry, SliceNumber slice, UnixMillis now);
  Status settle_shares(SettlementRecord& record, const BlockRecord& block,
                       const CoinbaseFacts& facts);
  Result<Derived> derive(const SettlementRecord& record);
  Result<AccountId> finder_of(const SettlementRecord& record, const BlockRecord& block);
  Status divide(SettlementRecord& record, const Derived& derived, const CoinbaseFacts& facts);
  Result<BlockRecord> stored(const BlockRecord& block);
  Result<Balances> balances_at(std::uint64_t entry);

  // treasury_booking.cpp
  Status apply(const BlockRecord& block, SettlementRecord record, UnixMillis now);
  Status book(const BlockRecord& block, SettlementRecord record, UnixMillis now);
  Status reverse(SettlementRecord record, UnixMillis now);
  Status drop(SettlementRecord record);
  Status changed(const SettlementRecord& record);
  Result<std::vector<Redone>> make_room(const SettlementRecord& back);
  void enter(LedgerBatch& batch, SettlementRecord& record, UnixMillis now);
  void undo(LedgerBatch& batch, const std::vector<JournalEntry>& entries, UnixMillis now);
  Result<std::vector<JournalEntry>> entries_of(const SettlementRecord& record);
  Result<SettlementRecord> with_shares(SettlementRecord record);

  // treasury.cpp
  Status write(LedgerBatch& batch);
  Status refusal() const;
  PayoutTerms promised(const BlockRecord& block) const;
  bool planned(const BlockRecord& block) const;
  Result<RecentPlan> make_plan();
  const RecentPlan* recent_plan(SliceNumber slice, std::uint64_t entry) const;
  static Claims claims_of(const Derived& derived, const IsPool& pools);
  Script script_of(AccountId account);
  AccountId account_of(const Script& script) const;
  bool is_pool(AccountId account) const;
  IsPool pools_of(const Script& pool_script) const;
  ScriptOf scripts() {
    return [this](AccountId account) { return script_of(account); };
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
  std::deque<RecentPlan> recent_plans;  ///< newest last
  bool plan_stale = true;
  std::unordered_map<AccountId, Script> script_memory;
  std::optional<Error> broken;
};

}  // namespace adit
