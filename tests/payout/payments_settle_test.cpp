// SPDX-License-Identifier: MIT
// What becomes of payments that were sent: replaced, void by proof, paid by another tool.
#include "support/payments_fixture.h"

namespace adit {
namespace {

using namespace test;

ErrorCode code_of(const Status& status) {
  REQUIRE_FALSE(status.ok());
  CHECK_FALSE(status.error().text.empty());
  return status.error().code;
}

constexpr std::int64_t kFirst = 12'345'678, kSecond = 50'000, kThird = 900'000;

/// Three accounts are due: 1, 2 and 3.
struct Due : PaymentBooks {
  Due() { earn(); }
  void earn() {
    REQUIRE(credit(1, kFirst).ok());
    REQUIRE(credit(2, kSecond).ok());
    REQUIRE(credit(3, kThird).ok());
  }
  /// A payment that was sent; `transaction` pays it for a fee of 300.
  Payment sent(const Transaction& transaction, std::uint64_t id) {
    REQUIRE(payments->prepare(id, hex_of(signed_of(transaction)), Satoshi(300), now).ok());
    REQUIRE(payments->mark_broadcast(id, now).ok());
    return get(id);
  }
  Payment exported() {
    const Payment payment = planned();
    REQUIRE(payments->mark_exported(payment.id, now).ok());
    return get(payment.id);
  }
  Status outside(std::uint64_t id, const Transaction& transaction) {
    return payments->mark_paid_outside(id, transaction.txid().hex(), hex_of(transaction), "", now);
  }
  void check_back(std::uint64_t id) {
    CHECK(get(id).state == PaymentState::Void);
    CHECK(balance(1) == Satoshi(kFirst));
    CHECK(balance(2) == Satoshi(kSecond));
    CHECK(balance(3) == Satoshi(kThird));
    for (const Book& book : {kPaidBook, kFeesBook, kPoolBook, Book::payment(id)})
      CHECK(journal->balance(book) == Satoshi(0));
    CHECK(problems().empty());
  }
  void check_paid(std::uint64_t id, std::int64_t fee) {
    CHECK(get(id).state == PaymentState::Final);
    CHECK(balance(1) == Satoshi(0));
    CHECK(journal->balance(kPaidBook) == get(id).sum);
    CHECK(journal->balance(kFeesBook) == Satoshi(fee));
    CHECK(journal->balance(kPoolBook) == Satoshi(-fee));
    CHECK(problems().empty());
  }
};

}  // namespace

TEST_CASE("cancel and void: amounts return to their accounts, once") {
  for (const bool was_final : {false, true}) {
    Due books;
    Payments& payments = *books.payments;
    const Payment first = books.planned();
    const Transaction rival = rival_of(funded(first, 4));
    for (int twice = 0; twice < 2; ++twice) REQUIRE(payments.cancel(1, books.now).ok());
    CHECK(books.balance(1) == Satoshi(kFirst));
    CHECK(code_of(payments.make_void(1, proof_by(rival), books.now)) == ErrorCode::Conflict);
    const Payment second = books.planned();
    CHECK(second.outputs == first.outputs);
    CHECK(second.idempotency_key != first.idempotency_key);
    CHECK(code_of(payments.make_void(2, proof_by(rival), books.now)) == ErrorCode::Conflict);
    books.sent(funded(second, 4), 2);
    REQUIRE(payments.mark_seen(2, was_final ? 6 : 3, books.now).ok());
    CHECK(code_of(payments.make_void(2, {}, books.now)) == ErrorCode::Refused);
    CHECK(code_of(payments.make_void(2, proof_by(rival, 5), books.now)) == ErrorCode::Refused);
    CHECK(code_of(payments.make_void(2, proof_by(funded(second, 5)), books.now)) ==
          ErrorCode::Refused);  // spends other coins
    CHECK(code_of(payments.make_void(2, proof_by(funded(second, 4)), books.now)) ==
          ErrorCode::Refused);  // is the payment itself
    for (int twice = 0; twice < 2; ++twice)
      REQUIRE(payments.make_void(2, proof_by(rival), books.now).ok());
    CHECK(books.get(2).detail == rival.txid().hex() + " spends its input, 6 deep");
    books.check_back(2);
    CHECK(code_of(payments.mark_seen(2, 6, books.now)) == ErrorCode::Conflict);
  }
}

TEST_CASE("a replacement that pays everybody is followed, with its own fee; nobody is paid again") {
  for (const bool was_final : {false, true}) {
    CAPTURE(was_final);
    Due books;
    Payments& payments = *books.payments;
    const Transaction own = funded(books.planned(), 4), bump = bump_of(own);
    const Payment before = books.sent(own, 1);
    if (was_final) REQUIRE(payments.mark_seen(1, 6, books.now).ok());
    CHECK(code_of(payments.make_void(1, proof_by(bump), books.now)) == ErrorCode::Refused);
    const auto paid_by = [&](const Transaction& payer, std::uint32_t depth) {
      return payments.mark_paid_by(1, payer, Satoshi(1'300), depth, "b" + std::to_string(depth),
                                   books.now);
    };
    REQUIRE(paid_by(bump, 2).ok());
    if (!was_final) {
      CHECK(books.get(1).state == PaymentState::Seen);
      CHECK(books.get(1).block == "b2");
      REQUIRE(payments.mark_seen(1, 0, books.now).ok());  // a reorg
      CHECK(books.get(1).state == PaymentState::Broadcast);
      REQUIRE(paid_by(own, 1).ok());  // its own is back
      CHECK(books.get(1).paid_by.empty());
      CHECK(books.get(1).state == PaymentState::Seen);
    }
    for (int twice = 0; twice < 2; ++twice) REQUIRE(paid_by(bump, 6).ok());
    const Payment after = books.get(1);
    CHECK(after.paid_by == bump.txid().hex());
    CHECK(followed_txid(after) == after.paid_by);
    CHECK(after.transaction == before.transaction);
    CHECK(after.txid == before.txid);
    books.check_paid(1, 1'300);
    books.reopen();
    CHECK(books.get(1) == after);
    CHECK_FALSE(books.payments->plan(books.rules, books.now).ok());
    // Both gone by what spends the input of both.
    REQUIRE(books.payments->make_void(1, proof_by(rival_of(own)), books.now).ok());
    books.check_back(1);
  }
}

TEST_CASE("a rival that pays some: neither void nor paid, and the text says whom") {
  Due books;
  const Transaction own = funded(books.planned(), 4);
  books.sent(own, 1);
  Transaction rival = bump_of(own);
  std::erase_if(rival.outputs, [](const TxOut& out) { return out.script == script_of(2); });
  const Status refused = books.payments->make_void(1, proof_by(rival), books.now);
  CHECK(code_of(refused) == ErrorCode::Refused);
  CHECK(refused.error().text.find("pays 2 of 3 outputs (" + address_for(AccountId(1)) +
                                  " 12345678 sat, ") != std::string::npos);
  CHECK(code_of(books.payments->mark_paid_by(1, rival, Satoshi(1), 6, "", books.now)) ==
        ErrorCode::Refused);
  Transaction unrelated = bump_of(funded(books.get(1), 5));
  CHECK(code_of(books.payments->mark_paid_by(1, unrelated, Satoshi(1), 6, "", books.now)) ==
        ErrorCode::Refused);
  CHECK(books.get(1).state == PaymentState::Broadcast);
}

TEST_CASE("a rival that is another payment's own transaction pays only that one") {
  Due books;
  const Transaction own = funded(books.planned(), 4);
  books.sent(own, 1);
  books.earn();  // the same amounts again, paid from the same coin: a lock was lost
  const Payment second = books.planned();
  const Transaction rival = bump_of(own);
  books.sent(rival, second.id);
  REQUIRE(books.payments->mark_seen(second.id, 6, books.now).ok());
  CHECK(code_of(books.payments->mark_paid_by(1, rival, Satoshi(1), 6, "", books.now)) ==
        ErrorCode::Refused);
  REQUIRE(books.payments->make_void(1, proof_by(rival), books.now).ok());
  CHECK(books.balance(1) == Satoshi(kFirst));
}

TEST_CASE("void because a parent is: a void payment's change, a coinbase that is gone, strangers") {
  const auto child_of = [](const Transaction& parent, const Payment& payment) {
    Transaction child = funded(payment, 7);
    child.inputs[0].previous = {parent.txid(), 0};
    return child;
  };
  for (const int generations : {1, 3}) {
    CAPTURE(generations);
    Due books;
    std::vector<Transaction> parents = {funded({}, 9)};
    while (static_cast<int>(parents.size()) < generations)
      parents.insert(parents.begin(), child_of(parents.front(), {}));
    const Transaction rival = rival_of(parents.back());
    books.sent(child_of(parents.front(), books.planned()), 1);
    CHECK_FALSE(books.payments->make_void(1, {rival, 5, parents}, books.now).ok());
    auto broken = parents;
    broken.pop_back();
    CHECK_FALSE(books.payments->make_void(1, {rival, 6, broken}, books.now).ok());
    REQUIRE(books.payments->make_void(1, {rival, 6, parents}, books.now).ok());
    CHECK(books.get(1).detail.find(rival.txid().hex()) != std::string::npos);
    books.check_back(1);
  }
  {
    Due books;
    const Transaction own = funded(books.planned(), 4);
    books.sent(own, 1);
    REQUIRE(books.credit(1, 70'000).ok());
    books.sent(child_of(own, books.planned()), 2);
    CHECK_FALSE(books.payments->make_void(2, {}, books.now).ok());
    REQUIRE(books.payments->make_void(1, proof_by(rival_of(own)), books.now).ok());
    REQUIRE(books.payments->make_void(2, {}, books.now).ok());
    CHECK(books.get(2).detail == "its input is of payment 1, which is void");
    CHECK(books.balance(1) == Satoshi(kFirst + 70'000));
    CHECK(books.problems().empty());
  }
  Due books;
  const auto coinbase = [](std::uint32_t height, std::int64_t value) {
    Transaction made = rival_of(funded({}, 1), value);
    made.inputs[0].previous = kNoOutPoint;
    made.inputs[0].script_sig = height_push(height);
    return made;
  };
  books.sent(child_of(coinbase(700, 1), books.planned()), 1);
  const auto gone = [&](std::uint32_t height, std::int64_t value) {
    return books.payments->make_void(1, {coinbase(height, value), 6, {coinbase(700, 1)}},
                                     books.now);
  };
  CHECK_FALSE(gone(701, 2).ok());  // two coinbases spend the same nothing
  CHECK_FALSE(gone(700, 1).ok());
  REQUIRE(gone(700, 2).ok());
  CHECK(books.get(1).detail.find("left the chain") != std::string::npos);
}

TEST_CASE("export: one key, paid by another tool's transaction") {
  Due books;
  Payments& payments = *books.payments;
  const Payment payment = books.planned();
  const Transaction paid = funded(payment, 1);
  Transaction wrong = bump_of(paid);
  wrong.outputs[0].value -= Satoshi(1);
  CHECK(code_of(books.outside(1, paid)) == ErrorCode::Conflict);
  for (int twice = 0; twice < 2; ++twice) REQUIRE(payments.mark_exported(1, books.now).ok());
  CHECK(code_of(payments.prepare(1, hex_of(signed_of(paid)), Satoshi(1), books.now)) ==
        ErrorCode::Conflict);
  CHECK(code_of(payments.mark_seen(1, 6, books.now)) == ErrorCode::Conflict);
  CHECK(code_of(payments.mark_paid_outside(1, "abc", "", "", books.now)) == ErrorCode::Invalid);
  CHECK(code_of(payments.mark_paid_outside(1, std::string(64, 'a'), hex_of(paid), "", books.now)) ==
        ErrorCode::Invalid);
  CHECK(code_of(books.outside(1, wrong)) == ErrorCode::Refused);
  REQUIRE(payments.mark_paid_outside(1, std::string(64, 'b'), "", "", books.now).ok());
  REQUIRE(books.outside(1, paid).ok());  // mistyped before
  REQUIRE(payments.mark_paid_outside(1, paid.txid().hex(), "", "00ff", books.now).ok());
  CHECK(books.get(1).block == "00ff");
  REQUIRE(payments.mark_seen(1, 0, books.now).ok());
  CHECK(books.get(1).state == PaymentState::Seen);
  CHECK(books.get(1).transaction == hex_of(paid));
  CHECK(code_of(payments.cancel(1, books.now)) == ErrorCode::Conflict);
  CHECK(code_of(payments.mark_not_paid(1, books.now)) == ErrorCode::Conflict);
  CHECK(code_of(books.outside(1, funded(payment, 2))) == ErrorCode::Conflict);
  REQUIRE(payments.mark_seen(1, 2, books.now).ok());
  REQUIRE(payments.mark_paid_by(1, bump_of(paid), Satoshi(5), 6, "", books.now).ok());
  books.check_paid(1, 0);  // whoever paid it paid the fee
  REQUIRE(payments.make_void(1, proof_by(rival_of(paid)), books.now).ok());
  books.check_back(1);
}

TEST_CASE("export: an operator's word can be taken back, as long as nothing shows the bytes") {
  for (const std::uint32_t depth : {0u, 6u}) {
    Due books;
    Payments& payments = *books.payments;
    const Payment payment = books.exported();
    CHECK(payments.mark_not_paid(1, books.now).ok());
    const auto word = [&](char digit) {
      return payments.mark_paid_outside(1, std::string(64, digit), "", "", books.now);
    };
    REQUIRE(word('a').ok());
    REQUIRE(payments.mark_seen(1, depth, books.now).ok());
    REQUIRE(word('a').ok());
    CHECK(books.journal->balance(kPaidBook) == (depth == 6 ? payment.sum : Satoshi(0)));
    REQUIRE(word('b').ok());
    CHECK(books.get(1).state == PaymentState::Seen);
    CHECK(books.get(1).confirmations == 0);
    CHECK(books.journal->balance(kPaidBook) == Satoshi(0));
    REQUIRE(payments.mark_seen(1, depth, books.now).ok());
    for (int twice = 0; twice < 2; ++twice) REQUIRE(payments.mark_not_paid(1, books.now).ok());
    CHECK(books.get(1).state == PaymentState::Exported);
    CHECK(books.get(1).txid.empty());
    CHECK(books.journal->balance(Book::payment(1)) == payment.sum);
    REQUIRE(payments.cancel(1, books.now).ok());
    CHECK(books.balance(1) == Satoshi(kFirst));
    CHECK(books.problems().empty());
  }
  Due books;
  const Transaction own = funded(books.planned(), 4);
  books.sent(own, 1);
  REQUIRE(books.payments->mark_seen(1, 6, books.now).ok());
  CHECK(code_of(books.payments->mark_not_paid(1, books.now)) == ErrorCode::Conflict);
}

TEST_CASE("export: a transaction settles as many payments as it pays") {
  Due books;
  const Payment first = books.exported();
  const Transaction one = funded(first, 1);
  REQUIRE(books.outside(1, one).ok());
  books.earn();  // the same amounts again
  books.exported();
  CHECK(code_of(books.outside(2, one)) == ErrorCode::Refused);
  CHECK(code_of(books.payments->mark_paid_outside(2, one.txid().hex(), "", "", books.now)) ==
        ErrorCode::Refused);
  REQUIRE(books.payments->mark_seen(1, 6, books.now).ok());
  CHECK(code_of(books.outside(2, one)) == ErrorCode::Refused);
  CHECK(books.get(2).state == PaymentState::Exported);
  books.earn();
  books.exported();
  Transaction both = funded(first, 3);
  for (const PaymentOutput& output : first.outputs)
    both.outputs.push_back({output.amount, script_of(output.account.value())});
  REQUIRE(books.outside(2, both).ok());
  REQUIRE(books.outside(3, both).ok());
  books.earn();
  books.exported();
  CHECK(code_of(books.outside(4, both)) == ErrorCode::Refused);
}

}  // namespace adit
