// SPDX-License-Identifier: MIT
// What commands may ask of the books, through the control socket or without a running pool: one
// flat JSON object a request, one an answer. A failed one answers {"code":...,"error":...}.
//
//   due             minimum, max_outputs       who would be paid now
//   plan            minimum, max_outputs       a new payment, or the planned one that waits
//   get             id
//   open            id, since_ms               the first with a higher id that is open, or final
//                                              since then
//   store_unsigned  id, psbt, fee
//   prepare         id, transaction, fee
//   broadcast       id
//   seen            id, confirmations, block   the block's hash, or ""
//   paid_by         id, transaction, fee, confirmations, block
//   exported        id
//   paid_outside    id, txid, transaction, block   the bytes, or ""
//   not_paid        id                         an operator says that this was wrong
//   cancel          id, nothing_signed         1: an operator says that nobody signed or paid it
//   void            id, rival, depth, ancestors    hex, one a line; rival may be ""
//
// All but `due` answer with the payment as it is then; where its rows are damaged, all name it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "adit/ledger/json_fields.h"
#include "adit/payout/payments.h"

namespace adit {

std::string handle_books_request(Payments& payments, std::string_view json, UnixMillis now);
/// {"code":"unavailable","error":TEXT}
std::string books_error(const Error& error);

/// The other side: builds requests and reads answers.
class BooksCall {
 public:
  explicit BooksCall(std::string_view what);
  BooksCall& number(std::string_view key, std::int64_t value);
  BooksCall& text(std::string_view key, std::string_view value);
  BooksCall& proof(const VoidProof& proof);
  std::string json() const { return json_ + "}"; }

 private:
  std::string json_;
};
/// The fields of an answer, or the error it tells of.
Result<JsonFields> parse_books_answer(std::string_view json);
Result<Payment> payment_of_answer(const JsonFields& answer);
Result<std::vector<PaymentOutput>> outputs_of_answer(const JsonFields& answer);

}  // namespace adit
