// SPDX-License-Identifier: MIT
// The money's views. What an account's balance is made of, its journal shows.
#include <algorithm>

#include "adit/ledger/reader.h"
#include "adit/payout/payments.h"
#include "app/ledger_view.h"

namespace adit {

Status LedgerView::balances() {
  const auto totals = account_totals(store_);
  if (!totals) return totals.error();
  const auto journal = Journal::open(store_, [](AccountId) { return std::string(); });
  if (!journal) return journal.error();
  for (const AccountTotal& account : *totals) {
    const AccountBalance money = journal->account(account.id);
    row("balance")
        .text("address", account.address)
        .plain("balance_sat", fmt::format("{}", money.balance.value()))
        .plain("earned_sat", fmt::format("{}", money.earned.value()))
        .plain("paid_sat", fmt::format("{}", money.paid.value()))
        .number("shares", account.shares)
        .text("work", account.work.decimal())
        .print(header_done_);
    if (++lines_ == options_.limit) break;
  }
  return {};
}

Status LedgerView::journal() {
  auto address = addresses();
  if (!address) return address.error();
  const auto name = [&](const Book& book) {
    return book.kind == BookKind::Account ? (*address)[static_cast<std::uint32_t>(book.id)]
                                          : std::string();
  };
  const std::uint64_t first = kinds_ ? 1 : std::max<std::uint64_t>(options_.from, 1);
  return for_each_entry(store_, first, [&](const JournalEntry& entry) {
    const std::string from = name(entry.from), to = name(entry.to);
    const std::string& wanted = options_.account;
    if (!wanted.empty() && from != wanted && to != wanted) return true;
    row("entry")
        .number("number", entry.number)
        .plain("time_ms", fmt::format("{}", entry.time.value()))
        .text("reason", entry.kind)
        .text("ref", entry.ref)
        .text("from", entry.from.text())
        .text("to", entry.to.text())
        .plain("amount_sat", fmt::format("{}", entry.amount.value()))
        .text("account", to.empty() ? from : to)
        .print(header_done_);
    return ++lines_ != options_.limit;
  });
}

Status LedgerView::settlements() {
  return for_each_settlement(store_, false, [&](const SettlementRecord& settlement) {
    row("settlement")
        .number("height", settlement.height)
        .text("block", settlement.block.hex())
        .text("state", settlement_state_name(settlement.state))
        .text("terms", settlement.terms.text())
        .number("first_slice", settlement.first_slice)
        .number("slice", settlement.slice)
        .plain("value", fmt::format("{}", settlement.value.value()))
        .number("accounts", settlement.share_count)
        .plain("pool_entitled", fmt::format("{}", settlement.pool_entitled.value()))
        .plain("pool_paid", fmt::format("{}", settlement.pool_paid.value()))
        .number("first_entry", settlement.first_entry)
        .number("last_entry", settlement.last_entry)
        .text("slices", settlement.slices.text())
        .print(header_done_);
    return ++lines_ != options_.limit;
  });
}

Status LedgerView::payments() {
  return for_each_payment(store_, [&](const Payment& payment) {
    row("payment")
        .number("id", payment.id)
        .text("state", payment_state_name(payment.state))
        .number("outputs", payment.outputs.size())
        .plain("sum_sat", fmt::format("{}", payment.sum.value()))
        .plain("fee_sat", fmt::format("{}", payment.fee.value()))
        .text("txid", payment.txid)
        .number("confirmations", payment.confirmations)
        .plain("created_ms", fmt::format("{}", payment.created.value()))
        .plain("changed_ms", fmt::format("{}", payment.changed.value()))
        .text("key", payment.idempotency_key)
        .text("detail", payment.detail)
        .print(header_done_);
    return ++lines_ != options_.limit;
  });
}

}  // namespace adit
