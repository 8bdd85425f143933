// SPDX-License-Identifier: MIT
// Payments after they were sent: what the chain made of them, proved by transactions.
#include <algorithm>

#include "adit/base/check.h"
#include "adit/payout/verdict.h"
#include "payout/payments_words.h"

namespace adit {
namespace {

using S = PaymentState;

bool was_signed(PaymentState state) {
  return state == S::Prepared || state == S::Broadcast || state == S::Seen || state == S::Final;
}

Error refused(std::string text) { return {ErrorCode::Refused, std::move(text)}; }

Status check_pays_all(const Payment& payment, const std::vector<PaymentOutput>& paid,
                      const std::string& txid) {
  for (const PaymentOutput& output : payment.outputs)
    if (std::find(paid.begin(), paid.end(), output) == paid.end())
      return refused(txid + " does not pay " + output.address + " its " +
                     std::to_string(output.amount.value()) + " sat of " + name_of(payment.id));
  return {};
}

}  // namespace

const std::string& followed_txid(const Payment& payment) {
  return payment.paid_by.empty() ? payment.txid : payment.paid_by;
}

Satoshi followed_fee(const Payment& payment) {
  return payment.paid_by.empty() ? payment.fee : payment.paid_by_fee;
}

Status Payments::mark_seen(std::uint64_t id, std::uint32_t confirmations, UnixMillis now,
                           const std::string& block) {
  auto payment = get(id);
  if (!payment) return payment.error();
  if (!was_signed(payment->state))
    return conflict(*payment, "it has no transaction that could be seen");
  if (payment->confirmations == confirmations && (block.empty() || block == payment->block))
    return {};
  return reach(*payment, confirmations, block, now);
}

Status Payments::mark_paid_by(std::uint64_t id, const Transaction& payer, Satoshi fee,
                              std::uint32_t confirmations, const std::string& block,
                              UnixMillis now) {
  auto payment = get(id);
  if (!payment) return payment.error();
  const std::string txid = payer.txid().hex();
  if (!was_signed(payment->state) || confirmations == 0 || fee < Satoshi(0) || fee > kMaxMoney)
    return conflict(*payment, "nothing in the chain could pay it");
  if (txid == followed_txid(*payment)) return mark_seen(id, confirmations, now, block);
  const bool own = txid == payment->txid;
  if (!own) {
    const auto payers = payers_of(*payment);
    const VoidProof proof{payer, confirmations, {}};
    if (payers.empty() || payment->transaction.empty() || !why_dead(payers.front(), proof, {}))
      return refused(txid + " spends no input of " + name_of(id));
    auto outputs = unclaimed(payer, id);
    if (!outputs) return outputs.error();
    const Status pays =
        check_pays_all(*payment, take_paid(*outputs, *payment, sources_.network), txid);
    if (!pays) return pays;
  }
  const bool final = payment->state == S::Final;
  if (final && confirmations < kFinalDepth) return {};  // either would pay: wait and see
  LedgerBatch batch;
  if (final) book_paid(*payment, true, batch, now);
  payment->paid_by = own ? "" : txid;
  payment->paid_by_transaction = own ? "" : to_hex(payer.serialize());
  payment->paid_by_fee = own || payment->outside ? Satoshi(0) : fee;
  if (!final) return reach(*payment, confirmations, block, now);
  book_paid(*payment, false, batch, now);
  payment->block = block;
  payment->confirmations = confirmations;
  payment->changed = now;
  return write(*payment, batch);
}

Status Payments::mark_paid_outside(std::uint64_t id, const std::string& txid,
                                   const std::string& transaction, const std::string& block,
                                   UnixMillis now) {
  auto payment = get(id);
  if (!payment) return payment.error();
  const auto named = Txid::from_hex(txid);
  if (!named) return Error{ErrorCode::Invalid, "a txid is 64 hex digits"};
  const bool shown = !payment->transaction.empty();  // else it stands on an operator's word
  const bool again =
      payment->outside && payment->txid == named->hex() && was_signed(payment->state);
  const bool renamed =
      payment->outside && !shown && (payment->confirmations == 0 || payment->state == S::Final);
  if (payment->state != S::Exported && !again && !renamed)
    return conflict(*payment, "only an exported one is paid by another tool, once");
  const Payment before = *payment;
  if (!transaction.empty() && !shown) {
    const auto bytes = from_hex(transaction);
    const auto parsed = bytes ? Transaction::parse(*bytes) : Error{ErrorCode::Invalid, ""};
    if (!parsed || parsed->txid() != *named)
      return Error{ErrorCode::Invalid, "these are not the bytes of " + txid};
    auto outputs = unclaimed(*parsed, id);
    if (!outputs) return outputs.error();
    const Status pays =
        check_pays_all(*payment, take_paid(*outputs, *payment, sources_.network), txid);
    if (!pays) return pays;
    payment->transaction = to_hex(*bytes);
  } else if (!again) {
    for (const auto& [other, brief] : briefs_)
      if (other != id && claims(brief.state, brief.txid, brief.paid_by, named->hex()))
        return refused(txid + " is what pays " + name_of(other));
  }
  if (!block.empty()) payment->block = block;
  LedgerBatch batch;
  if (again) return *payment == before ? Status{} : write(*payment, batch);
  if (payment->state == S::Final) book_paid(*payment, true, batch, now);
  payment->state = S::Exported;
  payment->confirmations = 0;
  payment->outside = true;
  payment->txid = named->hex();
  return move(*payment, S::Seen, batch, now);
}

Status Payments::mark_not_paid(std::uint64_t id, UnixMillis now) {
  auto payment = get(id);
  if (!payment) return payment.error();
  if (payment->state == S::Exported) return {};
  if (!payment->outside || !payment_may_move(payment->state, S::Exported))
    return conflict(*payment, "no word of an operator stands for its being paid");
  if (!payment->transaction.empty())
    return conflict(*payment, payment->txid + " pays it; only a proof shows that it never will");
  LedgerBatch batch;
  if (payment->state == S::Final) book_paid(*payment, true, batch, now);
  payment->outside = false;
  payment->txid.clear();
  payment->block.clear();
  payment->confirmations = 0;
  return move(*payment, S::Exported, batch, now);
}

Status Payments::make_void(std::uint64_t id, const VoidProof& proof, UnixMillis now) {
  auto payment = get(id);
  if (!payment) return payment.error();
  if (payment->state == S::Void) return {};
  if (!payment_may_move(payment->state, S::Void))
    return conflict(*payment, "nothing was signed that could be void");
  if (proof.rival && proof.depth < kFinalDepth)
    return refused("what stands in the way of " + name_of(id) + " is not six deep");
  const auto payers = payers_of(*payment);
  if (payers.empty()) return refused(name_of(id) + ": its bytes are not known here");
  VoidPayments voids;
  for (const auto& [other, brief] : briefs_)
    note_void(voids, other, brief.state, brief.txid, brief.paid_by);
  for (const Transaction& payer : payers) {
    const auto why = why_dead(payer, proof, voids);
    if (!why) return refused(payer.txid().hex() + " may still pay " + name_of(id));
    payment->detail = *why;
  }
  if (proof.rival) {
    auto outputs = unclaimed(*proof.rival, id);
    if (!outputs) return outputs.error();
    const auto paid = take_paid(*outputs, *payment, sources_.network);
    if (!paid.empty())
      return refused(name_of(id) + ": " + proof.rival->txid().hex() + " pays " +
                     paid_text(*payment, paid));
  }
  LedgerBatch batch;
  if (payment->state == S::Final) book_paid(*payment, true, batch, now);
  give_back(*payment, batch, now);
  payment->confirmations = 0;
  return move(*payment, S::Void, batch, now);
}

void Payments::book_paid(const Payment& payment, bool back, LedgerBatch& batch, UnixMillis now) {
  const auto move = [&](Book from, Book to, Satoshi amount, const char* kind) {
    if (back) std::swap(from, to);
    sources_.journal->move(batch, from, to, amount, back ? "void" : kind, ref_of(payment.id), now);
  };
  move(book_of(payment), {BookKind::Paid, 0}, payment.sum, "paid");
  const Satoshi fee = followed_fee(payment);
  if (fee > Satoshi(0)) move({BookKind::Pool, 0}, {BookKind::Fees, 0}, fee, "fee");
}

Status Payments::reach(Payment& payment, std::uint32_t confirmations, const std::string& block,
                       UnixMillis now) {
  if (payment.state == S::Final) return {};
  if (payment.state == S::Prepared && confirmations == 0) return {};
  // What another tool paid cannot be sent again from here: it stays Seen, with no confirmation.
  const S below = payment.outside ? S::Seen : S::Broadcast;
  const S to = confirmations >= kFinalDepth ? S::Final : confirmations > 0 ? S::Seen : below;
  if (confirmations > 0 && !block.empty()) payment.block = block;
  payment.confirmations = confirmations;
  LedgerBatch batch;
  if (to == S::Final) book_paid(payment, false, batch, now);
  if (payment.state != to) return move(payment, to, batch, now);
  payment.changed = now;
  return write(payment, batch);
}

Result<std::vector<TxOut>> Payments::unclaimed(const Transaction& transaction,
                                               std::uint64_t id) const {
  const std::string txid = transaction.txid().hex();
  std::vector<TxOut> outputs = transaction.outputs;
  for (const auto& [other, brief] : briefs_) {
    if (other == id || !claims(brief.state, brief.txid, brief.paid_by, txid)) continue;
    const auto payment = get(other);
    if (!payment) return payment.error();
    (void)take_paid(outputs, *payment, sources_.network);
  }
  return outputs;
}

}  // namespace adit
