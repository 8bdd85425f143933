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

constexpr std::size_t kMaxLines = 100;

bool by_weights(SchemeKind kind) { return kind == SchemeKind::Pplns || kind == SchemeKind::Prop; }

template <class Value>
std::map<AccountId, Value> column(const std::vector<PlanShare>& shares, Value PlanShare::*member) {
  std::map<AccountId, Value> out;
  for (const PlanShare& share : shares)
    if (share.*member != Value{}) out[share.account] = share.*member;
  return out;
}

}  // namespace

std::string money_text(Satoshi amount) { return std::to_string(amount.value()) + " satoshi"; }
std::string work_text(Uint128 work) { return Work(work).decimal(); }

void Audit::problem(std::string text) {
  if (report_.problems.size() < kMaxLines) report_.problems.push_back(std::move(text));
}
void Audit::note(std::string text) {
  if (report_.notes.size() < kMaxLines) report_.notes.push_back(std::move(text));
}

std::string Audit::name(AccountId account) const {
  const auto at = names_.find(account);
  return "account " + std::to_string(account.value()) +
         (at == names_.end() ? " (not in the books)" : " (" + at->second + ")");
}

bool Audit::is_pool(AccountId account) const {
  const auto at = names_.find(account);
  return !pool_address_.empty() && at != names_.end() && at->second == pool_address_;
}

Script Audit::script_of(AccountId account) const {
  const auto at = names_.find(account);
  if (at == names_.end()) return {};
  auto address = parse_address(at->second, network_);
  return address ? std::move(address->script) : Script();
}

void Audit::compare_number(const std::string& who, const std::string& here, const std::string& a,
                           const std::string& there, const std::string& b) {
  if (a != b) problem(who + ": " + here + " " + a + ", " + there + " " + b);
}

Status Audit::find_block(const BlockHash& hash) {
  const auto blocks = all_blocks(store_);
  if (!blocks) return blocks.error();
  for (const BlockRecord& block : *blocks) {
    if (block.hash != hash) continue;
    block_ = block;
    return {};
  }
  return Error{ErrorCode::NotFound, "block " + hash.hex() + " is not in the books"};
}

/// False: there is nothing (more) to compare. A row that is not what was written is a problem, and
/// is looked at all the same as far as it can be read.
Result<bool> Audit::find_settlement() {
  const std::string key = settled_block_key(block_.height, block_.hash);
  const auto value = store_.get(Family::Credits, kSettlementPrefix + key);
  if (!value) return value.error();
  if (!*value) {
    note("the block is " + std::string(block_state_name(block_.state)) + " and has no settlement");
    return false;
  }
  auto record = settlement_of(kSettlementPrefix + key, **value);
  if (!record) {
    problem(record.error().text);
    return false;
  }
  report_.settlement = *std::move(record);
  const auto rows = store_.get(Family::Credits, kSharesPrefix + key);
  if (!rows) return rows.error();
  auto shares = *rows ? decode_shares(bytes_of(**rows)) : std::nullopt;
  if (!shares) {
    problem("the settlement's shares are missing or broken");
    return false;
  }
  if (sha256(bytes_of(**rows)) != report_.settlement.shares_digest)
    problem("the settlement's shares are not those that were sealed in");
  report_.settlement.shares = *std::move(shares);
  return true;
}

Status Audit::read_names() {
  const auto totals = account_totals(store_);
  if (!totals) return totals.error();
  for (const AccountTotal& total : *totals) {
    names_[total.id] = total.address;
    accounts_[total.address] = {total.id, total.first_seen};
  }
  const Script& pool = report_.settlement.pool_script;
  pool_address_ = address_of(pool, network_).value_or("");
  if (pool != pool_script_) note("the pool had another address of its own then: " + pool_address_);
  return {};
}

Status Audit::check_terms() {
  auto history = TermsHistory::read(store_);
  if (!history) return history.error();
  history_ = *std::move(history);
  const SettlementRecord& record = report_.settlement;
  if (!history_.knows(record.terms))
    problem("the settlement's terms were never in force: " + record.terms.text());
  compare_number("the block", "its record says a value of", money_text(block_.value),
                 "its settlement", money_text(record.value));
  Satoshi entitled = record.pool_entitled, paid = record.pool_paid + record.unknown_paid;
  for (const PlanShare& share : record.shares) entitled += share.entitled, paid += share.paid;
  compare_number("the settlement", "all its parts add up to", money_text(entitled), "the value is",
                 money_text(record.value));
  const bool coinbase = record.terms.way == PayWay::Coinbase;
  compare_number("the settlement", "what the coinbase paid adds up to", money_text(paid),
                 "it must be", money_text(coinbase ? record.value : Satoshi{}));
  return {};
}

Result<SettlementRecord> Audit::settle_solo_again() {
  SettlementRecord again = report_.settlement;
  const auto found = accounts_.find(block_.account);
  AccountId finder = found == accounts_.end() ? AccountId() : found->second.first;
  if (is_pool(finder)) finder = {};
  // Who came later than the block was unknown when it was settled.
  if (report_.settlement.shares.empty() && finder != AccountId() &&
      found->second.second > block_.found) {
    note(name(finder) + " found the block, but had no share in the books then");
    finder = {};
  }
  settle_solo(again, finder, script_of(finder), coinbase_facts());
  return again;
}

CoinbaseFacts Audit::coinbase_facts() const {
  CoinbaseFacts facts;
  if (coinbase_) facts.outputs = *coinbase_;
  facts.as_planned = block_.plan_slice != 0;
  facts.account_of = [this](const Script& script) {
    const auto found = accounts_.find(address_of(script, network_).value_or(""));
    return found == accounts_.end() ? AccountId() : found->second.first;
  };
  return facts;
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
  Balances balances;
  if (record.terms.way == PayWay::Coinbase) {
    const Status s = for_each_entry(store_, 1, [&](const JournalEntry& entry) {
      if (entry.number > record.plan_entry) return false;
      const auto add = [&](const Book& book, Satoshi amount) {
        if (book.kind == BookKind::Account)
          balances[AccountId(static_cast<std::uint32_t>(book.id))] += amount;
      };
      add(entry.from, Satoshi{} - entry.amount);
      add(entry.to, entry.amount);
      return true;
    });
    if (!s) return s.error();
  }
  const PayoutPlan plan = assemble_plan(
      record.terms, SliceNumber(record.slice), record.plan_entry, claims, balances,
      [this](AccountId account) { return script_of(account); },
      [this](AccountId account) { return is_pool(account); });
  settle_plan(again, plan, coinbase_facts());
  return again;
}

void Audit::compare_shares(const SettlementRecord& expected) {
  const SettlementRecord& record = report_.settlement;
  const SchemeKind kind = record.terms.scheme.kind;
  if (claims_ && by_weights(kind)) {
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
  if (record.terms.way != PayWay::Coinbase) return;
  compare(column(record.shares, &PlanShare::carry), column(expected.shares, &PlanShare::carry),
          "its settlement says a carry of", "the journal before it says");
  // A prop round may have changed between the plan and the settlement.
  if (!coinbase_ && (kind == SchemeKind::Prop || kind == SchemeKind::Solo)) return;
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
  return check_journal();
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

/// What all entries of the block together moved, against what it was settled for.
Status Audit::check_journal() {
  const SettlementRecord& record = report_.settlement;
  const std::string ref = block_.hash.hex();
  std::map<Book, Satoshi> earned, paid;  // by who has it
  const Status s = for_each_entry(store_, record.plan_entry + 1, [&](const JournalEntry& entry) {
    if (entry.ref != ref) return true;
    for (const auto& [whose, other, amount] :
         {std::tuple{entry.to, entry.from, entry.amount},
          std::tuple{entry.from, entry.to, Satoshi{} - entry.amount}}) {
      if (other.kind == BookKind::Blocks) earned[whose] += amount;
      if (other.kind == BookKind::Coinbase) paid[whose] -= amount;
    }
    return true;
  });
  if (!s && s.error().code == ErrorCode::Io) return s;
  if (!s) problem(s.error().text);
  std::map<Book, Satoshi> should_earn, should_pay;
  if (record.state == SettlementState::Booked) {
    for (const PlanShare& share : record.shares) {
      should_earn[Book::account(share.account)] = share.entitled;
      should_pay[Book::account(share.account)] = share.paid;
    }
    should_earn[{BookKind::Pool, 0}] = record.pool_entitled;
    should_pay[{BookKind::Pool, 0}] = record.pool_paid;
    should_pay[{BookKind::Unknown, 0}] = record.unknown_paid;
  }
  const auto compare_books = [&](std::map<Book, Satoshi>& a, std::map<Book, Satoshi>& b,
                                 const std::string& what) {
    for (const auto& [book, amount] : b) a.try_emplace(book);
    for (const auto& [book, amount] : a) {
      const bool account = book.kind == BookKind::Account;
      const std::string who = account ? name(AccountId(static_cast<std::uint32_t>(book.id)))
                                      : "the book " + book.text();
      compare_number(who, "the journal says that " + what, money_text(amount), "its settlement",
                     money_text(b[book]));
    }
  };
  compare_books(earned, should_earn, "the block brought");
  compare_books(paid, should_pay, "its coinbase paid");
  return {};
}

Result<AuditReport> Audit::run(const BlockHash& block) {
  if (Status s = find_block(block); !s) return s.error();
  const auto found = find_settlement();
  if (!found) return found.error();
  if (!*found) return std::move(report_);
  if (Status s = read_names(); !s) return s.error();
  if (Status s = check_terms(); !s) return s.error();
  if (by_weights(report_.settlement.terms.scheme.kind)) {
    if (Status s = check_weights(); !s) return s.error();
  } else {
    note("this scheme divides a block by no weights");
  }
  if (Status s = check_money(); !s) return s.error();
  return std::move(report_);
}

Result<AuditReport> audit_block(LedgerStore& store, const BlockHash& block, Network network,
                                const Script& pool_script,
                                const std::optional<std::vector<TxOut>>& coinbase) {
  return Audit(store, network, pool_script, coinbase).run(block);
}

}  // namespace adit
