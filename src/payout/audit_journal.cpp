// SPDX-License-Identifier: MIT
// A block's entries against its settlement.
#include "payout/audit_state.h"

namespace adit {

void BlockMoney::count(const JournalEntry& entry, bool backwards) {
  const Satoshi amount = backwards ? Satoshi{} - entry.amount : entry.amount;
  for (const auto& [whose, other, change] :
       {std::tuple{entry.to, entry.from, amount},
        std::tuple{entry.from, entry.to, Satoshi{} - amount}}) {
    if (other.kind == BookKind::Blocks) earned[whose] += change;
    if (other.kind == BookKind::Coinbase) paid[whose] -= change;
  }
}

BlockMoney BlockMoney::of(const SettlementRecord& record) {
  BlockMoney money;
  for (const PlanShare& share : record.shares) {
    money.earned[Book::account(share.account)] = share.entitled;
    money.paid[Book::account(share.account)] = share.paid;
  }
  money.earned[{BookKind::Pool, 0}] = record.pool_entitled;
  money.paid[{BookKind::Pool, 0}] = record.pool_paid;
  money.paid[{BookKind::Unknown, 0}] = record.unknown_paid;
  return money;
}

void compare_block_money(const AuditBooks& books, BlockMoney journal, BlockMoney settlement,
                         std::vector<std::string>& problems) {
  const auto compare = [&](std::map<Book, Satoshi>& a, std::map<Book, Satoshi>& b,
                           const std::string& what) {
    for (const auto& [book, amount] : b) a.try_emplace(book);
    for (const auto& [book, amount] : a) {
      if (amount == b[book]) continue;
      const bool account = book.kind == BookKind::Account;
      const std::string who = account ? books.name(AccountId(static_cast<std::uint32_t>(book.id)))
                                      : "the book " + book.text();
      add_line(problems, who + ": the journal says that " + what + " " + money_text(amount) +
                             ", its settlement " + money_text(b[book]));
    }
  };
  compare(journal.earned, settlement.earned, "the block brought");
  compare(journal.paid, settlement.paid, "its coinbase paid");
}

/// What all entries of the block together moved, against what it was settled for.
Status Audit::check_journal() {
  const SettlementRecord& record = report_.settlement;
  const std::string ref = block_.hash.hex();
  BlockMoney moved;
  const Status s = for_each_entry(store_, record.plan_entry + 1, [&](const JournalEntry& entry) {
    if (entry.ref == ref) moved.count(entry);
    return true;
  });
  if (!s && s.error().code == ErrorCode::Io) return s;
  if (!s) problem(s.error().text);
  const bool booked = record.state == SettlementState::Booked;
  compare_block_money(books_, std::move(moved), booked ? BlockMoney::of(record) : BlockMoney{},
                      report_.problems);
  return {};
}

}  // namespace adit
