// SPDX-License-Identifier: MIT
// What payments promise while nothing goes wrong: who is due, what each step books, what a
// transaction must be.
#include <algorithm>

#include "adit/ledger/json_fields.h"
#include "support/payments_fixture.h"

namespace adit {
namespace {

using namespace test;

ErrorCode code_of(const Status& status) {
  REQUIRE_FALSE(status.ok());
  CHECK_FALSE(status.error().text.empty());
  return status.error().code;
}

/// Three accounts are due: 1, 2 and 3.
struct Due : PaymentBooks {
  Due() {
    REQUIRE(credit(1, 12'345'678).ok());
    REQUIRE(credit(2, 50'000).ok());
    REQUIRE(credit(3, 900'000).ok());
  }
};

Status refuses(Due& books, const Payment& payment, const Transaction& transaction) {
  return books.payments->prepare(payment.id, hex_of(signed_of(transaction)), Satoshi(300),
                                 books.now);
}

}  // namespace

TEST_CASE("payment states: names and arrows") {
  using S = PaymentState;
  constexpr S kAll[] = {S::Planned, S::Prepared, S::Broadcast, S::Seen,
                        S::Final,   S::Exported, S::Cancelled, S::Void};
  for (const S state : kAll) {
    CHECK(payment_state_from(payment_state_name(state)) == state);
    CHECK_FALSE(payment_may_move(state, state));
    CHECK_FALSE(payment_may_move(S::Cancelled, state));
    CHECK_FALSE(payment_may_move(S::Void, state));
    CHECK_FALSE(payment_may_move(state, S::Planned));
    if (state != S::Planned) CHECK_FALSE(payment_may_move(state, S::Prepared));
    if (state != S::Void && state != S::Exported) CHECK_FALSE(payment_may_move(S::Final, state));
    // Signed bytes may be anywhere: such a payment is never simply cancelled.
    CHECK(payment_may_move(state, S::Cancelled) == (state == S::Planned || state == S::Exported));
  }
  CHECK_FALSE(payment_state_from("paid").has_value());
}

TEST_CASE("due: from the minimum on, never unripe, never the pool's own; the largest first") {
  PaymentBooks books;
  REQUIRE(books.credit(1, 10'000).ok());
  REQUIRE(books.credit(2, 9'999).ok());
  REQUIRE(books.credit(3, 70'000).ok());
  REQUIRE(books.credit(4, 70'000).ok());
  REQUIRE(books.credit(5, 80'000).ok());
  REQUIRE(books.credit(kPoolAccount, 5'000'000).ok());
  books.unripe = {5};
  const auto accounts = [&](const PaymentRules& rules) {
    std::vector<std::uint32_t> out;
    for (const PaymentOutput& output : books.payments->due(rules).outputs) {
      CHECK(output.address == address_for(output.account));
      CHECK(output.amount == books.balance(output.account.value()));
      out.push_back(output.account.value());
    }
    return out;
  };
  CHECK(books.payments->due(books.rules).below == 1);  // what is unripe waits for its block
  CHECK(books.payments->due(books.rules).below_sum == Satoshi(9'999));
  CHECK(accounts(books.rules) == std::vector<std::uint32_t>{1, 3, 4});
  CHECK(accounts({Satoshi(10'000), 2}) == std::vector<std::uint32_t>{3, 4});
  CHECK(accounts({Satoshi(10'000), 1}) == std::vector<std::uint32_t>{3});
  CHECK(accounts({Satoshi(1), 9}) == std::vector<std::uint32_t>{1, 2, 3, 4});
  CHECK(accounts({Satoshi(100'000), 9}).empty());
  REQUIRE(books.credit(6, 545).ok());  // dust, whatever the rules say
  CHECK(accounts({Satoshi(0), 9}) == std::vector<std::uint32_t>{1, 2, 3, 4});
  const auto nobody = books.payments->plan({Satoshi(100'000), 9}, books.now);
  CHECK(nobody.error().code == ErrorCode::NotFound);
}

TEST_CASE("a payment's way: each step booked once, and repeated without effect") {
  Due books;
  Payments& payments = *books.payments;
  const Payment payment = books.planned();
  CHECK(payment.id == 1);
  CHECK(payment.idempotency_key.size() == 32);
  CHECK(payment.sum == Satoshi(13'295'678));
  CHECK(books.balance(1) == Satoshi(0));
  CHECK(books.journal->balance(Book::payment(1)) == payment.sum);
  CHECK(payments.plan(books.rules, books.now).error().code == ErrorCode::Conflict);
  CHECK(payments.planned().value() == payment);

  const Transaction unsigned_one = funded(payment, 5);
  const std::string psbt = psbt_of(unsigned_one), hex = hex_of(signed_of(unsigned_one));
  const std::string other_psbt = psbt_of(funded(payment, 6));
  const std::string other_hex = hex_of(signed_of(funded(payment, 6)));
  for (int twice = 0; twice < 2; ++twice) {
    REQUIRE(payments.store_unsigned(1, psbt, Satoshi(300), books.now).ok());
    CHECK(code_of(payments.store_unsigned(1, other_psbt, Satoshi(300), books.now)) ==
          ErrorCode::Conflict);
  }
  CHECK(code_of(payments.prepare(1, other_hex, Satoshi(300), books.now)) == ErrorCode::Refused);
  CHECK(code_of(payments.prepare(1, hex, Satoshi(301), books.now)) == ErrorCode::Invalid);
  CHECK(code_of(payments.mark_broadcast(1, books.now)) == ErrorCode::Conflict);
  for (int twice = 0; twice < 2; ++twice) {
    REQUIRE(payments.prepare(1, hex, Satoshi(300), books.now).ok());
    CHECK(code_of(payments.prepare(1, other_hex, Satoshi(300), books.now)) == ErrorCode::Conflict);
    CHECK(code_of(payments.cancel(1, books.now)) == ErrorCode::Conflict);
    CHECK(code_of(payments.mark_exported(1, books.now)) == ErrorCode::Conflict);
  }
  for (int twice = 0; twice < 2; ++twice) REQUIRE(payments.mark_broadcast(1, books.now).ok());
  for (const std::uint32_t depth : {1u, 1u, 5u, 0u, 2u}) {
    REQUIRE(payments.mark_seen(1, depth, books.now).ok());
    CHECK(books.get(1).confirmations == depth);
    CHECK(books.get(1).state == (depth == 0 ? PaymentState::Broadcast : PaymentState::Seen));
    CHECK(books.journal->balance(kPaidBook) == Satoshi(0));
  }
  for (const std::uint32_t depth : {6u, 7u, 0u, 1u}) {
    REQUIRE(payments.mark_seen(1, depth, books.now).ok());
    CHECK(books.get(1).state == PaymentState::Final);
    CHECK(books.journal->balance(kPaidBook) == payment.sum);
    CHECK(books.journal->balance(kFeesBook) == Satoshi(300));
    CHECK(books.journal->balance(kPoolBook) == Satoshi(-300));
    CHECK(books.journal->balance(Book::payment(1)) == Satoshi(0));
  }
  const Payment last = books.get(1);
  CHECK(last.transaction == hex);
  CHECK(last.txid == unsigned_one.txid().hex());
  CHECK_FALSE(payments.next_open(0, UnixMillis(books.now.value() + 1)).value().has_value());
  CHECK(payments.next_open(0, books.now).value() == last);
  CHECK(books.problems().empty());
  CHECK(books.journal->account(AccountId(1)).paid == Satoshi(12'345'678));
  books.reopen();
  CHECK(books.get(1) == last);
  REQUIRE(books.credit(2, 60'000).ok());
  const Payment next = books.planned();  // an id is never used again
  CHECK(next.id == 2);
  CHECK(next.idempotency_key != payment.idempotency_key);
}

TEST_CASE("a transaction must pay each output exactly (I28)") {
  Due books;
  const Payment payment = books.planned();
  const auto output_to = [](Transaction& transaction, std::uint32_t account) -> TxOut& {
    return *std::find_if(transaction.outputs.begin(), transaction.outputs.end(),
                         [&](const TxOut& out) { return out.script == script_of(account); });
  };
  const auto refused = [&](const char* why, const auto& change) {
    CAPTURE(why);
    Transaction transaction = funded(payment, 8);
    change(transaction);
    CHECK(code_of(refuses(books, payment, transaction)) == ErrorCode::Refused);
    CHECK(code_of(books.payments->store_unsigned(payment.id, psbt_of(transaction), Satoshi(300),
                                                 books.now)) == ErrorCode::Refused);
  };
  refused("rounded to four decimals, as a known pool does", [&](Transaction& transaction) {
    CHECK(output_to(transaction, 1).value == Satoshi(12'345'678));
    output_to(transaction, 1).value = Satoshi(12'350'000);
  });
  refused("a satoshi less",
          [&](Transaction& transaction) { output_to(transaction, 3).value -= Satoshi(1); });
  refused("an output is missing", [&](Transaction& transaction) {
    const TxOut gone = output_to(transaction, 2);
    std::erase(transaction.outputs, gone);
  });
  refused("an account is paid twice", [&](Transaction& transaction) {
    output_to(transaction, 500'000) = output_to(transaction, 2);
  });
  refused("change goes to an account",
          [&](Transaction& transaction) { output_to(transaction, 500'000).script = script_of(2); });
  refused("two outputs for change", [&](Transaction& transaction) {
    transaction.outputs.push_back({Satoshi(5), script_of(500'001)});
  });
  refused("amounts that belong to each other's address", [&](Transaction& transaction) {
    std::swap(output_to(transaction, 1).value, output_to(transaction, 2).value);
  });
  Transaction bare = funded(payment, 8);
  bare.inputs.clear();
  CHECK_FALSE(refuses(books, payment, bare).ok());
  CHECK_FALSE(check_payment_transaction(payment, bare, Network::Regtest).ok());
  CHECK(books.get(1).state == PaymentState::Planned);
  Transaction exact = funded(payment, 8);
  std::erase(exact.outputs, TxOut(output_to(exact, 500'000)));  // without change
  CHECK(refuses(books, payment, exact).ok());
}

TEST_CASE("prepare: what is no transaction, or of no payment") {
  Due books;
  const Payment payment = books.planned();
  const std::string hex = hex_of(signed_of(funded(payment, 3)));
  Payments& payments = *books.payments;
  CHECK(code_of(payments.prepare(7, hex, Satoshi(1), books.now)) == ErrorCode::NotFound);
  CHECK(code_of(payments.prepare(1, hex + "0", Satoshi(1), books.now)) == ErrorCode::Invalid);
  CHECK_FALSE(payments.prepare(1, hex + "00", Satoshi(1), books.now).ok());
  CHECK_FALSE(payments.prepare(1, "", Satoshi(1), books.now).ok());
  CHECK(code_of(payments.prepare(1, hex, Satoshi(-1), books.now)) == ErrorCode::Invalid);
  for (const char* text : {"", "AAAA", "cHNidP8=", "cHNidP8A", "cHNidP8B", "*HNidP8A", "cHN"})
    CHECK(code_of(payments.store_unsigned(1, text, Satoshi(1), books.now)) == ErrorCode::Invalid);
  CHECK(payments.prepare(1, hex, Satoshi(1), books.now).ok());
  CHECK(transaction_of_psbt(psbt_of(funded(payment, 3)))->txid() == funded(payment, 3).txid());
}

TEST_CASE("a flipped byte in any row of a payment is found") {
  Due books;
  const Payment payment = books.planned();
  std::size_t rows = 0;
  for (auto& [key, row] : books.store.rows(Family::Payments)) {
    ++rows;
    for (std::size_t at = 0; at < row.size(); at += 7) {
      row[at] = static_cast<char>(row[at] ^ 1);
      CHECK(books.payments->find(payment.id).error().code == ErrorCode::Corrupt);
      row[at] = static_cast<char>(row[at] ^ 1);
    }
  }
  CHECK(rows == 4);
  CHECK(books.payments->find(payment.id).value() == payment);
  // A sealed row that is not the key's: outputs must make up the sum and the key.
  auto& row = books.store.rows(Family::Payments)[key_u64(1) + key_u32(2)];
  const std::string before = row;
  row = seal_json(R"({"payment":1,"account":2,"address":")" + address_for(AccountId(4)) +
                  R"(","amount":50000})");
  CHECK(books.payments->find(1).error().code == ErrorCode::Corrupt);
  row = before;
  std::vector<Payment> all;
  REQUIRE(for_each_payment(books.store, [&](const Payment& one) {
            all.push_back(one);
            return true;
          }).ok());
  CHECK(all == std::vector<Payment>{payment});
}

TEST_CASE("a payment that the journal does not bear out is found (I31)") {
  Due books;
  books.planned();
  REQUIRE(books.payments->cancel(1, books.now).ok());
  books.planned();
  CHECK(books.problems().empty());
  MemoryStore::Rows& rows = books.store.rows(Family::Payments);
  const auto problem_with = [&](std::uint64_t id, const std::string& from, const std::string& to) {
    const std::string before = rows[key_u64(id)];
    std::string text = before.substr(0, before.find(",\"seal\"")) + "}";
    text.replace(text.find(from), from.size(), to);
    rows[key_u64(id)] = seal_json(text);
    const auto problems = books.problems();
    rows[key_u64(id)] = before;
    REQUIRE(problems.size() == 1);
    return problems[0];
  };
  CHECK(problem_with(1, "cancelled", "broadcast") ==
        "payment 1 is broadcast: its book holds 0 satoshi instead of 13295678");
  CHECK(problem_with(2, "planned", "final") ==
        "payment 2 is final: its book holds 13295678 satoshi instead of 0");
  const MemoryStore::Rows before = rows;
  rows[key_u64(1)][12] ^= 1;
  rows[key_u64(2) + key_u32(2)][12] ^= 1;
  const auto both = books.problems();  // one does not hide the other
  REQUIRE(both.size() == 2);
  CHECK(both[0].find("payment 1:") == 0);
  CHECK(both[1].find("payment 2:") == 0);
  rows = before;
  rows.erase(key_u64(2));
  CHECK(books.problems() ==
        std::vector<std::string>{"payment 2 is missing; its book holds 13295678 satoshi"});
}

}  // namespace adit
