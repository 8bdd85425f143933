// SPDX-License-Identifier: MIT
// One audit's work: audit_origin.cpp asks what had to be settled, by which slice and terms,
// audit_weights.cpp goes from the shares to the weights, audit.cpp from the weights to the money,
// audit_journal.cpp into the books.
#pragma once

#include <map>
#include <unordered_map>

#include "adit/payout/audit.h"
#include "adit/payout/journal.h"
#include "payout/settle.h"

namespace adit {

/// At most 100.
void add_line(std::vector<std::string>& lines, std::string text);

/// What every audit needs of the books, read once.
struct AuditBooks {
  static Result<AuditBooks> read(LedgerStore& store, Network network);
  std::string name(AccountId account) const;
  Script script_of(AccountId account) const;
  /// 0: nobody with this address has a share in the books.
  AccountId account_of(const Script& script) const;

  LedgerStore& store;
  Network network;
  TermsHistory history;
  std::map<BlockHash, BlockRecord> blocks;
  std::unordered_map<AccountId, std::string> names;
  std::map<std::string, std::pair<AccountId, UnixMillis>, std::less<>> accounts;
  std::vector<SettlementRecord> settlements;  ///< without shares
  std::vector<std::string> broken;            ///< what cannot be read of them
  SliceNumber oldest, newest;                 ///< slices on disk
  UnixMillis newest_opened;                   ///< when the first share of the newest slice came
};

/// What an audit is given, and what it need not do.
struct AuditScope {
  std::optional<std::vector<TxOut>> coinbase;
  bool with_shares = true;            ///< slices against shares
  const Balances* carries = nullptr;  ///< of the block's plan; null: from the journal
  bool with_journal = true;
};

class Audit {
 public:
  Audit(const AuditBooks& books, AuditScope scope)
      : books_(books),
        store_(books.store),
        history_(books.history),
        coinbase_(std::move(scope.coinbase)),
        scope_(std::move(scope)) {}

  Result<AuditReport> run(const BlockHash& block);

 private:
  // audit_origin.cpp
  Result<bool> find_settlement();
  void check_missing();
  void check_terms();
  Status check_slice();
  Result<std::vector<SliceNumber>> possible_slices();

  // audit_weights.cpp
  Status check_weights();
  Result<std::optional<std::vector<SliceRecord>>> counted_slices();
  void check_round();
  Status check_chain(const std::vector<SliceRecord>& slices);
  Status check_shares(const std::vector<SliceRecord>& slices);
  void check_slice(const SliceRecord& slice, const WorkByAccount& shares);

  // audit.cpp
  Status check_money();
  Result<Balances> carries() const;
  Result<SettlementRecord> settle_again();
  Result<SettlementRecord> settle_solo_again();
  CoinbaseFacts coinbase_facts() const;
  void compare_shares(const SettlementRecord& expected);
  void check_coinbase();

  // audit_journal.cpp
  Status check_journal();

  void problem(std::string text) { add_line(report_.problems, std::move(text)); }
  void note(std::string text) { add_line(report_.notes, std::move(text)); }
  std::string name(AccountId account) const { return books_.name(account); }
  bool is_pool(AccountId account) const {
    return account == pool_account_ && account != AccountId();
  }
  /// Each account for which the two differ: "<name>: <here> <a>, <there> <b>".
  template <class T>
  void compare(const std::map<AccountId, T>& a, const std::map<AccountId, T>& b,
               const std::string& here, const std::string& there);
  void compare_number(const std::string& who, const std::string& here, const std::string& a,
                      const std::string& there, const std::string& b);

  const AuditBooks& books_;
  LedgerStore& store_;
  const TermsHistory& history_;
  std::optional<std::vector<TxOut>> coinbase_;
  AuditScope scope_;
  AuditReport report_;
  BlockRecord block_;
  AccountId pool_account_;        ///< whose work is the pool's
  std::optional<Claims> claims_;  ///< derived again; nullopt: cannot be
};

void count_balance(Balances& balances, const JournalEntry& entry);

/// What a block moved by the journal, by who has it.
struct BlockMoney {
  std::map<Book, Satoshi> earned, paid;
  void count(const JournalEntry& entry, bool backwards = false);
  /// What a booking of this settlement moves.
  static BlockMoney of(const SettlementRecord& record);
};
/// Each book for which the two differ.
void compare_block_money(const AuditBooks& books, BlockMoney journal, BlockMoney settlement,
                         std::vector<std::string>& problems);

Result<SliceAudit> audit_slices(const AuditBooks& books, SliceNumber first, SliceNumber last);

bool by_weights(SchemeKind kind);
std::string slice_name(SliceNumber number);
std::string money_text(Satoshi amount);
std::string work_text(Uint128 work);
inline std::string value_text(Satoshi amount) { return money_text(amount); }
inline std::string value_text(Uint128 work) { return work_text(work); }

template <class T>
void Audit::compare(const std::map<AccountId, T>& a, const std::map<AccountId, T>& b,
                    const std::string& here, const std::string& there) {
  auto x = a.begin();
  auto y = b.begin();
  while (x != a.end() || y != b.end()) {
    const bool left = y == b.end() || (x != a.end() && x->first <= y->first);
    const bool right = x == a.end() || (y != b.end() && y->first <= x->first);
    const AccountId account = left ? x->first : y->first;
    const T of_a = left ? (x++)->second : T{}, of_b = right ? (y++)->second : T{};
    if (of_a != of_b)
      compare_number(name(account), here, value_text(of_a), there, value_text(of_b));
  }
}

}  // namespace adit
