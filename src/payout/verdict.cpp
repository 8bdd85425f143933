// SPDX-License-Identifier: MIT
#include "adit/payout/verdict.h"

#include <algorithm>

#include "adit/bitcoin/address.h"

namespace adit {
namespace {

/// Whether only one of them can be in the chain: an input of both, or coinbases of one height.
bool conflict(const Transaction& a, const Transaction& b) {
  const auto height = coinbase_height(a);
  if (height) return height == coinbase_height(b) && a.txid() != b.txid();
  for (const TxIn& input : a.inputs)
    for (const TxIn& other : b.inputs)
      if (input.previous == other.previous && input.previous != kNoOutPoint)
        return a.txid() != b.txid();
  return false;
}

std::string direct_cause(const Transaction& dead, const Transaction& rival, std::int64_t depth) {
  const auto height = coinbase_height(dead);
  if (!height) return rival.txid().hex() + " spends its input, " + std::to_string(depth) + " deep";
  return "the coinbase " + dead.txid().hex() + " of height " + std::to_string(*height) +
         " left the chain; " + rival.txid().hex() + " stands there, " + std::to_string(depth) +
         " deep";
}

/// Which of the ancestors are dead by a proof, and why.
class Dead {
 public:
  Dead(const VoidProof& proof, const VoidPayments& voids) : proof_(proof), voids_(voids) {
    std::vector<Txid> txids;
    for (const Transaction& one : proof.ancestors) txids.push_back(one.txid());
    for (bool more = true; more;) {  // each pass but the last finds one more
      more = false;
      for (std::size_t i = 0; i < txids.size(); ++i)
        if (causes_.count(txids[i]) == 0)
          if (auto cause = cause_of(proof.ancestors[i]))
            more = causes_.emplace(txids[i], std::move(*cause)).second;
    }
  }

  std::optional<std::string> cause_of(const Transaction& one) const {
    if (proof_.rival && conflict(one, *proof_.rival))
      return direct_cause(one, *proof_.rival, proof_.depth);
    for (const TxIn& input : one.inputs) {
      const auto payment = voids_.find(input.previous.txid);
      if (payment != voids_.end())
        return "its input is of payment " + std::to_string(payment->second) + ", which is void";
      const auto parent = causes_.find(input.previous.txid);
      if (parent != causes_.end())
        return "its input is of " + parent->first.hex() + ": " + parent->second;
    }
    return std::nullopt;
  }
  bool has(const Transaction& one) const { return causes_.count(one.txid()) != 0; }

 private:
  const VoidProof& proof_;
  const VoidPayments& voids_;
  std::map<Txid, std::string> causes_;
};

class Judge {
 public:
  Judge(const Payment& payment, const std::vector<Payment>& payments,
        const std::vector<Sighting>& sightings, Network network)
      : payment_(payment),
        payments_(payments),
        sightings_(sightings),
        network_(network),
        payers_(payers_of(payment)) {
    for (const Payment& one : payments) note_void(voids_, one.id, one.state, one.txid, one.paid_by);
    for (const Sighting& one : sightings)
      if (one.confirmations <= 0) absent_.push_back(one.transaction);
  }

  Verdict verdict() {
    for (const Sighting& one : sightings_) weigh(one);
    if (paid_.by != nullptr) return paid_;
    if (partly_.by != nullptr) return partly_;
    if (!held_.why.empty()) return held_;
    if (auto by_parent = condemn(nullptr)) return std::move(*by_parent);
    return rival_;
  }

 private:
  void weigh(const Sighting& one) {
    const std::string txid = one.transaction.txid().hex();
    if (txid == payment_.txid || txid == payment_.paid_by) {
      if (one.confirmations > 0) keep_deepest(paid_, Fate::Paid, one);
      return;
    }
    if (!stands_against_a_payer(one)) return;
    std::vector<TxOut> outputs = unclaimed(one.transaction, txid);
    const auto paid = take_paid(outputs, payment_, network_);
    const bool in_chain = one.confirmations > 0;
    if (paid.empty()) {
      if (!in_chain || (rival_.by != nullptr && rival_.by->confirmations >= one.confirmations))
        return;
      if (auto found = condemn(&one)) rival_ = std::move(*found);
    } else if (in_chain && paid.size() == payment_.outputs.size()) {
      keep_deepest(paid_, Fate::Paid, one);
    } else if (in_chain) {
      keep_deepest(partly_, Fate::Partly, one);
      if (partly_.by == &one) partly_.why = txid + " pays " + paid_text(payment_, paid);
    } else if (one.confirmations > -std::int64_t{Payments::kFinalDepth}) {
      held_.why = txid + ", which may still be in a block, pays " + paid_text(payment_, paid);
    }
  }

  static void keep_deepest(Verdict& verdict, Fate fate, const Sighting& one) {
    verdict.fate = fate;
    if (verdict.by == nullptr || verdict.by->confirmations < one.confirmations) verdict.by = &one;
  }

  VoidProof proof_of(const Sighting* rival) const {
    VoidProof proof;
    proof.ancestors = absent_;
    if (rival != nullptr) proof.rival = rival->transaction, proof.depth = rival->confirmations;
    return proof;
  }

  bool stands_against_a_payer(const Sighting& one) const {
    const VoidProof proof = proof_of(&one);
    const VoidPayments none;
    const Dead dead(proof, none);
    return std::any_of(payers_.begin(), payers_.end(),
                       [&](const Transaction& payer) { return dead.cause_of(payer).has_value(); });
  }

  /// Void, or on the way to it, if nothing that would pay can live beside the rival (nullptr: the
  /// parents alone decide).
  std::optional<Verdict> condemn(const Sighting* rival) const {
    VoidProof proof = proof_of(rival);
    const Dead dead(proof, voids_);
    Verdict verdict;
    for (const Transaction& payer : payers_) {
      const auto cause = dead.cause_of(payer);
      if (!cause) return std::nullopt;
      verdict.why = *cause;
    }
    if (payers_.empty()) return std::nullopt;
    std::vector<Transaction> needed;
    for (const Transaction& one : proof.ancestors)
      if (dead.has(one) && !is_payer(one)) needed.push_back(one);
    const bool deep = rival == nullptr || rival->confirmations >= Payments::kFinalDepth;
    verdict.fate = deep ? Fate::Void : Fate::Threatened;
    verdict.by = rival;
    verdict.proof = {std::move(proof.rival), proof.depth, std::move(needed)};
    return verdict;
  }

  bool is_payer(const Transaction& one) const {
    return std::any_of(payers_.begin(), payers_.end(),
                       [&](const Transaction& payer) { return payer.txid() == one.txid(); });
  }

  std::vector<TxOut> unclaimed(const Transaction& transaction, const std::string& txid) const {
    std::vector<TxOut> outputs = transaction.outputs;
    for (const Payment& one : payments_)
      if (one.id != payment_.id && claims(one.state, one.txid, one.paid_by, txid))
        (void)take_paid(outputs, one, network_);
    return outputs;
  }

  const Payment& payment_;
  const std::vector<Payment>& payments_;
  const std::vector<Sighting>& sightings_;
  Network network_;
  std::vector<Transaction> payers_, absent_;
  VoidPayments voids_;
  Verdict paid_, partly_, held_, rival_;
};

}  // namespace

void note_void(VoidPayments& voids, std::uint64_t id, PaymentState state, const std::string& txid,
               const std::string& paid_by) {
  if (state != PaymentState::Void) return;
  for (const std::string* text : {&txid, &paid_by})
    if (const auto parsed = Txid::from_hex(*text)) voids.emplace(*parsed, id);
}

std::optional<std::string> why_dead(const Transaction& transaction, const VoidProof& proof,
                                    const VoidPayments& voids) {
  return Dead(proof, voids).cause_of(transaction);
}

std::vector<Transaction> payers_of(const Payment& payment) {
  std::vector<Transaction> out;
  for (const std::string* hex : {&payment.transaction, &payment.paid_by_transaction}) {
    const auto bytes = from_hex(*hex);
    if (!bytes || bytes->empty()) continue;
    if (auto transaction = Transaction::parse(*bytes)) out.push_back(std::move(*transaction));
  }
  return out;
}

bool claims(PaymentState state, const std::string& payment_txid, const std::string& paid_by,
            const std::string& txid) {
  return state != PaymentState::Void && state != PaymentState::Cancelled &&
         (payment_txid == txid || paid_by == txid);
}

std::vector<PaymentOutput> take_paid(std::vector<TxOut>& outputs, const Payment& payment,
                                     Network network) {
  std::vector<PaymentOutput> paid;
  for (const PaymentOutput& output : payment.outputs) {
    const auto address = parse_address(output.address, network);
    if (!address) continue;
    const auto at =
        std::find(outputs.begin(), outputs.end(), TxOut{output.amount, address->script});
    if (at == outputs.end()) continue;
    outputs.erase(at);
    paid.push_back(output);
  }
  return paid;
}

std::string paid_text(const Payment& payment, const std::vector<PaymentOutput>& paid) {
  std::string list;
  for (const PaymentOutput& output : paid)
    list += (list.empty() ? "" : ", ") + output.address + " " +
            std::to_string(output.amount.value()) + " sat";
  return std::to_string(paid.size()) + " of " + std::to_string(payment.outputs.size()) +
         " outputs (" + list + ")";
}

Verdict judge(const Payment& payment, const std::vector<Payment>& payments,
              const std::vector<Sighting>& sightings, Network network) {
  return Judge(payment, payments, sightings, network).verdict();
}

}  // namespace adit
