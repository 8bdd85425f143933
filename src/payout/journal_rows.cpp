// SPDX-License-Identifier: MIT
// A block of a large pool writes a hundred thousand entries and as many balances in one batch:
// their JSON is put together by hand.
#include "payout/journal_rows.h"

#include <array>
#include <charconv>

#include "adit/base/check.h"
#include "adit/base/json.h"
#include "adit/ledger/json_fields.h"

namespace adit {
namespace {

constexpr std::array<std::string_view, 8> kBookNames = {"blocks", "pool",     "account", "payment",
                                                        "paid",   "coinbase", "unknown", "fees"};

bool has_id(BookKind kind) { return kind == BookKind::Account || kind == BookKind::Payment; }

template <class T>
void field(std::string& out, std::string_view name, T value) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
  out.append(name).append(buffer, end.ptr);
}

void text_field(std::string& out, std::string_view name, std::string_view text) {
  out.append(name);
  append_json_string(out, text);
}

}  // namespace

Error bad_row(std::string_view key, std::string_view why) {
  return {ErrorCode::Corrupt, "credits " + to_hex(bytes_of(key)) + ": " + std::string(why)};
}

std::string Book::text() const {
  std::string out(kBookNames[static_cast<std::size_t>(kind)]);
  if (has_id(kind)) field(out, ":", id);
  return out;
}

std::optional<Book> Book::parse(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  for (std::size_t i = 0; i < kBookNames.size(); ++i) {
    if (kBookNames[i] != name) continue;
    Book book{static_cast<BookKind>(i), 0};
    if (has_id(book.kind)) {
      if (colon == std::string_view::npos) return std::nullopt;
      const std::string_view id = text.substr(colon + 1);
      std::from_chars(id.data(), id.data() + id.size(), book.id);
      if (book.kind == BookKind::Account && book.id > kMaxAccount) return std::nullopt;
      if (book.id == 0) return std::nullopt;
    }
    // Only the text that would be written.
    return book.text() == text ? std::optional(book) : std::nullopt;
  }
  return std::nullopt;
}

std::string entry_key(std::uint64_t number) { return kEntryPrefix + key_u64(number); }

std::string entry_value(const JournalEntry& entry) {
  std::string out;
  out.reserve(256);
  field(out, "{\"number\":", entry.number);
  field(out, ",\"time_ms\":", entry.time.value());
  text_field(out, ",\"kind\":", entry.kind);
  text_field(out, ",\"ref\":", entry.ref);
  out.append(",\"from\":\"").append(entry.from.text());
  out.append("\",\"to\":\"").append(entry.to.text());
  field(out, "\",\"amount\":", entry.amount.value());
  out.push_back('}');
  return seal_json(std::move(out));
}

Result<JournalEntry> entry_of(std::string_view key, std::string_view value) {
  const auto fields = open_sealed_json(value);
  if (!fields) return bad_row(key, "broken JSON or seal");
  const auto number = fields->u64("number");
  const auto time = fields->i64("time_ms"), amount = fields->i64("amount");
  const auto kind = fields->string("kind"), ref = fields->string("ref");
  const auto from = Book::parse(fields->string("from").value_or(""));
  const auto to = Book::parse(fields->string("to").value_or(""));
  if (!number || !time || !amount || !kind || !ref || !from || !to)
    return bad_row(key, "a field is missing or wrong");
  if (entry_key(*number) != key) return bad_row(key, "stands under another entry's key");
  if (*amount <= 0 || *from == *to) return bad_row(key, "moves nothing");
  return JournalEntry{*number, UnixMillis(*time), std::string(*kind), std::string(*ref), *from,
                      *to,     Satoshi(*amount)};
}

std::string account_key(AccountId account) { return kAccountPrefix + key_u32(account.value()); }

std::string account_value(const AccountBalance& balance) {
  std::string out;
  out.reserve(256);
  field(out, "{\"account\":", balance.account.value());
  text_field(out, ",\"address\":", balance.address);
  field(out, ",\"balance\":", balance.balance.value());
  field(out, ",\"earned\":", balance.earned.value());
  field(out, ",\"paid\":", balance.paid.value());
  field(out, ",\"fraction\":", balance.fraction.value());
  out.push_back('}');
  return seal_json(std::move(out));
}

Result<AccountBalance> account_row_of(std::string_view key, std::string_view value) {
  const auto fields = open_sealed_json(value);
  if (!fields) return bad_row(key, "broken JSON or seal");
  const auto account = fields->u32("account");
  const auto address = fields->string("address");
  const auto balance = fields->i64("balance"), earned = fields->i64("earned"),
             paid = fields->i64("paid"), fraction = fields->i64("fraction");
  if (!account || !address || !balance || !earned || !paid || !fraction)
    return bad_row(key, "a field is missing or wrong");
  if (*account == 0 || *account > kMaxAccount || account_key(AccountId(*account)) != key)
    return bad_row(key, "stands under another account's key");
  std::int64_t difference = 0;
  if (__builtin_sub_overflow(*earned, *paid, &difference) || difference != *balance)
    return bad_row(key, "the balance is not what was earned less what was paid");
  if (*fraction < 0 || *fraction >= kMicroPerSatoshi)
    return bad_row(key, "the fraction is no fraction of a satoshi");
  return AccountBalance{AccountId(*account), std::string(*address), Satoshi(*balance),
                        Satoshi(*earned),    Satoshi(*paid),        MicroSatoshi(*fraction)};
}

std::string book_key(const Book& book) { return kBookPrefix + book.text(); }

std::string book_value(const Book& book, Satoshi balance) {
  std::string out = "{\"book\":\"" + book.text();
  field(out, "\",\"balance\":", balance.value());
  out.push_back('}');
  return seal_json(std::move(out));
}

Result<BookBalance> book_row_of(std::string_view key, std::string_view value) {
  const auto fields = open_sealed_json(value);
  if (!fields) return bad_row(key, "broken JSON or seal");
  const auto book = Book::parse(fields->string("book").value_or(""));
  const auto balance = fields->i64("balance");
  if (!book || !balance) return bad_row(key, "a field is missing or wrong");
  if (book->kind == BookKind::Account || book_key(*book) != key)
    return bad_row(key, "stands under another book's key");
  return BookBalance{*book, Satoshi(*balance)};
}

Status scan_prefix(LedgerStore& store, char prefix, std::string_view from,
                   const std::function<bool(std::string_view, std::string_view)>& visit) {
  return store.scan(Family::Credits, prefix + std::string(from),
                    [&](std::string_view key, std::string_view value) {
                      return key.front() == prefix && visit(key, value);
                    });
}

}  // namespace adit
