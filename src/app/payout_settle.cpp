// SPDX-License-Identifier: MIT
// `adit payout settle`: what became of payments that were sent. Only the chain moves them: no
// answer, or a node that does not know, changes nothing.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "adit/bitcoin/address.h"
#include "app/payout_wallet.h"

namespace adit {
namespace {

/// Final payments are looked at for so long after: a deep reorg may take one back.
constexpr std::int64_t kLookBackMillis = 14LL * 86'400'000;
constexpr std::int64_t kProofDepth = Payments::kFinalDepth;

Result<Transaction> transaction_of_hex(const std::string& hex) {
  const auto bytes = from_hex(hex);
  if (!bytes) return Error{ErrorCode::Unavailable, "the node's transaction is not hex"};
  return Transaction::parse(*bytes);
}

bool share_an_input(const Transaction& a, const Transaction& b) {
  for (const TxIn& input : a.inputs)
    for (const TxIn& other : b.inputs)
      if (input.previous == other.previous) return true;
  return false;
}

/// Whether a transaction of another tool pays each output; it may pay others, too.
Status check_paid(const Payment& payment, const Transaction& transaction, Network network) {
  std::vector<TxOut> left = transaction.outputs;
  for (const PaymentOutput& output : payment.outputs) {
    const auto address = parse_address(output.address, network);
    if (!address) return address.error();
    const auto at = std::find(left.begin(), left.end(), TxOut{output.amount, address->script});
    if (at == left.end())
      return Error{ErrorCode::Refused, fmt::format("that transaction does not pay {} its {} sat",
                                                   output.address, output.amount.value())};
    left.erase(at);
  }
  return {};
}

class Settler {
 public:
  explicit Settler(PayoutStep step) : step_(step) {}

  Status look_at(const Payment& payment) {
    const auto known = step_.wallet.look(payment.txid, step_.options.block);
    if (!known) return known.error();
    if (!*known) return unknown(payment);
    if ((*known)->confirmations > 0) return seen(payment, (*known)->confirmations);
    if ((*known)->confirmations < 0) return conflicted(payment, **known);
    if (const Status marked = seen(payment, 0); !marked) return marked;
    return resend(payment);
  }

  /// The operator names the transaction that spent an input.
  Status by_conflict(const Payment& payment) {
    KnownTransaction claim;
    claim.conflicts.push_back(step_.options.conflict);
    if (const Status done = conflicted(payment, claim); !done) return done;
    return {};
  }

  Status paid_outside(const Payment& payment) {
    const auto known = step_.wallet.look(step_.options.txid, step_.options.block);
    if (!known) return known.error();
    if (!*known && !step_.options.unchecked)
      return Error{ErrorCode::NotFound,
                   "the node does not know this transaction: name its block with --block HASH, or "
                   "take it as paid with --unchecked"};
    if (*known) {
      const auto transaction = transaction_of_hex((*known)->hex);
      if (!transaction) return transaction.error();
      const Status pays = check_paid(payment, *transaction, step_.config.pool.network);
      if (!pays) return pays;
    }
    const auto marked =
        ask_payment(step_.books, call("paid_outside", payment.id).text("txid", step_.options.txid));
    if (!marked) return marked.error();
    return seen(*marked, *known ? std::max<std::int64_t>((*known)->confirmations, 0) : kProofDepth);
  }

 private:
  static BooksCall call(const char* what, std::uint64_t id) {
    return std::move(BooksCall(what).number("id", static_cast<std::int64_t>(id)));
  }

  Status seen(const Payment& payment, std::int64_t confirmations) {
    const auto moved =
        ask_payment(step_.books, call("seen", payment.id).number("confirmations", confirmations));
    if (!moved) return moved.error();
    fmt::print("payment {}: {}, {} confirmations\n", payment.id, payment_state_name(moved->state),
               confirmations);
    return {};
  }

  Status unknown(const Payment& payment) {
    fmt::print("payment {}: {}: the node does not know {}\n", payment.id,
               payment_state_name(payment.state), payment.txid);
    return resend(payment);
  }

  /// The same bytes, as often as it takes.
  Status resend(const Payment& payment) {
    if (payment.transaction.empty() || payment.state == PaymentState::Prepared) return {};
    const auto [outcome, words] = step_.wallet.send(payment.transaction);
    if (outcome == SendOutcome::Sent)
      fmt::print("payment {}: sent again, {}\n", payment.id, payment.txid);
    else
      fmt::print(stderr, "payment {}: not taken: {}\n", payment.id, words);
    return outcome == SendOutcome::Refused ? look_at_coinbases(payment) : Status{};
  }

  /// After a very deep reorg: an input whose coinbase is another one now can never be spent.
  Status look_at_coinbases(const Payment& payment) {
    const auto transaction = transaction_of_hex(payment.transaction);
    if (!transaction) return transaction.error();
    for (const TxIn& input : transaction->inputs) {
      const std::string txid = input.previous.txid.hex();
      const auto parent = step_.wallet.look(txid, "");
      if (!parent) return parent.error();
      if (!*parent || (*parent)->confirmations > 0) continue;
      const auto coinbase = transaction_of_hex((*parent)->hex);
      const auto height = coinbase && coinbase->txid() == input.previous.txid
                              ? coinbase_height(*coinbase)
                              : std::nullopt;
      if (!height) continue;
      const auto there = step_.wallet.coinbase_at(*height);
      if (!there) return there.error();
      if (there->txid == txid || there->confirmations < kProofDepth) continue;
      return make_void(payment, fmt::format("its input, the coinbase {} of height {}, left the "
                                            "chain; {} stands there, {} deep",
                                            txid, *height, there->txid, there->confirmations));
    }
    return {};
  }

  Status conflicted(const Payment& payment, const KnownTransaction& ours) {
    if (payment.transaction.empty())
      return Error{ErrorCode::Refused,
                   fmt::format("payment {}: its bytes are not known here; nothing can be proved",
                               payment.id)};
    const auto transaction = transaction_of_hex(payment.transaction);
    if (!transaction) return transaction.error();
    for (const std::string& txid : ours.conflicts) {
      const auto other = step_.wallet.look(txid, step_.options.block);
      if (!other) return other.error();
      if (!*other || txid == payment.txid) continue;
      const auto rival = transaction_of_hex((*other)->hex);
      if (!rival || rival->txid().hex() != txid || !share_an_input(*transaction, *rival)) continue;
      if ((*other)->confirmations >= kProofDepth)
        return make_void(
            payment, fmt::format("{} spends its input, {} deep", txid, (*other)->confirmations));
      fmt::print("payment {}: {} spends its input, {} deep; it is void at {}\n", payment.id, txid,
                 (*other)->confirmations, kProofDepth);
      return {};
    }
    fmt::print("payment {}: an input is spent elsewhere, but the node shows no proof\n",
               payment.id);
    return {};
  }

  Status make_void(const Payment& payment, const std::string& proof) {
    const auto made = ask_payment(step_.books, call("void", payment.id).text("proof", proof));
    if (!made) return made.error();
    fmt::print("payment {}: void: {}; the amounts are back in the accounts\n", payment.id, proof);
    free_inputs(step_, *made);
    return {};
  }

  PayoutStep step_;
};

}  // namespace

Status payout_settle(PayoutStep step, UnixMillis now) {
  const PayoutCommandOptions& options = step.options;
  const bool one = !options.txid.empty() || !options.conflict.empty();
  if (one && options.id == 0)
    return Error{ErrorCode::Invalid, "--txid and --conflict are of one payment: name it by --id"};
  const auto payments =
      payments_to_look_at(step.books, options.id, UnixMillis(now.value() - kLookBackMillis));
  if (!payments) return payments.error();
  Settler settler(step);
  std::size_t looked = 0;
  for (const Payment& payment : *payments) {
    if (!one && payment.txid.empty()) continue;
    ++looked;
    const Status done = !options.txid.empty()       ? settler.paid_outside(payment)
                        : !options.conflict.empty() ? settler.by_conflict(payment)
                                                    : settler.look_at(payment);
    if (!done) return done;
  }
  if (looked == 0 && options.id != 0)
    return Error{ErrorCode::NotFound, fmt::format("payment {} was never sent", options.id)};
  if (looked == 0) fmt::print("nothing was sent that is not settled\n");
  return {};
}

}  // namespace adit
