// SPDX-License-Identifier: MIT
#include "app/books_requests.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "adit/base/json.h"
#include "adit/base/log.h"

namespace adit {
namespace {

constexpr std::array<std::string_view, 8> kCodes = {
    "invalid", "not_found", "unavailable", "refused", "io", "corrupt", "conflict", "limit"};

Error missing(std::string_view key) {
  return {ErrorCode::Invalid, fmt::format("the request has no {}", key)};
}

/// "5 bc1q... 123456" a line.
std::string outputs_text(const std::vector<PaymentOutput>& outputs) {
  std::string text;
  for (const PaymentOutput& output : outputs)
    text +=
        fmt::format("{} {} {}\n", output.account.value(), output.address, output.amount.value());
  return text;
}

template <class T>
bool read_number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

std::string payment_answer(const Payment& payment) {
  JsonWriter json;
  json.begin_object();
  json.key("id").number_u64(payment.id);
  json.key("key").string(payment.idempotency_key);
  json.key("state").string(payment_state_name(payment.state));
  json.key("created_ms").number(payment.created.value());
  json.key("changed_ms").number(payment.changed.value());
  json.key("sum").number(payment.sum.value());
  json.key("fee").number(payment.fee.value());
  json.key("outside").number_u64(payment.outside ? 1 : 0);
  json.key("txid").string(payment.txid);
  json.key("paid_by").string(payment.paid_by);
  json.key("paid_by_transaction").string(payment.paid_by_transaction);
  json.key("paid_by_fee").number(payment.paid_by_fee.value());
  json.key("block").string(payment.block);
  json.key("confirmations").number_u64(payment.confirmations);
  json.key("detail").string(payment.detail);
  json.key("psbt").string(payment.unsigned_psbt);
  json.key("transaction").string(payment.transaction);
  json.key("outputs").string(outputs_text(payment.outputs));
  json.end_object();
  return json.take();
}

std::string due_answer(const PaymentsDue& due) {
  JsonWriter json;
  json.begin_object().key("outputs").string(outputs_text(due.outputs));
  json.key("below").number_u64(due.below);
  json.key("below_sum").number(due.below_sum.value()).end_object();
  return json.take();
}

/// One request on its way; the first missing field is its error.
class Handler {
 public:
  Handler(Payments& payments, const JsonFields& fields, UnixMillis now)
      : payments_(&payments), fields_(&fields), now_(now) {}

  std::string answer() {
    const std::string_view what = fields_->string("do").value_or("");
    if (what == "due" || what == "plan") return plan(what == "plan");
    const std::uint64_t id = number("id");
    if (what == "open") return next_open(id);
    const Status done = step(what, id);
    if (missing_) return books_error(*missing_);
    if (!done) return books_error(done.error());
    return told(what, id);
  }

 private:
  std::uint64_t number(std::string_view key) {
    const auto value = fields_->u64(key);
    if (!value && !missing_) missing_ = missing(key);
    return value.value_or(0);
  }
  std::string text(std::string_view key) {
    const auto value = fields_->string(key);
    if (!value && !missing_) missing_ = missing(key);
    return std::string(value.value_or(""));
  }
  Satoshi money(std::string_view key) {
    const std::uint64_t value = number(key);
    if (value > static_cast<std::uint64_t>(kMaxMoney.value()) && !missing_)
      missing_ = Error{ErrorCode::Invalid, fmt::format("{} is more money than there is", key)};
    return missing_ ? Satoshi(0) : Satoshi(static_cast<std::int64_t>(value));
  }

  std::uint32_t depth(std::string_view key) {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(number(key), 1 << 30));
  }
  /// In hex, one a line.
  std::vector<Transaction> transactions(std::string_view key) {
    std::vector<Transaction> out;
    const std::string all = text(key);
    for (std::size_t at = 0; at < all.size();) {
      const std::size_t end = std::min(all.find('\n', at), all.size());
      const auto bytes = from_hex(all.substr(at, end - at));
      auto parsed = bytes ? Transaction::parse(*bytes) : Error{};
      if (!parsed && !missing_)
        missing_ = Error{ErrorCode::Invalid, fmt::format("{}: this is no transaction", key)};
      if (parsed) out.push_back(std::move(*parsed));
      at = end + 1;
    }
    return out;
  }

  std::string plan(bool write) {
    PaymentRules rules;
    rules.minimum = money("minimum");
    rules.max_outputs = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(number("max_outputs"), std::numeric_limits<std::uint32_t>::max()));
    if (missing_) return books_error(*missing_);
    if (!write) return due_answer(payments_->due(rules));
    const auto waiting = payments_->planned();
    if (!waiting) return books_error(waiting.error());
    if (*waiting) return payment_answer(**waiting);
    const auto planned = payments_->plan(rules, now_);
    if (!planned) return books_error(planned.error());
    log(*planned, "plan");
    return payment_answer(*planned);
  }

  std::string next_open(std::uint64_t id) {
    const std::uint64_t since = number("since_ms");
    if (missing_) return books_error(*missing_);
    return found(payments_->next_open(id, UnixMillis(static_cast<std::int64_t>(since))),
                 "there is no later one");
  }

  /// Fields are read before the step, which must not run when one is missing.
  Status step(std::string_view what, std::uint64_t id) {
    if (what == "get") return {};
    if (what == "store_unsigned") {
      const std::string psbt = text("psbt");
      const Satoshi fee = money("fee");
      return missing_ ? Status{} : payments_->store_unsigned(id, psbt, fee, now_);
    }
    if (what == "prepare") {
      const std::string transaction = text("transaction");
      const Satoshi fee = money("fee");
      return missing_ ? Status{} : payments_->prepare(id, transaction, fee, now_);
    }
    if (what == "seen") {
      const std::uint32_t confirmations = depth("confirmations");
      const std::string block = text("block");
      return missing_ ? Status{} : payments_->mark_seen(id, confirmations, now_, block);
    }
    if (what == "paid_by") {
      const auto payer = transactions("transaction");
      const Satoshi fee = money("fee");
      const std::uint32_t confirmations = depth("confirmations");
      const std::string block = text("block");
      if (payer.size() != 1 && !missing_) missing_ = missing("transaction");
      return missing_ ? Status{}
                      : payments_->mark_paid_by(id, payer[0], fee, confirmations, block, now_);
    }
    if (what == "paid_outside") {
      const std::string txid = text("txid"), transaction = text("transaction");
      const std::string block = text("block");
      return missing_ ? Status{} : payments_->mark_paid_outside(id, txid, transaction, block, now_);
    }
    if (what == "void") {
      VoidProof proof;
      auto rival = transactions("rival");
      proof.depth = depth("depth");
      proof.ancestors = transactions("ancestors");
      if (rival.size() > 1 && !missing_) missing_ = missing("rival");
      if (rival.size() == 1) proof.rival = std::move(rival[0]);
      return missing_ ? Status{} : payments_->make_void(id, proof, now_);
    }
    if (missing_) return {};
    if (what == "broadcast") return payments_->mark_broadcast(id, now_);
    if (what == "exported") return payments_->mark_exported(id, now_);
    if (what == "not_paid") return payments_->mark_not_paid(id, now_);
    if (what == "cancel") return cancel(id);
    return Error{ErrorCode::Invalid, fmt::format("unknown request \"{}\"", what)};
  }

  /// Where a PSBT or an export left the house, only a person knows that nothing came of it.
  Status cancel(std::uint64_t id) {
    const bool said_so = number("nothing_signed") == 1;
    if (missing_) return {};
    const auto payment = payments_->find(id);
    if (!payment) return payment.error();
    const bool warned = *payment && !said_so;
    if (warned && (*payment)->state == PaymentState::Exported)
      return Error{ErrorCode::Refused,
                   fmt::format("payment {} was exported: another tool may pay it", id)};
    if (warned && (*payment)->state == PaymentState::Planned && !(*payment)->unsigned_psbt.empty())
      return Error{ErrorCode::Refused,
                   fmt::format("payment {} has a PSBT: somebody may have signed it", id)};
    return payments_->cancel(id, now_);
  }

  std::string told(std::string_view what, std::uint64_t id) const {
    const auto payment = payments_->find(id);
    if (what != "get" && payment && *payment) log(**payment, what);
    return found(payment, fmt::format("there is no payment {}", id));
  }
  static std::string found(const Result<std::optional<Payment>>& payment, std::string none) {
    if (!payment) return books_error(payment.error());
    if (!*payment) return books_error({ErrorCode::NotFound, std::move(none)});
    return payment_answer(**payment);
  }
  /// Who moves money leaves a trace in the pool's log.
  static void log(const Payment& payment, std::string_view what) {
    const std::string& txid = followed_txid(payment);
    log_info("payout", "payment {}: {}: {}, {} outputs, {} sat{}{}", payment.id, what,
             payment_state_name(payment.state), payment.outputs.size(), payment.sum.value(),
             txid.empty() ? "" : ", ", txid);
  }

  Payments* payments_;
  const JsonFields* fields_;
  UnixMillis now_;
  std::optional<Error> missing_;
};

}  // namespace

std::string handle_books_request(Payments& payments, std::string_view json, UnixMillis now) {
  const auto fields = JsonFields::parse(json);
  if (!fields)
    return books_error({ErrorCode::Invalid, "the request is no flat JSON object without blanks"});
  return Handler(payments, *fields, now).answer();
}

std::string books_error(const Error& error) {
  JsonWriter json;
  json.begin_object().key("code").string(kCodes[static_cast<std::size_t>(error.code)]);
  json.key("error").string(error.text).end_object();
  return json.take();
}

BooksCall::BooksCall(std::string_view what) : json_("{\"do\":") { append_json_string(json_, what); }

BooksCall& BooksCall::number(std::string_view key, std::int64_t value) {
  json_ += ',';
  append_json_string(json_, key);
  json_ += fmt::format(":{}", value);
  return *this;
}

BooksCall& BooksCall::text(std::string_view key, std::string_view value) {
  json_ += ',';
  append_json_string(json_, key);
  json_ += ':';
  append_json_string(json_, value);
  return *this;
}

BooksCall& BooksCall::proof(const VoidProof& proof) {
  const auto hex = [](const Transaction& one) { return to_hex(one.serialize_without_witness()); };
  std::string ancestors;
  for (const Transaction& one : proof.ancestors) ancestors += hex(one) + "\n";
  text("rival", proof.rival ? hex(*proof.rival) : "");
  return number("depth", proof.depth).text("ancestors", ancestors);
}

Result<JsonFields> parse_books_answer(std::string_view json) {
  auto fields = JsonFields::parse(json);
  if (!fields) return Error{ErrorCode::Corrupt, "the books' answer is not understood"};
  const auto error = fields->string("error");
  if (!error) return std::move(*fields);
  const auto* code = std::find(kCodes.begin(), kCodes.end(), fields->string("code").value_or("io"));
  return Error{code == kCodes.end() ? ErrorCode::Io : static_cast<ErrorCode>(code - kCodes.begin()),
               std::string(*error)};
}

Result<std::vector<PaymentOutput>> outputs_of_answer(const JsonFields& answer) {
  const Error bad{ErrorCode::Corrupt, "the books' answer has odd outputs"};
  const auto text = answer.string("outputs");
  if (!text) return bad;
  std::vector<PaymentOutput> outputs;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return bad;
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    const std::size_t first = line.find(' '), last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) return bad;
    std::uint32_t account = 0;
    std::int64_t amount = 0;
    if (!read_number(line.substr(0, first), account) || !read_number(line.substr(last + 1), amount))
      return bad;
    outputs.push_back({AccountId(account), std::string(line.substr(first + 1, last - first - 1)),
                       Satoshi(amount)});
  }
  return outputs;
}

Result<Payment> payment_of_answer(const JsonFields& answer) {
  const auto id = answer.u64("id");
  const auto state = payment_state_from(answer.string("state").value_or(""));
  auto outputs = outputs_of_answer(answer);
  if (!outputs) return outputs.error();
  if (!id || !state) return Error{ErrorCode::Corrupt, "the books' answer is no payment"};
  const auto text = [&](std::string_view key) {
    return std::string(answer.string(key).value_or(""));
  };
  const auto number = [&](std::string_view key) { return answer.i64(key).value_or(0); };
  Payment payment;
  payment.id = *id;
  payment.idempotency_key = text("key");
  payment.state = *state;
  payment.created = UnixMillis(number("created_ms"));
  payment.changed = UnixMillis(number("changed_ms"));
  payment.sum = Satoshi(number("sum"));
  payment.fee = Satoshi(number("fee"));
  payment.outside = number("outside") == 1;
  payment.txid = text("txid");
  payment.paid_by = text("paid_by");
  payment.paid_by_transaction = text("paid_by_transaction");
  payment.paid_by_fee = Satoshi(number("paid_by_fee"));
  payment.block = text("block");
  payment.transaction = text("transaction");
  payment.unsigned_psbt = text("psbt");
  payment.confirmations = answer.u32("confirmations").value_or(0);
  payment.detail = text("detail");
  payment.outputs = std::move(*outputs);
  return payment;
}

}  // namespace adit
