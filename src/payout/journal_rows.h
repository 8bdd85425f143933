// SPDX-License-Identifier: MIT
// The journal's rows in family `credits`, to text and back.
#pragma once

#include <string>
#include <string_view>

#include "adit/payout/journal.h"

namespace adit {

inline constexpr char kEntryPrefix = 'j', kAccountPrefix = 'b', kBookPrefix = 't';
/// No id on disk is larger: a wild key must not allocate the world.
inline constexpr std::uint32_t kMaxAccount = 10'000'000;
inline constexpr std::int64_t kMicroPerSatoshi = 1'000'000;

std::string entry_key(std::uint64_t number);
std::string entry_value(const JournalEntry& entry);
/// Corrupt if the seal, a field or the key does not fit.
Result<JournalEntry> entry_of(std::string_view key, std::string_view value);

std::string account_key(AccountId account);
std::string account_value(const AccountBalance& balance);
Result<AccountBalance> account_row_of(std::string_view key, std::string_view value);

struct BookBalance {
  Book book;
  Satoshi balance;
};
std::string book_key(const Book& book);
std::string book_value(const Book& book, Satoshi balance);
Result<BookBalance> book_row_of(std::string_view key, std::string_view value);

/// What a block has brought by the entries, of which `last` is the newest, and nothing took back.
/// Looks at those written since the block was found: bisection by time, ten minutes further back
/// for clocks that step.
Result<Satoshi> booked_for(LedgerStore& store, std::uint64_t last, const std::string& block,
                           UnixMillis found);

/// The rows whose key starts with `prefix`, in order, until `visit` returns false.
Status scan_prefix(LedgerStore& store, char prefix, std::string_view from,
                   const std::function<bool(std::string_view key, std::string_view value)>& visit);
/// Corrupt: "credits <key in hex>: <why>".
Error bad_row(std::string_view key, std::string_view why);

}  // namespace adit
