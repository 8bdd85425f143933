// SPDX-License-Identifier: MIT
// Changes to the books that keep every seal right: what somebody who can write the database could
// do.
#pragma once

#include "adit/ledger/json_fields.h"
#include "adit/payout/audit.h"
#include "bank.h"

namespace adit::test {

/// Replaces the first `from` in a sealed row and seals it again. False: it is not in it.
inline bool reseal(std::string& row, const std::string& from, const std::string& to) {
  std::string text = row.substr(0, row.rfind(",\"seal\"")) + "}";
  const std::size_t at = text.find(from);
  if (at == std::string::npos) return false;
  row = seal_json(text.replace(at, from.size(), to));
  return true;
}

/// A number of a sealed row, as `"name":N` or `"name":"N"`.
inline bool add_to_field(std::string& row, const std::string& name, std::int64_t change) {
  std::size_t at = row.find("\"" + name + "\":");
  if (at == std::string::npos) return false;
  at += name.size() + 3;
  const bool quoted = row[at] == '"';
  const std::size_t end = row.find_first_of(",}\"", at + (quoted ? 1 : 0));
  const std::string old = row.substr(at + (quoted ? 1 : 0), end - at - (quoted ? 1 : 0));
  const std::string quote = quoted ? "\"" : "";
  const std::string field = "\"" + name + "\":" + quote;
  return reseal(row, field + old, field + std::to_string(std::stoll(old) + change));
}

/// The record as somebody would write it who wants to be believed.
inline void rewrite(Bank& bank, SettlementRecord record) {
  LedgerBatch batch;
  record.put(batch, true);
  REQUIRE(bank.store.commit(batch, true).ok());
}

/// Shares and parts of other weights.
inline void divide_again(SettlementRecord& record, const std::vector<AccountWork>& weights) {
  PayoutPlan plan;
  plan.terms = record.terms;
  for (const AccountWork& w : weights) plan.accounts.push_back({w.account, w.work, {}, {}});
  const PlannedCoinbase planned = plan_entitlements(plan, record.value);
  record.shares = planned.shares;
  record.pool_entitled = planned.pool_entitled;
}
inline std::vector<AccountWork> weights_of(const SettlementRecord& record) {
  std::vector<AccountWork> weights;
  for (const PlanShare& share : record.shares) weights.push_back({share.account, share.work});
  return weights;
}

inline std::vector<std::string> audit_problems(Bank& bank, const BlockHash& block) {
  const auto report = audit_block(bank.store, block, Network::Regtest, kBankScript, {});
  REQUIRE_MESSAGE(report.ok(), (report ? "" : report.error().text));
  return report->problems;
}
inline std::vector<std::string> money_problems(Bank& bank) {
  const auto problems = verify_money(bank.store, Network::Regtest);
  REQUIRE_MESSAGE(problems.ok(), (problems ? "" : problems.error().text));
  return *problems;
}
/// Whether one of them has this text.
inline bool says(const std::vector<std::string>& problems, const std::string& text) {
  for (const std::string& problem : problems)
    if (problem.find(text) != std::string::npos) return true;
  for (const std::string& problem : problems) MESSAGE(problem);
  return false;
}

}  // namespace adit::test
