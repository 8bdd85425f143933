// SPDX-License-Identifier: MIT
#include "adit/payout/payments.h"

#include <algorithm>

#include "adit/base/check.h"
#include "adit/bitcoin/address.h"
#include "payout/payments_rows.h"
#include "payout/payments_words.h"

namespace adit {
namespace {

using S = PaymentState;
constexpr std::string_view kNames[] = {"planned", "prepared", "broadcast", "seen",
                                       "final",   "exported", "cancelled", "void"};
constexpr std::pair<S, S> kArrows[] = {
    {S::Planned, S::Prepared}, {S::Planned, S::Exported},   {S::Planned, S::Cancelled},
    {S::Exported, S::Seen},    {S::Exported, S::Cancelled}, {S::Prepared, S::Broadcast},
    {S::Prepared, S::Seen},    {S::Prepared, S::Final},     {S::Broadcast, S::Seen},
    {S::Broadcast, S::Final},  {S::Seen, S::Broadcast},     {S::Seen, S::Final},
    {S::Prepared, S::Void},    {S::Broadcast, S::Void},     {S::Seen, S::Void},
    {S::Final, S::Void},       {S::Seen, S::Exported},      {S::Final, S::Exported}};
/// 400,000 vbytes hold no more, and that is what nodes relay.
constexpr std::size_t kMaxTransactionHex = 800'000;

}  // namespace

std::string_view payment_state_name(PaymentState state) {
  return kNames[static_cast<std::size_t>(state)];
}

std::optional<PaymentState> payment_state_from(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kNames); ++i)
    if (kNames[i] == name) return static_cast<PaymentState>(i);
  return std::nullopt;
}

bool payment_may_move(PaymentState from, PaymentState to) {
  return std::find(std::begin(kArrows), std::end(kArrows), std::pair(from, to)) !=
         std::end(kArrows);
}

bool payment_is_closed(PaymentState state) {
  return state == S::Final || state == S::Cancelled || state == S::Void;
}

Payments::Payments(Ledger& ledger, PaymentSources sources)
    : ledger_(&ledger), sources_(std::move(sources)) {}

Result<Payments> Payments::open(Ledger& ledger, PaymentSources sources) {
  Payments payments(ledger, std::move(sources));
  auto pool = pool_identity(ledger.store());
  if (!pool) return pool.error();
  payments.pool_ = std::move(*pool);
  auto briefs = payment_briefs(ledger.store());
  if (!briefs) return briefs.error();
  payments.briefs_ = std::move(*briefs);
  return payments;
}

PaymentsDue Payments::due(const PaymentRules& rules) const {
  const Satoshi least = std::max({rules.minimum, sources_.least, Satoshi(1)});
  PaymentsDue out;
  std::vector<PaymentOutput>& due = out.outputs;
  for (const AccountBalance& account : sources_.journal->accounts()) {
    const Satoshi amount = sources_.payable(account.account);
    if (amount <= Satoshi(0)) continue;
    const auto address = parse_address(account.address, sources_.network);
    if (!address || address->script == sources_.pool_script) continue;
    if (amount < least) {
      ++out.below;
      out.below_sum += amount;
      continue;
    }
    due.push_back({account.account, account.address, amount});
  }
  if (due.size() > rules.max_outputs) {
    std::sort(due.begin(), due.end(), [](const PaymentOutput& a, const PaymentOutput& b) {
      return a.amount != b.amount ? a.amount > b.amount : a.account < b.account;
    });
    due.resize(rules.max_outputs);
  }
  std::sort(due.begin(), due.end(),
            [](const PaymentOutput& a, const PaymentOutput& b) { return a.account < b.account; });
  return out;
}

Result<Payment> Payments::plan(const PaymentRules& rules, UnixMillis now) {
  const auto waiting = planned();
  if (!waiting) return waiting.error();
  if (*waiting)
    return conflict(**waiting, "go on with it, or cancel it, before the next one is planned");
  Payment payment;
  payment.outputs = due(rules).outputs;
  if (payment.outputs.empty())
    return Error{ErrorCode::NotFound, "nobody is due: no payable balance reaches the minimum"};
  payment.id = briefs_.empty() ? 1 : briefs_.rbegin()->first + 1;
  payment.created = payment.changed = now;
  LedgerBatch batch;
  for (const PaymentOutput& output : payment.outputs) {
    payment.sum += output.amount;
    sources_.journal->move(batch, Book::account(output.account), book_of(payment), output.amount,
                           "payment", ref_of(payment.id), now);
  }
  payment.idempotency_key = idempotency_key(pool_, payment.id, payment.outputs);
  put_payment_outputs(batch, payment);
  if (const Status written = write(payment, batch); !written) return written.error();
  return payment;
}

Result<std::optional<Payment>> Payments::planned() const {
  for (const auto& [id, brief] : briefs_)
    if (brief.state == S::Planned) return find(id);
  return std::optional<Payment>();
}

Status Payments::store_unsigned(std::uint64_t id, const std::string& psbt, Satoshi fee,
                                UnixMillis now) {
  auto payment = get(id);
  if (!payment) return payment.error();
  if (!payment->unsigned_psbt.empty())
    return payment->unsigned_psbt == psbt ? Status{}
                                          : conflict(*payment, "another PSBT is stored for it");
  if (payment->state != S::Planned)
    return conflict(*payment, "a PSBT is stored before it is signed");
  const auto inside = transaction_of_psbt(psbt);
  if (!inside) return inside.error();
  if (const Status good = check_payment_transaction(*payment, *inside, sources_.network); !good)
    return good;
  if (fee < Satoshi(0) || fee > kMaxMoney)
    return Error{ErrorCode::Invalid, "a fee of " + std::to_string(fee.value()) + " sat"};
  payment->unsigned_psbt = psbt;
  payment->fee = fee;
  payment->changed = now;
  LedgerBatch batch;
  return write(*payment, batch);
}

Status Payments::prepare(std::uint64_t id, const std::string& transaction_hex, Satoshi fee,
                         UnixMillis now) {
  auto payment = get(id);
  if (!payment) return payment.error();
  const auto bytes = from_hex(transaction_hex);
  if (!bytes || transaction_hex.size() > kMaxTransactionHex)
    return Error{ErrorCode::Invalid, "the transaction is not hex, or larger than any node relays"};
  const std::string hex = to_hex(*bytes);
  if (!payment->transaction.empty())
    return payment->transaction == hex ? Status{}
                                       : conflict(*payment, "its transaction is another one");
  if (!payment_may_move(payment->state, S::Prepared))
    return conflict(*payment, "no transaction is taken for it");
  const auto transaction = Transaction::parse(*bytes);
  if (!transaction) return transaction.error();
  if (const Status good = check_payment_transaction(*payment, *transaction, sources_.network);
      !good)
    return good;
  if (payment->unsigned_psbt.empty()) payment->fee = fee;
  if (payment->fee < Satoshi(0) || payment->fee > kMaxMoney || payment->fee != fee)
    return Error{ErrorCode::Invalid, "the fee is not the one that was stored with the PSBT"};
  payment->transaction = hex;
  payment->txid = transaction->txid().hex();
  LedgerBatch batch;
  return move(*payment, S::Prepared, batch, now);
}

Status Payments::mark_broadcast(std::uint64_t id, UnixMillis now) {
  auto payment = get(id);
  if (!payment) return payment.error();
  if (payment->state == S::Broadcast || payment->state == S::Seen || payment->state == S::Final)
    return {};
  if (payment->state != S::Prepared) return conflict(*payment, "there is nothing to broadcast");
  LedgerBatch batch;
  return move(*payment, S::Broadcast, batch, now);
}

Status Payments::mark_exported(std::uint64_t id, UnixMillis now) {
  auto payment = get(id);
  if (!payment) return payment.error();
  if (payment->state == S::Exported) return {};
  if (payment->state != S::Planned)
    return conflict(*payment, "it cannot be handed to another tool any more");
  if (!payment->unsigned_psbt.empty())
    return conflict(*payment, "a PSBT of it was made: it may be signed; cancel it first");
  LedgerBatch batch;
  return move(*payment, S::Exported, batch, now);
}

Status Payments::cancel(std::uint64_t id, UnixMillis now) {
  auto payment = get(id);
  if (!payment) return payment.error();
  if (payment->state == S::Cancelled) return {};
  if (!payment_may_move(payment->state, S::Cancelled))
    return conflict(*payment, "a signed transaction may be sent by anybody; it cannot be recalled");
  LedgerBatch batch;
  give_back(*payment, batch, now);
  return move(*payment, S::Cancelled, batch, now);
}

Result<std::optional<Payment>> Payments::find(std::uint64_t id) const {
  if (briefs_.count(id) == 0) return std::optional<Payment>();
  auto payment = get(id);
  if (!payment) return payment.error();
  return std::optional<Payment>(std::move(*payment));
}

Result<std::optional<Payment>> Payments::next_open(std::uint64_t id, UnixMillis since) const {
  for (auto at = briefs_.upper_bound(id); at != briefs_.end(); ++at) {
    const PaymentBrief& brief = at->second;
    if (!payment_is_closed(brief.state) || (brief.state == S::Final && brief.changed >= since))
      return find(at->first);
  }
  return std::optional<Payment>();
}

Result<Payment> Payments::get(std::uint64_t id) const {
  return read_payment(ledger_->store(), pool_, id);
}

Status Payments::move(Payment& payment, PaymentState to, LedgerBatch& batch, UnixMillis now) {
  CHECK(payment_may_move(payment.state, to));
  payment.state = to;
  payment.changed = now;
  return write(payment, batch);
}

Status Payments::write(const Payment& payment, LedgerBatch& batch) {
  put_payment(batch, payment);
  sources_.journal->finish(batch);
  if (const Status written = ledger_->write(batch); !written) return written;
  briefs_[payment.id] = brief_of(payment);
  return {};
}

void Payments::give_back(const Payment& payment, LedgerBatch& batch, UnixMillis now) {
  for (const PaymentOutput& output : payment.outputs)
    sources_.journal->move(batch, book_of(payment), Book::account(output.account), output.amount,
                           "void", ref_of(payment.id), now);
}

}  // namespace adit
