// SPDX-License-Identifier: MIT
// One audit's work: audit_weights.cpp goes from the shares to the weights, audit.cpp from the
// weights to the money.
#pragma once

#include <map>
#include <unordered_map>

#include "adit/payout/audit.h"
#include "payout/settle.h"

namespace adit {

class Audit {
 public:
  Audit(LedgerStore& store, Network network, const Script& pool_script,
        const std::optional<std::vector<TxOut>>& coinbase)
      : store_(store), network_(network), pool_script_(pool_script), coinbase_(coinbase) {}

  Result<AuditReport> run(const BlockHash& block);

 private:
  // audit_weights.cpp
  Status check_weights();
  Result<std::optional<std::vector<SliceRecord>>> counted_slices();
  Status check_round();
  void check_chain(const std::vector<SliceRecord>& slices);
  Status check_shares(const std::vector<SliceRecord>& slices);
  void check_slice(const SliceRecord& slice, const WorkByAccount& shares);

  // audit.cpp
  Status find_block(const BlockHash& hash);
  Result<bool> find_settlement();
  Status read_names();
  Status check_terms();
  Status check_money();
  Result<SettlementRecord> settle_again();
  Result<SettlementRecord> settle_solo_again();
  CoinbaseFacts coinbase_facts() const;
  void compare_shares(const SettlementRecord& expected);
  Status check_journal();
  void check_coinbase();

  void problem(std::string text);
  void note(std::string text);
  std::string name(AccountId account) const;
  bool is_pool(AccountId account) const;
  Script script_of(AccountId account) const;
  /// Each account for which the two differ: "<name>: <here> <a>, <there> <b>".
  template <class T>
  void compare(const std::map<AccountId, T>& a, const std::map<AccountId, T>& b,
               const std::string& here, const std::string& there);
  void compare_number(const std::string& who, const std::string& here, const std::string& a,
                      const std::string& there, const std::string& b);

  LedgerStore& store_;
  Network network_;
  Script pool_script_;
  std::optional<std::vector<TxOut>> coinbase_;
  AuditReport report_;
  BlockRecord block_;
  TermsHistory history_;
  std::unordered_map<AccountId, std::string> names_;
  std::map<std::string, std::pair<AccountId, UnixMillis>, std::less<>> accounts_;
  std::string pool_address_;
  std::optional<Claims> claims_;  ///< derived again; nullopt: cannot be
};

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
