// SPDX-License-Identifier: MIT
// Balances in memory and what goes to disk.
#include "adit/payout/journal.h"

#include <algorithm>

#include "adit/base/check.h"
#include "payout/journal_rows.h"

namespace adit {
namespace {

/// The newest entry's number. Bisection, since rows of other kinds follow in the family: the
/// largest number at or after which there is an entry.
Result<std::uint64_t> newest_entry(LedgerStore& store) {
  std::uint64_t low = 0, high = ~std::uint64_t{0};
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2 + 1;
    std::optional<std::uint64_t> found;
    const Status s = scan_prefix(store, kEntryPrefix, key_u64(middle),
                                 [&](std::string_view key, std::string_view) {
                                   found = u64_of_key(key.substr(1));
                                   return false;
                                 });
    if (!s) return s.error();
    if (found)
      low = std::max(*found, middle);
    else
      high = middle - 1;
  }
  return low;
}

/// What moves between an account and these is earned; all else is paid.
bool brings_earnings(const Book& book) {
  return book.kind == BookKind::Blocks || book.kind == BookKind::Pool;
}

}  // namespace

Result<Journal> Journal::open(LedgerStore& store,
                              std::function<std::string(AccountId)> address_of) {
  Journal journal;
  journal.address_of_ = std::move(address_of);
  if (const Status s = journal.load(store); !s) return s.error();
  return journal;
}

Status Journal::load(LedgerStore& store) {
  const auto newest = newest_entry(store);
  if (!newest) return newest.error();
  last_ = *newest;
  Status verdict;
  Satoshi sum;
  Status s =
      scan_prefix(store, kAccountPrefix, "", [&](std::string_view key, std::string_view value) {
        auto row = account_row_of(key, value);
        if (!row) {
          verdict = row.error();
          return false;
        }
        sum += row->balance;
        accounts_[row->account] = {std::move(row->address), row->earned, row->paid, row->fraction};
        return true;
      });
  if (s && verdict)
    s = scan_prefix(store, kBookPrefix, "", [&](std::string_view key, std::string_view value) {
      const auto row = book_row_of(key, value);
      if (!row) {
        verdict = row.error();
        return false;
      }
      sum += row->balance;
      books_[row->book].balance = row->balance;
      return true;
    });
  if (!s) return s;
  if (verdict && sum != Satoshi{})
    return Error{ErrorCode::Corrupt, "credits: all balances together are " +
                                         std::to_string(sum.value()) + " satoshi, not zero"};
  return verdict;
}

Satoshi Journal::balance(const Book& book) const {
  if (book.kind == BookKind::Account)
    return account(AccountId(static_cast<std::uint32_t>(book.id))).balance;
  const auto at = books_.find(book);
  return at == books_.end() ? Satoshi{} : at->second.balance;
}

AccountBalance Journal::account(AccountId account) const {
  const auto at = accounts_.find(account);
  if (at == accounts_.end()) return {account, {}, {}, {}, {}, {}};
  const AccountRow& row = at->second;
  return {account, row.address, row.earned - row.paid, row.earned, row.paid, row.fraction};
}

std::vector<AccountBalance> Journal::accounts() const {
  std::vector<AccountBalance> out;
  out.reserve(accounts_.size());
  for (const auto& [account, row] : accounts_)
    out.push_back(
        {account, row.address, row.earned - row.paid, row.earned, row.paid, row.fraction});
  return out;
}

Journal::AccountRow& Journal::touch(AccountId account) {
  const auto [at, added] = accounts_.try_emplace(account);
  AccountRow& row = at->second;
  if (added) row.address = address_of_(account);
  if (!row.dirty) dirty_.push_back(account);
  row.dirty = true;
  return row;
}

void Journal::add(const Book& book, const Book& other, Satoshi amount) {
  if (book.kind != BookKind::Account) {
    BookRow& row = books_[book];
    row.balance += amount;
    row.dirty = true;
    return;
  }
  CHECK(book.id > 0 && book.id <= kMaxAccount);
  AccountRow& row = touch(AccountId(static_cast<std::uint32_t>(book.id)));
  if (brings_earnings(other))
    row.earned += amount;
  else
    row.paid -= amount;
}

void Journal::move(LedgerBatch& batch, const Book& from, const Book& to, Satoshi amount,
                   std::string_view kind, std::string_view ref, UnixMillis now) {
  CHECK(amount > Satoshi{} && from != to);
  const JournalEntry entry{++last_, now, std::string(kind), std::string(ref), from, to, amount};
  batch.put(Family::Credits, entry_key(entry.number), entry_value(entry));
  add(from, to, Satoshi{} - amount);
  add(to, from, amount);
}

Satoshi Journal::take_whole(AccountId account, MicroSatoshi priced) {
  CHECK(priced >= MicroSatoshi{});
  AccountRow& row = touch(account);
  std::int64_t sum = 0;
  CHECK(!__builtin_add_overflow(row.fraction.value(), priced.value(), &sum));
  row.fraction = MicroSatoshi(sum % kMicroPerSatoshi);
  return Satoshi(sum / kMicroPerSatoshi);
}

void Journal::finish(LedgerBatch& batch) {
  std::sort(dirty_.begin(), dirty_.end());
  for (const AccountId id : dirty_) {
    accounts_[id].dirty = false;
    batch.put(Family::Credits, account_key(id), account_value(account(id)));
  }
  dirty_.clear();
  for (auto& [book, row] : books_) {
    if (!row.dirty) continue;
    row.dirty = false;
    batch.put(Family::Credits, book_key(book), book_value(book, row.balance));
  }
}

}  // namespace adit
