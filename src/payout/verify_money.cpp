// SPDX-License-Identifier: MIT
// Every balance again, from shares and blocks.
#include <algorithm>

#include "adit/ledger/reader.h"
#include "payout/audit_state.h"
#include "payout/journal_rows.h"

namespace adit {
namespace {

bool is_booking(std::string_view kind) { return kind == "block" || kind == "coinbase"; }

class MoneyVerifier {
 public:
  explicit MoneyVerifier(const AuditBooks& books) : books_(books), store_(books.store) {
    for (const auto& [hash, block] : books.blocks) by_ref_[hash.hex()] = &block;
  }

  Result<std::vector<std::string>> run() {
    read_settlements();
    for (const Status& s : {read_journal(), check_slices(), compare_live()})
      if (!s && s.error().code == ErrorCode::Io)
        return s.error();
      else if (!s)
        problem(s.error().text);
    return std::move(problems_);
  }

 private:
  void problem(std::string text) { add_line(problems_, std::move(text)); }

  void read_settlements() {
    for (const std::string& broken : books_.broken) problem(broken);
    for (const SettlementRecord& record : books_.settlements) {
      settled_[record.block] = {record.state};
      const std::string name = "block " + record.block.hex();
      if (!books_.blocks.contains(record.block))
        problem(name + " has a settlement, but is not in the books");
      if (std::max(record.slice, record.first_slice) > books_.newest.value())
        problem(name + " was settled by slice " + std::to_string(record.slice) +
                ", the newest is " + std::to_string(books_.newest.value()));
      audits_.emplace(record.plan_entry, record.block);
    }
    for (const auto& [hash, block] : books_.blocks)
      if (!settled_.contains(hash)) audits_.emplace(0, hash);
    for (const TermsInForce& terms : books_.history.all())
      if (terms.from.value() > books_.newest.value() + 1)
        problem("the terms from slice " + std::to_string(terms.from.value()) +
                " on are of a time to come: the newest is " +
                std::to_string(books_.newest.value()));
  }

  /// One walk: entries of a block that follow each other are a booking or its reversal, which takes
  /// back all of it (the next one may be by other weights: a prop round changes when a lost block
  /// comes back); where a block's plan was made, balances are those it counts.
  Status read_journal() {
    Balances balances;
    Status verdict = audit_up_to(0, balances);
    const Status s = for_each_entry(store_, 1, [&](const JournalEntry& entry) {
      if (verdict) verdict = count(entry);
      count_balance(balances, entry);
      if (verdict) verdict = audit_up_to(entry.number, balances);
      return verdict.ok();
    });
    if (!verdict) return verdict;
    if (!s && s.error().code == ErrorCode::Io) return s;
    if (Status last = end_group(); !last) return last;
    if (Status rest = audit_up_to(~std::uint64_t{0}, balances); !rest) return rest;
    return s;
  }

  Status audit_up_to(std::uint64_t entry, const Balances& balances) {
    while (!audits_.empty() && audits_.begin()->first <= entry) {
      const BlockHash hash = audits_.begin()->second;
      audits_.erase(audits_.begin());
      if (!books_.blocks.contains(hash)) continue;
      auto report = Audit(books_, {std::nullopt, false, &balances, false}).run(hash);
      if (!report) return report.error();
      for (std::string& text : report->problems) problem("block " + hash.hex() + ": " + text);
    }
    return {};
  }

  Status count(const JournalEntry& entry) {
    const bool reversal = entry.kind == "reversal";
    const bool of_block = reversal || is_booking(entry.kind);
    if (entry.ref != ref_ || reversal != reversal_ || !of_block)
      if (Status s = end_group(); !s) return s;
    if (!of_block) return {};
    ref_ = entry.ref;
    reversal_ = reversal;
    money_.count(entry, reversal);
    return {};
  }

  Status end_group() {
    const std::string ref = std::exchange(ref_, "");
    BlockMoney money = std::exchange(money_, {});
    if (ref.empty()) return {};
    const auto block = by_ref_.find(ref);
    if (block == by_ref_.end()) {
      problem("the journal has entries of a block that is not in the books: " + ref);
      return {};
    }
    const auto at = settled_.find(block->second->hash);
    if (at == settled_.end()) {
      problem("block " + ref + ": in the journal, but without a settlement");
      return {};
    }
    Settled& settled = at->second;
    settled.live += reversal_ ? -1 : 1;
    if (reversal_)
      compare(ref, "what was taken back, ", std::move(money), settled.booked);
    else
      settled.booked = std::move(money);
    return {};
  }

  void compare(const std::string& ref, const std::string& what, BlockMoney journal,
               BlockMoney expected) {
    std::vector<std::string> found;
    compare_block_money(books_, std::move(journal), std::move(expected), found);
    for (std::string& text : found) problem("block " + ref + ": " + what + text);
  }

  /// The newest booking of each is that of its settlement.
  Status compare_live() {
    for (const auto& [hash, settled] : settled_) {
      if (settled.live != (settled.state == SettlementState::Booked ? 1 : 0))
        problem("block " + hash.hex() + ": its settlement is " +
                std::string(settlement_state_name(settled.state)) + ", the journal books it " +
                std::to_string(settled.live) + " times");
      const bool booked =
          settled.state == SettlementState::Booked || settled.state == SettlementState::Reversed;
      const auto block = books_.blocks.find(hash);
      if (!booked || block == books_.blocks.end()) continue;
      const auto record = read_settlement(store_, block->second);
      if (!record && record.error().code == ErrorCode::Io) return record.error();
      if (record && *record)
        compare(hash.hex(), "", settled.booked, BlockMoney::of(**record));
      else if (!record)
        problem(record.error().text);
    }
    return {};
  }

  Status check_slices() {
    auto report = audit_slices(books_, SliceNumber(0), SliceNumber(~std::uint64_t{0}));
    if (!report) return report.error();
    for (std::string& text : report->problems) problem(std::move(text));
    return {};
  }

  struct Settled {
    SettlementState state;
    int live = 0;            // bookings that nothing took back
    BlockMoney booked = {};  // by the newest one
  };

  const AuditBooks& books_;
  LedgerStore& store_;
  std::vector<std::string> problems_;
  std::map<std::string, const BlockRecord*, std::less<>> by_ref_;
  std::map<BlockHash, Settled> settled_;
  std::multimap<std::uint64_t, BlockHash> audits_;  // by the newest entry their carries count
  std::string ref_;
  bool reversal_ = false;
  BlockMoney money_;
};

}  // namespace

Result<std::vector<std::string>> verify_money(LedgerStore& store, Network network) {
  auto problems = verify_journal(store);
  if (!problems) return problems.error();
  const auto books = AuditBooks::read(store, network);
  if (!books) return books.error();
  auto found = MoneyVerifier(*books).run();
  if (!found) return found.error();
  for (std::string& text : *found) add_line(*problems, std::move(text));
  return problems;
}

}  // namespace adit
