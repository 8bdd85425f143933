// SPDX-License-Identifier: MIT
#include "adit/payout/payments.h"
#include "payout/journal_rows.h"
#include "payout/payments_rows.h"

namespace adit {
namespace {

constexpr std::size_t kMaxProblems = 100;

using Held = std::map<std::uint64_t, Satoshi>;

/// What the books of payments hold. Broken rows are verify_journal's to name.
Result<Held> held_by_payments(LedgerStore& store) {
  Held held;
  const Status s =
      scan_prefix(store, kBookPrefix, "", [&](std::string_view key, std::string_view value) {
        const auto row = book_row_of(key, value);
        if (row && row->book.kind == BookKind::Payment && row->balance != Satoshi(0))
          held[row->book.id] = row->balance;
        return true;
      });
  if (!s) return s.error();
  return held;
}

Result<std::vector<std::uint64_t>> payment_ids(LedgerStore& store) {
  std::vector<std::uint64_t> ids;
  const Status s = store.scan(Family::Payments, "", [&](std::string_view key, std::string_view) {
    if (key.size() == sizeof(std::uint64_t)) ids.push_back(u64_of_key(key).value_or(0));
    return true;
  });
  if (!s) return s.error();
  return ids;
}

}  // namespace

Result<std::vector<std::string>> verify_payments(LedgerStore& store) {
  std::vector<std::string> problems;
  const auto problem = [&](std::string text) {
    if (problems.size() < kMaxProblems) problems.push_back(std::move(text));
  };
  auto held = held_by_payments(store);
  if (!held) return held.error();
  const auto ids = payment_ids(store);
  if (!ids) return ids.error();
  const auto pool = ids->empty() ? std::string() : pool_identity(store);
  if (!pool) return pool.error();
  for (const std::uint64_t id : *ids) {
    const auto payment = read_payment(store, *pool, id);
    const auto book = held->extract(id);
    if (!payment) {
      problem(payment.error().text);
      continue;
    }
    const Satoshi has = book.empty() ? Satoshi(0) : book.mapped();
    const Satoshi wanted = payment_is_closed(payment->state) ? Satoshi(0) : payment->sum;
    if (has != wanted)
      problem("payment " + std::to_string(id) + " is " +
              std::string(payment_state_name(payment->state)) + ": its book holds " +
              std::to_string(has.value()) + " satoshi instead of " +
              std::to_string(wanted.value()));
  }
  for (const auto& [id, amount] : *held)
    problem("payment " + std::to_string(id) + " is missing; its book holds " +
            std::to_string(amount.value()) + " satoshi");
  return problems;
}

}  // namespace adit
