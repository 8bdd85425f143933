// SPDX-License-Identifier: MIT
// Verdicts on payments, whatever the order in which a node shows the transactions.
#include "adit/payout/verdict.h"

#include <algorithm>

#include "support/payments_fixture.h"

namespace adit {
namespace {

using namespace test;

/// A payment of three outputs from two coins, which was sent.
struct Sent {
  Payment payment;
  Transaction own;
  std::vector<Payment> all;

  Sent() {
    payment.id = 1;
    payment.state = PaymentState::Broadcast;
    for (const std::uint32_t account : {1u, 2u, 3u})
      payment.outputs.push_back(
          {AccountId(account), address_for(AccountId(account)), Satoshi(account * 10'000)});
    own = funded(payment, 4);
    own.inputs.push_back(own.inputs[0]);
    own.inputs[1].previous.index = 2;
    payment.txid = own.txid().hex();
    payment.transaction = hex_of(own);
    all = {payment};
  }
  /// The same verdict in each order.
  Verdict verdict(std::vector<Sighting> sightings) {
    std::vector<std::size_t> order(sightings.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::optional<Verdict> first;
    do {
      std::vector<Sighting> turned;
      for (const std::size_t i : order) turned.push_back(sightings[i]);
      Verdict now = judge(payment, all, turned, Network::Regtest);
      if (now.by != nullptr) {
        txid = now.by->transaction.txid().hex();
        depth = now.by->confirmations;
      }
      now.by = nullptr;
      if (first) {
        CHECK(now.fate == first->fate);
        CHECK(now.why == first->why);
      } else {
        first = std::move(now);
        first_txid = txid;
      }
      CHECK(txid == first_txid);
    } while (std::next_permutation(order.begin(), order.end()));
    return std::move(*first);
  }
  Fate fate(std::vector<Sighting> sightings) { return verdict(std::move(sightings)).fate; }

  std::string txid, first_txid;  ///< of `by`
  std::int64_t depth = 0;
};

Sighting at(const Transaction& transaction, std::int64_t confirmations) {
  return {transaction, confirmations, "", std::nullopt};
}

Transaction with_input(Transaction transaction, std::size_t index) {
  transaction.inputs = {transaction.inputs[index]};
  return transaction;
}

}  // namespace

TEST_CASE("verdict: its own transaction in the chain is the end of it") {
  Sent sent;
  CHECK(sent.fate({}) == Fate::Waits);
  CHECK(sent.fate({at(sent.own, 0)}) == Fate::Waits);
  CHECK(sent.fate({at(sent.own, -3)}) == Fate::Waits);
  CHECK(sent.fate({at(sent.own, 2), at(rival_of(sent.own), -2)}) == Fate::Paid);
  CHECK(sent.txid == sent.payment.txid);
}

TEST_CASE("verdict: of several rivals the deepest decides") {
  Sent sent;
  const Transaction shallow = rival_of(with_input(sent.own, 0), 1),
                    deep = rival_of(with_input(sent.own, 1), 2);
  const Verdict verdict = sent.verdict({at(sent.own, -6), at(shallow, 1), at(deep, 6)});
  CHECK(verdict.fate == Fate::Void);
  CHECK(sent.txid == deep.txid().hex());
  CHECK(verdict.proof.rival->txid() == deep.txid());
  CHECK(verdict.proof.depth == 6);
  CHECK(verdict.proof.ancestors.empty());
  CHECK(sent.fate({at(shallow, 1), at(deep, 5)}) == Fate::Threatened);
  CHECK(sent.depth == 5);
  CHECK(sent.fate({at(shallow, 0), at(deep, -5)}) == Fate::Waits);
  CHECK(sent.fate({at(funded(sent.payment, 77), 6)}) == Fate::Waits);  // spends other coins
}

TEST_CASE("verdict: what pays all, some or nobody") {
  Sent sent;
  const Transaction bump = bump_of(sent.own), other = rival_of(with_input(sent.own, 1));
  Transaction part = bump;
  std::erase_if(part.outputs, [](const TxOut& out) { return out.script == script_of(2); });
  CHECK(sent.fate({at(sent.own, -1), at(bump, 1)}) == Fate::Paid);
  CHECK(sent.txid == bump.txid().hex());
  const Verdict partly = sent.verdict({at(sent.own, -9), at(part, 9)});
  CHECK(partly.fate == Fate::Partly);
  CHECK(partly.why.find("2 of 3 outputs") != std::string::npos);
  // As long as something that pays may come, what pays nobody makes nothing void.
  const Transaction narrow = with_input(bump, 0);
  CHECK(sent.fate({at(sent.own, -6), at(other, 6)}) == Fate::Void);
  const Verdict held = sent.verdict({at(sent.own, -6), at(other, 6), at(narrow, 0)});
  CHECK(held.fate == Fate::Waits);
  CHECK(held.why.find(narrow.txid().hex()) != std::string::npos);
  CHECK(sent.fate({at(other, 6), at(narrow, 1)}) == Fate::Paid);
  CHECK(sent.fate({at(other, 6), at(narrow, -5)}) == Fate::Waits);
  CHECK(sent.fate({at(other, 6), at(narrow, -6)}) == Fate::Void);
  // The replacement is followed; both must be dead.
  sent.payment.paid_by = narrow.txid().hex();
  sent.payment.paid_by_transaction = hex_of(narrow);
  CHECK(sent.fate({at(other, 6)}) == Fate::Waits);
  CHECK(sent.fate({at(rival_of(sent.own), 6)}) == Fate::Void);
  CHECK(sent.fate({at(sent.own, 3), at(narrow, -3)}) == Fate::Paid);
  CHECK(sent.txid == sent.payment.txid);
}

TEST_CASE("verdict: outputs that are another payment's do not count") {
  Sent sent;
  const Transaction bump = bump_of(sent.own);
  Payment other = sent.payment;
  other.id = 2;
  other.txid = bump.txid().hex();
  other.transaction = hex_of(bump);
  sent.all.push_back(other);
  CHECK(sent.fate({at(bump, 6)}) == Fate::Void);
  sent.all[1].state = PaymentState::Cancelled;
  CHECK(sent.fate({at(bump, 6)}) == Fate::Paid);
}

TEST_CASE("verdict: parents that are gone take it along") {
  Sent sent;
  Transaction grandparent = funded({}, 50), parent = funded({}, 51);
  parent.inputs[0].previous = {grandparent.txid(), 0};
  sent.own.inputs[1].previous = {parent.txid(), 0};
  sent.payment.transaction = hex_of(sent.own);
  sent.payment.txid = sent.own.txid().hex();
  const Transaction rival = rival_of(grandparent), bystander = funded({}, 52);
  const std::vector<Sighting> family = {at(parent, -6), at(grandparent, -6), at(rival, 6),
                                        at(bystander, 0)};
  const Verdict verdict = sent.verdict(family);
  CHECK(verdict.fate == Fate::Void);
  CHECK(verdict.proof.ancestors.size() == 2);
  CHECK(why_dead(sent.own, verdict.proof, {}) == verdict.why);
  CHECK(sent.fate({at(parent, 0), at(rival, 6)}) == Fate::Waits);  // a link is missing
  Payment first = sent.payment;
  first.id = 9;
  first.state = PaymentState::Void;
  first.txid = grandparent.txid().hex();
  sent.all.push_back(first);
  CHECK(sent.verdict({at(parent, 0)}).why ==
        "its input is of " + parent.txid().hex() + ": its input is of payment 9, which is void");
  CHECK(sent.fate({at(parent, 0)}) == Fate::Void);
  CHECK(sent.fate({at(parent, 0), at(sent.own, 1)}) == Fate::Paid);
}

}  // namespace adit
