// SPDX-License-Identifier: MIT
// Reading the journal back, and believing none of its balances.
#include "payout/journal_rows.h"

namespace adit {
namespace {

constexpr std::size_t kMaxProblems = 100;
constexpr std::int64_t kClockStepMillis = 600'000;

struct Sums {
  std::map<Book, Satoshi> balance;
  std::map<Book, Satoshi> earned;  // accounts

  void count(const JournalEntry& entry) {
    balance[entry.from] -= entry.amount;
    balance[entry.to] += entry.amount;
    const auto source = [](const Book& b) {
      return b.kind == BookKind::Blocks || b.kind == BookKind::Pool;
    };
    if (entry.to.kind == BookKind::Account && source(entry.from)) earned[entry.to] += entry.amount;
    if (entry.from.kind == BookKind::Account && source(entry.to))
      earned[entry.from] -= entry.amount;
  }
};

class Comparison {
 public:
  explicit Comparison(Sums sums) : sums_(std::move(sums)) {}

  void account(std::string_view key, std::string_view value) {
    const auto row = account_row_of(key, value);
    if (!row) return problem(row.error().text);
    const Book book = Book::account(row->account);
    compare(key, book.text() + " " + row->address, sums_.balance[book], row->balance);
    if (sums_.earned[book] != row->earned)
      problem(bad_row(key, book.text() + " " + row->address + " earned " + text(row->earned) +
                               "; the entries add up to " + text(sums_.earned[book]))
                  .text);
    sums_.balance.erase(book);
  }
  void book(std::string_view key, std::string_view value) {
    const auto row = book_row_of(key, value);
    if (!row) return problem(row.error().text);
    compare(key, row->book.text(), sums_.balance[row->book], row->balance);
    sums_.balance.erase(row->book);
  }
  std::vector<std::string> finish() {
    for (const auto& [book, sum] : sums_.balance)
      problem("credits: " + book.text() + " has no row; its entries add up to " + text(sum));
    return std::move(problems_);
  }
  void problem(std::string text) {
    if (problems_.size() < kMaxProblems) problems_.push_back(std::move(text));
  }

 private:
  static std::string text(Satoshi amount) { return std::to_string(amount.value()) + " satoshi"; }
  void compare(std::string_view key, const std::string& name, Satoshi sum, Satoshi stored) {
    if (sum == stored) return;
    problem(bad_row(key, name + " has a balance of " + text(stored) + "; the entries add up to " +
                             text(sum))
                .text);
  }

  Sums sums_;
  std::vector<std::string> problems_;
};

}  // namespace

Result<std::optional<AccountBalance>> read_account_balance(LedgerStore& store, AccountId account) {
  const std::string key = account_key(account);
  const auto value = store.get(Family::Credits, key);
  if (!value) return value.error();
  if (!*value) return std::optional<AccountBalance>();
  auto row = account_row_of(key, **value);
  if (!row) return row.error();
  return std::optional(*std::move(row));
}

Status for_each_entry(LedgerStore& store, std::uint64_t first,
                      const std::function<bool(const JournalEntry&)>& visit) {
  Status verdict;
  std::uint64_t next = first;
  const Status s = scan_prefix(
      store, kEntryPrefix, key_u64(first), [&](std::string_view key, std::string_view value) {
        const auto entry = entry_of(key, value);
        if (!entry)
          verdict = entry.error();
        else if (entry->number != next)
          verdict = bad_row(key, "entry " + std::to_string(next) + " is missing before it");
        ++next;
        return verdict.ok() && visit(*entry);
      });
  return s ? verdict : s;
}

Result<Satoshi> booked_for(LedgerStore& store, std::uint64_t last, const std::string& block,
                           UnixMillis found) {
  std::uint64_t low = 1, high = last + 1;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    const std::string key = entry_key(middle);
    const auto value = store.get(Family::Credits, key);
    if (!value) return value.error();
    if (!*value) return bad_row(key, "the entry is missing");
    const auto entry = entry_of(key, **value);
    if (!entry) return entry.error();
    if (entry->time.value() < found.value() - kClockStepMillis)
      low = middle + 1;
    else
      high = middle;
  }
  Satoshi sum;
  Status verdict;
  const Status s = scan_prefix(store, kEntryPrefix, key_u64(low),
                               [&](std::string_view key, std::string_view value) {
                                 if (value.find(block) == std::string_view::npos) return true;
                                 const auto entry = entry_of(key, value);
                                 if (!entry) {
                                   verdict = entry.error();
                                   return false;
                                 }
                                 if (entry->from.kind == BookKind::Blocks) sum += entry->amount;
                                 if (entry->to.kind == BookKind::Blocks) sum -= entry->amount;
                                 return true;
                               });
  if (!s) return s.error();
  if (!verdict) return verdict.error();
  return sum;
}

Result<std::vector<std::string>> verify_journal(LedgerStore& store) {
  Sums sums;
  std::vector<std::string> broken;
  std::uint64_t next = 1;
  Status s =
      scan_prefix(store, kEntryPrefix, "", [&](std::string_view key, std::string_view value) {
        const auto entry = entry_of(key, value);
        const std::uint64_t number = u64_of_key(key.substr(1)).value_or(0);
        if (!entry && broken.size() < kMaxProblems) broken.push_back(entry.error().text);
        if (number != next && broken.size() < kMaxProblems)
          broken.push_back(
              bad_row(key, "entry " + std::to_string(next) + " is missing before it").text);
        next = number + 1;
        if (entry) sums.count(*entry);
        return true;
      });
  if (!s) return s.error();
  Comparison rows(std::move(sums));
  for (std::string& text : broken) rows.problem(std::move(text));
  s = scan_prefix(store, kAccountPrefix, "", [&](std::string_view key, std::string_view value) {
    rows.account(key, value);
    return true;
  });
  if (s)
    s = scan_prefix(store, kBookPrefix, "", [&](std::string_view key, std::string_view value) {
      rows.book(key, value);
      return true;
    });
  if (!s) return s.error();
  return rows.finish();
}

}  // namespace adit
