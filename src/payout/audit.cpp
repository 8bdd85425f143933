// SPDX-License-Identifier: MIT
// From the weights of a block to its money.
#include "adit/payout/audit.h"

#include "adit/base/check.h"
#include "adit/bitcoin/address.h"
#include "adit/ledger/reader.h"
#include "adit/payout/journal.h"
#include "payout/audit_state.h"
#include "payout/settlement_rows.h"

namespace adit {
namespace {

template <class Value>
std::map<AccountId, Value> column(const std::vector<PlanShare>& shares, Value PlanShare::*member) {
  std::map<AccountId, Value> out;
  for (const PlanShare& share : shares)
    if (share.*member != Value{}) out[share.account] = share.*member;
  return out;
}

}  // namespace

void Audit::compare_number(const std::string& who, const std::string& here, const std::string& a,
                           const std::string& there, const std::string& b) {
  if (a != b) problem(who + ": " + here + " " + a + ", " + there + " " + b);
}

Result<SettlementRecord> Audit::settle_solo_again() {
  SettlementRecord again = report_.settlement;
  const auto found = books_.accounts.find(block_.account);
  AccountId finder = found == books_.accounts.end() ? AccountId() : found->second.first;
  if (is_pool(finder)) finder = {};
  // Who came later than the block was unknown when it was settled.
  if (report_.settlement.shares.empty() && finder != AccountId() &&
      found->second.second > block_.found) {
    note(name(finder) + " found the block, but had no share in the books then");
    finder = {};
  }
  settle_solo(again, finder, books_.script_of(finder), coinbase_facts());
  return again;
}

CoinbaseFacts Audit::coinbase_facts() const {
  CoinbaseFacts facts;
  if (coinbase_) facts.outputs = *coinbase_;
  facts.as_planned = block_.plan_slice != 0;
  // A round may have changed since, and what its block paid stands.
  if (!coinbase_ && report_.settlement.terms.scheme.kind == SchemeKind::Prop)
    facts.before = &report_.settlement;
  facts.account_of = [this](const Script& script) { return books_.account_of(script); };
  return facts;
}

/// What each account was owed when the block's job was made; only coinbases ask.
Result<Balances> Audit::carries() const {
  const SettlementRecord& record = report_.settlement;
  Balances balances;
  if (record.terms.way != PayWay::Coinbase) return balances;
  if (scope_.carries != nullptr) return *scope_.carries;
  const Status s = for_each_entry(store_, 1, [&](const JournalEntry& entry) {
    if (entry.number > record.plan_entry) return false;
    count_balance(balances, entry);
    return true;
  });
  if (!s) return s.error();
  return balances;
}

/// The settlement as it must be, by the weights derived again (or its own, where those are gone).
Result<SettlementRecord> Audit::settle_again() {
  SettlementRecord again = report_.settlement;
  const SettlementRecord& record = report_.settlement;
  if (pays_slices(record.terms.scheme.kind)) {
    settle_pool(again);
    return again;
  }
  if (record.terms.scheme.kind == SchemeKind::Solo) return settle_solo_again();
  Claims claims;
  if (claims_)
    claims = *claims_;
  else
    claims.add(record);
  auto balances = carries();
  if (!balances) return balances.error();
  const PayoutPlan plan = assemble_plan(
      record.terms, SliceNumber(record.slice), record.plan_entry, claims, *balances,
      [this](AccountId account) { return books_.script_of(account); },
      [this](AccountId account) { return is_pool(account); });
  settle_plan(again, plan, coinbase_facts());
  return again;
}

void Audit::compare_shares(const SettlementRecord& expected) {
  const SettlementRecord& record = report_.settlement;
  const SchemeKind kind = record.terms.scheme.kind;
  if (claims_ || !by_weights(kind)) {
    compare(column(record.shares, &PlanShare::work), column(expected.shares, &PlanShare::work),
            "its settlement says work", "the slices add up to");
    compare_number("the pool", "its settlement says work", work_text(record.pool_work),
                   "the slices add up to", work_text(expected.pool_work));
  }
  compare(column(record.shares, &PlanShare::entitled),
          column(expected.shares, &PlanShare::entitled), "its settlement says",
          "by its work it has earned");
  compare_number("the pool", "its settlement says", money_text(record.pool_entitled),
                 "it has earned", money_text(expected.pool_entitled));
  compare(column(record.shares, &PlanShare::carry), column(expected.shares, &PlanShare::carry),
          "its settlement says a carry of", "the journal before it says");
  const bool coinbase = record.terms.way == PayWay::Coinbase;
  // A prop round may have changed between the plan and the settlement.
  if (coinbase && !coinbase_ && (kind == SchemeKind::Prop || kind == SchemeKind::Solo)) return;
  const std::string there = coinbase_ ? "the coinbase pays" : "its plan pays";
  compare(column(record.shares, &PlanShare::paid), column(expected.shares, &PlanShare::paid),
          "its settlement says it was paid", there);
  compare_number("the book unknown", "its settlement says that it was paid",
                 money_text(record.unknown_paid), there, money_text(expected.unknown_paid));
}

Status Audit::check_money() {
  auto expected = settle_again();
  if (!expected && expected.error().code == ErrorCode::Io) return expected.error();
  if (expected)
    compare_shares(*expected);
  else
    problem(expected.error().text);
  check_coinbase();
  return scope_.with_journal ? check_journal() : Status();
}

void Audit::check_coinbase() {
  const SettlementRecord& record = report_.settlement;
  if (!coinbase_) {
    note("the block's coinbase was not looked at");
    return;
  }
  Satoshi sum, others;
  for (const TxOut& out : *coinbase_) {
    sum += out.value;
    if (out.script != record.pool_script) others += out.value;
  }
  compare_number("the coinbase", "its outputs add up to", money_text(sum), "the settlement says",
                 money_text(record.value));
  if (record.terms.way != PayWay::Coinbase)
    compare_number("the coinbase", "it pays to others than the pool", money_text(others),
                   "this way of payment", money_text(Satoshi{}));
}

Result<AuditReport> Audit::run(const BlockHash& block) {
  const auto known = books_.blocks.find(block);
  if (known == books_.blocks.end())
    return Error{ErrorCode::NotFound, "block " + block.hex() + " is not in the books"};
  block_ = known->second;
  report_.settlement.block = block;
  report_.settlement.height = block_.height;
  const auto found = find_settlement();
  if (!found) return found.error();
  report_.settled = *found;
  if (!*found) {
    check_missing();
    if (scope_.with_journal)
      if (Status s = check_journal(); !s) return s.error();
    return std::move(report_);
  }
  pool_account_ = books_.account_of(report_.settlement.pool_script);
  check_terms();
  if (by_weights(report_.settlement.terms.scheme.kind)) {
    if (Status s = check_weights(); !s) return s.error();
  } else {
    note("this scheme divides a block by no weights");
  }
  if (Status s = check_slice(); !s) return s.error();
  if (Status s = check_money(); !s) return s.error();
  return std::move(report_);
}

Result<AuditReport> audit_block(LedgerStore& store, const BlockHash& block, Network network,
                                const Script& pool_script,
                                const std::optional<std::vector<TxOut>>& coinbase) {
  const auto books = AuditBooks::read(store, network);
  if (!books) return books.error();
  auto report = Audit(*books, {coinbase}).run(block);
  if (report && report->settled && report->settlement.pool_script != pool_script)
    add_line(report->notes,
             "the pool had another address of its own then: " +
                 address_of(report->settlement.pool_script, network).value_or("none"));
  return report;
}

}  // namespace adit
