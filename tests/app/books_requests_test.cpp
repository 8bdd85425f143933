// SPDX-License-Identifier: MIT
// Requests of commands: every step by its name, nothing done when a field is missing, payments
// told whole.
#include "app/books_requests.h"

#include "support/payments_fixture.h"

namespace adit {
namespace {

using namespace test;

struct Asked : PaymentBooks {
  Asked() {
    REQUIRE(credit(1, 400'000).ok());
    REQUIRE(credit(2, 500'000).ok());
    REQUIRE(credit(3, 9'999).ok());
  }
  Result<JsonFields> raw(std::string_view json) {
    return parse_books_answer(handle_books_request(*payments, json, now));
  }
  Result<JsonFields> ask(const BooksCall& call) { return raw(call.json()); }
  Payment payment(const BooksCall& call) {
    const auto answer = ask(call);
    INFO((answer ? "" : answer.error().text));
    REQUIRE(answer.ok());
    auto told = payment_of_answer(*answer);
    REQUIRE(told.ok());
    CHECK(*told == get(told->id));
    return std::move(*told);
  }
  ErrorCode code(const BooksCall& call) {
    const auto answer = ask(call);
    REQUIRE_FALSE(answer.ok());
    return answer.error().code;
  }
};

BooksCall plan_of(const char* what) {
  return std::move(BooksCall(what).number("minimum", 10'000).number("max_outputs", 500));
}
BooksCall on(const char* what, std::int64_t id) {
  return std::move(BooksCall(what).number("id", id));
}
BooksCall open_after(std::int64_t id, std::int64_t since = 0) {
  return std::move(BooksCall("open").number("id", id).number("since_ms", since));
}

}  // namespace

TEST_CASE("requests: a payment's whole way") {
  Asked books;
  const auto due = books.ask(plan_of("due"));
  REQUIRE(due.ok());
  CHECK(outputs_of_answer(*due).value() == books.payments->due(books.rules).outputs);
  CHECK(due->u64("below") == 1u);
  CHECK(due->i64("below_sum") == 9'999);
  const Payment planned = books.payment(plan_of("plan"));
  CHECK(books.payment(plan_of("plan")) == planned);  // asked again: the same one
  const Transaction transaction = funded(planned, 3);
  const auto psbt = [&] { return on("store_unsigned", 1).text("psbt", psbt_of(transaction)); };
  CHECK(books.payment(psbt().number("fee", 210)).fee == Satoshi(210));
  CHECK(books.code(on("cancel", 1).number("nothing_signed", 0)) == ErrorCode::Refused);
  const std::string hex = hex_of(signed_of(transaction));
  CHECK(books.payment(on("prepare", 1).text("transaction", hex).number("fee", 210)).state ==
        PaymentState::Prepared);
  CHECK(books.payment(on("broadcast", 1)).state == PaymentState::Broadcast);
  const auto seen = [&](std::int64_t depth) {
    return books.payment(on("seen", 1).number("confirmations", depth).text("block", "ab"));
  };
  CHECK(seen(2).confirmations == 2);
  CHECK(seen(2).block == "ab");
  const Transaction bump = bump_of(transaction);
  const Payment bumped = books.payment(on("paid_by", 1)
                                           .text("transaction", hex_of(bump))
                                           .number("fee", 1'210)
                                           .number("confirmations", 3)
                                           .text("block", "cd"));
  CHECK(bumped.paid_by == bump.txid().hex());
  CHECK(bumped.paid_by_fee == Satoshi(1'210));
  CHECK(seen(1'000'000).state == PaymentState::Final);
  CHECK(books.payment(on("get", 1)).transaction == hex);
  const std::int64_t then = books.now.value();
  CHECK(books.payment(open_after(0, then)).id == 1);  // final just now
  CHECK(books.code(open_after(0, then + 1)) == ErrorCode::NotFound);
  CHECK(books.code(open_after(1, then)) == ErrorCode::NotFound);
  CHECK(books.code(plan_of("plan")) == ErrorCode::NotFound);
  const Transaction rival = rival_of(bump);
  const Payment gone = books.payment(on("void", 1).proof({rival, 7, {funded(planned, 8)}}));
  CHECK(gone.state == PaymentState::Void);
  CHECK(gone.detail == rival.txid().hex() + " spends its input, 7 deep");
}

TEST_CASE("requests: export, paid elsewhere, cancelled only by word") {
  Asked books;
  books.payment(plan_of("plan"));
  CHECK(books.payment(on("exported", 1)).state == PaymentState::Exported);
  CHECK(books.code(on("cancel", 1).number("nothing_signed", 0)) == ErrorCode::Refused);
  CHECK(books.payment(on("cancel", 1).number("nothing_signed", 1)).state ==
        PaymentState::Cancelled);
  books.payment(plan_of("plan"));
  books.payment(on("exported", 2));
  const auto paid = [](const std::string& txid, const std::string& hex) {
    return std::move(
        on("paid_outside", 2).text("txid", txid).text("transaction", hex).text("block", "ef"));
  };
  CHECK(books.payment(paid(std::string(64, 'c'), "")).state == PaymentState::Seen);
  CHECK(books.payment(on("not_paid", 2)).state == PaymentState::Exported);
  const Transaction other = funded(books.get(2), 4);
  CHECK(books.payment(paid(other.txid().hex(), hex_of(other))).transaction == hex_of(other));
}

TEST_CASE("requests: what is missing, odd or too much changes nothing") {
  Asked books;
  const Payment planned = books.payment(plan_of("plan"));
  for (const char* what :
       {"get", "open", "store_unsigned", "prepare", "broadcast", "seen", "exported", "paid_outside",
        "not_paid", "paid_by", "cancel", "void", "nonsense", ""}) {
    CAPTURE(std::string(what));
    CHECK(books.code(BooksCall(what)) == ErrorCode::Invalid);
  }
  for (const char* what :
       {"open", "store_unsigned", "prepare", "seen", "paid_by", "paid_outside", "cancel", "void"})
    CHECK(books.code(on(what, 1)) == ErrorCode::Invalid);
  CHECK(books.code(on("get", 77)) == ErrorCode::NotFound);
  CHECK(books.code(on("prepare", 1).text("transaction", "00").number("fee", 1LL << 60)) ==
        ErrorCode::Invalid);
  CHECK(books.code(on("seen", 1).number("confirmations", -6)) == ErrorCode::Invalid);
  for (const char* text : {"", "{", "[]", "{\"do\": \"due\"}", "{\"do\":{}}", "plan"})
    CHECK(books.raw(text).error().code == ErrorCode::Invalid);
  CHECK(books.get(1) == planned);
}

TEST_CASE("requests: a damaged row is named by each, and hides nothing") {
  Asked books;
  books.payment(plan_of("plan"));
  auto& row = books.store.rows(Family::Payments)[key_u64(1) + key_u32(2)];
  row[9] = static_cast<char>(row[9] ^ 1);
  const MemoryStore::Rows before = books.store.rows(Family::Payments);
  for (const BooksCall& call :
       {plan_of("plan"), on("get", 1), open_after(0),
        on("store_unsigned", 1).text("psbt", "x").number("fee", 1),
        on("prepare", 1).text("transaction", "00").number("fee", 1), on("broadcast", 1),
        on("seen", 1).number("confirmations", 1).text("block", ""), on("exported", 1),
        on("not_paid", 1),
        on("paid_outside", 1)
            .text("txid", std::string(64, 'c'))
            .text("transaction", "")
            .text("block", ""),
        on("paid_by", 1)
            .text("transaction", hex_of(funded({}, 1)))
            .number("fee", 1)
            .number("confirmations", 1)
            .text("block", ""),
        on("cancel", 1).number("nothing_signed", 1), on("void", 1).proof({})}) {
    CAPTURE(call.json());
    const auto answer = books.ask(call);
    REQUIRE_FALSE(answer.ok());
    CHECK(answer.error().code == ErrorCode::Corrupt);
    CHECK(answer.error().text.find("payment 1: an output's row") == 0);
  }
  CHECK(books.store.rows(Family::Payments) == before);
}

}  // namespace adit
