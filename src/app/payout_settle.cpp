// SPDX-License-Identifier: MIT
// `adit payout settle`: what became of payments that were sent. Only the chain moves them: no
// answer, or a node that does not know, changes nothing.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "app/books_reader.h"
#include "app/payout_sightings.h"
#include "app/payout_wallet.h"

namespace adit {
namespace {

/// Final payments are looked at for so long after: a deep reorg may take one back.
constexpr std::int64_t kLookBackMillis = 14LL * 86'400'000;
constexpr std::int64_t kProofDepth = Payments::kFinalDepth;

/// One payment, for one look at it.
class Settler {
 public:
  Settler(PayoutStep step, const std::vector<Payment>& payments, const Payment& payment)
      : step_(step), payments_(payments), payment_(payment), sightings_(step.wallet, payments) {}

  Status look_at() {
    const std::string& named = step_.options.block;
    const std::string block = named.empty() ? payment_.block : named;
    if (const Status seen = look_at_own(block); !seen) return seen;
    Verdict verdict = judged();
    if (verdict.fate == Fate::Waits) {
      const auto parents = wait_for(verdict);
      if (!parents || !*parents) return parents ? Status{} : parents.error();
      if (const Status seen = sightings_.look_at_parents(payment_); !seen) return seen;
      verdict = judged();
      if (verdict.fate == Fate::Waits && is_conflicted())
        say("an input is spent elsewhere, but the node shows no proof");
    }
    return act_on(verdict);
  }

  /// The operator names the transaction that spent an input.
  Status by_conflict(const std::string& rival) {
    if (payment_.transaction.empty())
      return Error{ErrorCode::Refused, "its bytes are not known here; nothing can be proved"};
    const auto known = sightings_.look(rival, step_.options.block);
    if (!known) return known.error();
    if (!*known)
      return Error{ErrorCode::NotFound,
                   "the node does not know " + rival + ": name its block with --block HASH"};
    if (const Status seen = look_at_own(payment_.block); !seen) return seen;
    Verdict verdict = judged();
    if (verdict.fate == Fate::Waits && verdict.why.empty()) {
      if (const Status seen = sightings_.look_at_parents(payment_); !seen) return seen;
      verdict = judged();
    }
    if (verdict.fate == Fate::Waits)
      say(verdict.why.empty() ? rival + " is no proof that it can never be in a block"
                              : verdict.why);
    return act_on(verdict);
  }

  Status paid_outside(const std::string& txid) {
    const std::string& block = step_.options.block;
    const auto known = sightings_.look(txid, block);
    if (!known) return known.error();
    if (!*known && !step_.options.unchecked)
      return Error{ErrorCode::NotFound,
                   "the node does not know this transaction: name its block with --block HASH, or "
                   "take it as paid with --unchecked"};
    const Sighting* seen = sightings_.find(txid);
    if (const Status named = name_outside(txid, seen, block); !named) return named;
    if (seen == nullptr) return mark_seen(kProofDepth, "");
    return settle_at(*seen);
  }

  Status not_paid() {
    const auto moved = ask_payment(step_.books, call("not_paid"));
    if (!moved) return moved.error();
    say("exported: no transaction counts as having paid it");
    return {};
  }

  /// As it is now.
  const Payment& payment() const { return payment_; }
  bool changed() const { return changed_; }

 private:
  BooksCall call(const char* what) const {
    return std::move(BooksCall(what).number("id", static_cast<std::int64_t>(payment_.id)));
  }
  void say(const std::string& text) {
    changed_ = true;
    fmt::print("payment {}: {}\n", payment_.id, text);
  }
  Verdict judged() const {
    return judge(payment_, payments_, sightings_.all(), step_.config.pool.network);
  }

  Status look_at_own(const std::string& block) {
    for (const std::string* txid : {&payment_.paid_by, &payment_.txid}) {
      if (txid->empty()) continue;
      const auto known = sightings_.look(*txid, block);
      if (!known) return known.error();
    }
    const Sighting* own = sightings_.find(payment_.txid);
    if (own == nullptr || !payment_.outside || !payment_.transaction.empty()) return {};
    return name_outside(payment_.txid, own, own->block);
  }

  /// With the bytes, as soon as a node shows them.
  Status name_outside(const std::string& txid, const Sighting* seen, const std::string& block) {
    const auto named = ask_payment(
        step_.books,
        call("paid_outside")
            .text("txid", txid)
            .text("transaction", seen != nullptr ? to_hex(seen->transaction.serialize()) : "")
            .text("block", block));
    return named ? tell(*named) : named.error();
  }

  /// Nothing is in the chain that pays it. True: its parents may tell why.
  Result<bool> wait_for(const Verdict& verdict) {
    const Sighting* own = sightings_.find(followed_txid(payment_));
    if (payment_.state != PaymentState::Prepared && own != nullptr)
      if (const Status marked = mark_seen(0, ""); !marked) return marked.error();
    if (!verdict.why.empty()) {
      say(verdict.why);
      return false;
    }
    if (own == nullptr && payment_.state == PaymentState::Prepared)
      say("prepared, not sent yet: adit payout broadcast");
    else if (own == nullptr && payment_.state != PaymentState::Final)
      say(fmt::format("{}: the node does not know {}", payment_state_name(payment_.state),
                      followed_txid(payment_)));
    if (is_conflicted() || payment_.outside || payment_.state == PaymentState::Prepared)
      return is_conflicted();
    return resend();
  }

  bool is_conflicted() const {
    const Sighting* own = sightings_.find(followed_txid(payment_));
    return own != nullptr && own->confirmations < 0;
  }

  /// The same bytes, as often as it takes. True: the node refuses them.
  bool resend() {
    const bool waits = step_.wallet.in_mempool(payment_.txid);
    const auto [outcome, words] = step_.wallet.send(payment_.transaction);
    if (outcome == SendOutcome::Sent && !waits) say("sent again, " + payment_.txid);
    if (!words.empty()) fmt::print(stderr, "payment {}: not taken: {}\n", payment_.id, words);
    return outcome == SendOutcome::Refused;
  }

  Status act_on(const Verdict& verdict) {
    switch (verdict.fate) {
      case Fate::Waits:
        return {};
      case Fate::Paid:
        return settle_at(*verdict.by);
      case Fate::Partly:
        return Error{ErrorCode::Refused,
                     verdict.why +
                         ", and spends its input: it is neither paid nor void, and only "
                         "a person can sort it out"};
      case Fate::Threatened:
        if (const Status marked = mark_seen(0, ""); !marked) return marked;
        say(fmt::format("{}; it is void at {}", verdict.why, kProofDepth));
        return {};
      case Fate::Void:
        return make_void(verdict);
    }
    return {};
  }

  /// What may be final waits for the nodes that know better.
  Status settle_at(const Sighting& seen) {
    std::int64_t depth = std::max<std::int64_t>(seen.confirmations, 0);
    if (depth >= kProofDepth && payment_.state != PaymentState::Final)
      if (held_back(seen)) depth = kProofDepth - 1;
    const std::string txid = seen.transaction.txid().hex();
    if (txid == followed_txid(payment_)) return mark_seen(depth, seen.block);
    const auto paid =
        ask_payment(step_.books, call("paid_by")
                                     .text("transaction", to_hex(seen.transaction.serialize()))
                                     .number("fee", seen.fee.value_or(payment_.fee).value())
                                     .number("confirmations", depth)
                                     .text("block", seen.block));
    if (!paid) return paid.error();
    if (paid->paid_by == txid)
      say(fmt::format("{} replaced {} and pays the same", txid, payment_.txid));
    return tell(*paid);
  }

  Status mark_seen(std::int64_t confirmations, const std::string& block) {
    if (payment_.state == PaymentState::Final) return {};
    const auto moved = ask_payment(
        step_.books, call("seen").number("confirmations", confirmations).text("block", block));
    return moved ? tell(*moved) : moved.error();
  }

  Status tell(const Payment& moved) {
    if (moved.state != payment_.state || moved.confirmations != payment_.confirmations)
      say(fmt::format("{}, {} confirmations", payment_state_name(moved.state),
                      moved.confirmations));
    payment_ = moved;
    return {};
  }

  Status make_void(const Verdict& verdict) {
    if (verdict.by != nullptr && held_back(*verdict.by)) return mark_seen(0, "");
    const auto made = ask_payment(step_.books, call("void").proof(verdict.proof));
    if (!made) return made.error();
    payment_ = *made;
    say(fmt::format("void: {}; the amounts are back in the accounts{}", made->detail,
                    made->outside ? ": the other tool must not pay its key any more" : ""));
    if (!made->outside) free_inputs(step_, *made);
    return {};
  }

  bool held_back(const Sighting& seen) {
    if (seen.block.empty()) return false;
    const auto objection = step_.wallet.objection(seen.block, kProofDepth);
    if (objection) say(*objection + ": nothing is final until the nodes agree");
    return objection.has_value();
  }

  PayoutStep step_;
  const std::vector<Payment>& payments_;
  Payment payment_;
  PayoutSightings sightings_;
  bool changed_ = false;
};

/// The option's txid as nodes write it; empty: it was not given.
Result<std::string> txid_of(const std::string& option, const std::string& text) {
  if (text.empty()) return std::string();
  const auto txid = Txid::from_hex(text);
  if (!txid) return Error{ErrorCode::Invalid, option + ": a txid is 64 hex digits"};
  return txid->hex();
}

/// Every payment, also those that are closed: what is looked at may be their child, or their rival.
Result<std::vector<Payment>> every_payment(const Config& config) {
  const auto store = open_books_reader(config.data_dir);
  if (!store) return store.error();
  std::vector<Payment> out;
  const Status read = for_each_payment(**store, [&](const Payment& payment) {
    out.push_back(payment);
    return true;
  });
  if (!read) return read.error();
  return out;
}

}  // namespace

Status payout_settle(PayoutStep step, UnixMillis now) {
  const PayoutCommandOptions& options = step.options;
  const auto txid = txid_of("--txid", options.txid);
  const auto conflict = txid_of("--conflict", options.conflict);
  if (!txid) return txid.error();
  if (!conflict) return conflict.error();
  const bool one = !txid->empty() || !conflict->empty() || options.not_paid;
  if ((one || !options.block.empty()) && options.id == 0)
    return Error{ErrorCode::Invalid,
                 "--txid, --conflict, --block and --not-paid are of one payment: name it by --id"};
  const auto payments =
      payments_to_look_at(step.books, options.id, UnixMillis(now.value() - kLookBackMillis));
  if (!payments) return payments.error();
  auto all = every_payment(step.config);
  if (!all) return all.error();
  std::size_t looked = 0, failed = 0;
  bool changed = false;
  for (const Payment& payment : *payments) {
    if (!one && payment.txid.empty()) continue;
    ++looked;
    Settler settler(step, *all, payment);
    const Status done = !txid->empty()       ? settler.paid_outside(*txid)
                        : !conflict->empty() ? settler.by_conflict(*conflict)
                        : options.not_paid   ? settler.not_paid()
                                             : settler.look_at();
    changed = changed || settler.changed();
    for (Payment& known : *all)
      if (known.id == payment.id) known = settler.payment();  // its children are judged by it
    if (done) continue;
    ++failed;
    fmt::print(stderr, "payment {}: {}\n", payment.id, done.error().text);
  }
  if (looked == 0 && options.id != 0)
    return Error{ErrorCode::NotFound, fmt::format("payment {} was never sent", options.id)};
  if (failed != 0)
    return Error{ErrorCode::Refused, fmt::format("{} of {} payments failed", failed, looked)};
  if (looked == 0) fmt::print("nothing was sent that is not settled\n");
  if (looked != 0 && !changed) fmt::print("nothing changed\n");
  return {};
}

}  // namespace adit
