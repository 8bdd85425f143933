// SPDX-License-Identifier: MIT
// What audits know of the books, and how they name things.
#include "adit/bitcoin/address.h"
#include "adit/ledger/reader.h"
#include "payout/audit_state.h"
#include "payout/journal_rows.h"
#include "payout/settlement_rows.h"

namespace adit {
namespace {

constexpr std::size_t kMaxLines = 100;

}  // namespace

void add_line(std::vector<std::string>& lines, std::string text) {
  if (lines.size() < kMaxLines) lines.push_back(std::move(text));
}

bool by_weights(SchemeKind kind) { return kind == SchemeKind::Pplns || kind == SchemeKind::Prop; }

std::string slice_name(SliceNumber number) { return "slice " + std::to_string(number.value()); }
std::string money_text(Satoshi amount) { return std::to_string(amount.value()) + " satoshi"; }
std::string work_text(Uint128 work) { return Work(work).decimal(); }

void count_balance(Balances& balances, const JournalEntry& entry) {
  for (const auto& [book, amount] :
       {std::pair{entry.from, Satoshi{} - entry.amount}, std::pair{entry.to, entry.amount}})
    if (book.kind == BookKind::Account)
      balances[AccountId(static_cast<std::uint32_t>(book.id))] += amount;
}

Result<AuditBooks> AuditBooks::read(LedgerStore& store, Network network) {
  AuditBooks books{store, network, {}, {}, {}, {}, {}, {}, {}, {}, {}};
  auto history = TermsHistory::read(store);
  if (!history) return history.error();
  books.history = *std::move(history);
  auto blocks = all_blocks(store);
  if (!blocks) return blocks.error();
  for (BlockRecord& block : *blocks) books.blocks[block.hash] = std::move(block);
  const auto totals = account_totals(store);
  if (!totals) return totals.error();
  for (const AccountTotal& total : *totals) {
    books.names[total.id] = total.address;
    books.accounts[total.address] = {total.id, total.first_seen};
  }
  const Status scanned =
      scan_prefix(store, kSettlementPrefix, "", [&](std::string_view key, std::string_view value) {
        auto record = settlement_of(key, value);
        if (record)
          books.settlements.push_back(*std::move(record));
        else
          add_line(books.broken, record.error().text);
        return true;
      });
  if (!scanned) return scanned.error();
  // A row that cannot be read is told of where it is needed.
  const auto oldest = oldest_slice(store), newest = newest_slice(store);
  for (const auto* slice : {&oldest, &newest})
    if (!*slice && slice->error().code == ErrorCode::Io) return slice->error();
  if (oldest && *oldest) books.oldest = (*oldest)->number;
  if (newest && *newest) books.newest = (*newest)->number, books.newest_opened = (*newest)->opened;
  return books;
}

std::string AuditBooks::name(AccountId account) const {
  const auto at = names.find(account);
  return "account " + std::to_string(account.value()) +
         (at == names.end() ? " (not in the books)" : " (" + at->second + ")");
}

AccountId AuditBooks::account_of(const Script& script) const {
  const auto address = address_of(script, network);
  const auto at = address ? accounts.find(*address) : accounts.end();
  return at == accounts.end() ? AccountId() : at->second.first;
}

Script AuditBooks::script_of(AccountId account) const {
  const auto at = names.find(account);
  if (at == names.end()) return {};
  auto address = parse_address(at->second, network);
  return address ? std::move(address->script) : Script();
}

}  // namespace adit
