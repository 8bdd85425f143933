// SPDX-License-Identifier: MIT
// Journal: the money's books, in double entry. Each entry moves an amount above zero from one book
// to another, so all balances together are zero at any time; entries are numbered without holes and
// never change. A correction is an entry the other way round.
//
// On disk (family credits; sealed JSON, docs/ledger.md): 'j' + u64be number: an entry; 'b' + u32be
// account: an account's balance, with its address; 't' + text(): the balance of another book.
// Thread: the ledger writer's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "adit/base/result.h"
#include "adit/base/time.h"
#include "adit/bitcoin/amount.h"
#include "adit/ledger/records.h"
#include "adit/ledger/store.h"
#include "adit/payout/scheme.h"

namespace adit {

enum class BookKind : std::uint8_t {
  Blocks,    ///< where rewards come from: below zero by all that was ever earned
  Pool,      ///< the operator's; below zero while pps pays ahead of luck
  Account,   ///< owed to an account; below zero: a debt (a block orphaned late, a coinbase carry)
  Payment,   ///< on its way to accounts in one payment
  Paid,      ///< reached accounts by payments
  Coinbase,  ///< reached accounts, or the pool, in a coinbase itself
  Unknown,   ///< below zero by what coinbases paid to scripts that are nobody's in these books
  Fees,      ///< network fees of payments
};
struct Book {
  BookKind kind = BookKind::Pool;
  std::uint64_t id = 0;  ///< account or payment; zero elsewhere
  static Book account(AccountId account) { return {BookKind::Account, account.value()}; }
  static Book payment(std::uint64_t id) { return {BookKind::Payment, id}; }
  std::string text() const;  ///< "account:5", "pool"
  static std::optional<Book> parse(std::string_view text);
  auto operator<=>(const Book&) const = default;
};

struct JournalEntry {
  std::uint64_t number = 0;  ///< from 1
  UnixMillis time;
  std::string
      kind;         ///< "block", "coinbase", "reversal", "shares", "payment", "paid", "void", "fee"
  std::string ref;  ///< block hash, "payment:7", "slices:61-120"
  Book from, to;
  Satoshi amount;  ///< above zero
  bool operator==(const JournalEntry&) const = default;
};

struct AccountBalance {
  AccountId account;
  std::string address;
  Satoshi balance;        ///< earned - paid
  Satoshi earned, paid;   ///< ever: by blocks and shares; by payments and coinbases
  MicroSatoshi fraction;  ///< of priced shares, below one satoshi
};

class Journal {
 public:
  /// Loads balances; Corrupt for a broken row, or balances that do not sum to zero. `address_of`
  /// names accounts for their rows.
  static Result<Journal> open(LedgerStore& store, std::function<std::string(AccountId)> address_of);

  Satoshi balance(const Book& book) const;
  AccountBalance account(AccountId account) const;
  /// By rising account: every account that ever had an entry.
  std::vector<AccountBalance> accounts() const;
  std::uint64_t last_entry() const { return last_; }

  /// Adds entries to the open batch. CHECKs amount > 0 and from != to.
  void move(LedgerBatch& batch, const Book& from, const Book& to, Satoshi amount,
            std::string_view kind, std::string_view ref, UnixMillis now);
  /// Adds priced work (CHECK: not below zero) to an account's fraction and returns the whole
  /// satoshi in it, which the caller moves; the rest stays.
  Satoshi take_whole(AccountId account, MicroSatoshi priced);
  /// Adds the rows of all balances that changed since the last call. Then commit: after a failed
  /// commit the journal must not be used.
  void finish(LedgerBatch& batch);

 private:
  struct AccountRow {
    std::string address;
    Satoshi earned, paid;
    MicroSatoshi fraction;
    bool dirty = false;
  };
  struct BookRow {
    Satoshi balance;
    bool dirty = false;
  };
  AccountRow& touch(AccountId account);
  void add(const Book& book, const Book& other, Satoshi amount);
  Status load(LedgerStore& store);

  std::function<std::string(AccountId)> address_of_;
  std::map<AccountId, AccountRow> accounts_;
  std::map<Book, BookRow> books_;  // all but accounts
  std::vector<AccountId> dirty_;
  std::uint64_t last_ = 0;
};

/// Entries from `first` on, in order, until `visit` returns false. Corrupt on the first broken one,
/// or where a number is missing.
Status for_each_entry(LedgerStore& store, std::uint64_t first,
                      const std::function<bool(const JournalEntry&)>& visit);
/// One account's balance as written, at the cost of one row; nullopt: it never had an entry.
Result<std::optional<AccountBalance>> read_account_balance(LedgerStore& store, AccountId account);
/// Recomputes every balance from the entries and compares; problems, at most 100, name the row.
/// (Fractions of a satoshi are not in the entries; verify_money looks at them, too.)
Result<std::vector<std::string>> verify_journal(LedgerStore& store);

}  // namespace adit
