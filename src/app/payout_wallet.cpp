// SPDX-License-Identifier: MIT
// `adit payout prepare` and `broadcast`: to the exact signed bytes, into the books, and only then
// out.
#include "app/payout_wallet.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "rocks/durable_file.h"

namespace adit {
namespace {

/// More than any input's signature takes, in virtual bytes.
constexpr std::int64_t kInputRoom = 300;
constexpr std::size_t kMaxFile = 4u << 20;
constexpr std::string_view kPsbtMagic{"psbt\xff", 5};

std::string base64_of(Bytes bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i) bits = bits << 8 | (i < count ? bytes[at + i] : 0u);
    for (std::size_t i = 0; i < 4; ++i)
      out += i <= count ? kDigits[bits >> (18 - 6 * i) & 63] : '=';
  }
  return out;
}

std::int64_t cap_per_kvb(const Config& config) {
  return std::int64_t{config.payout.fee_rate_max} * 1000;
}

/// Before anybody signs: a fee that no input's size explains is a mistake of the wallet's settings.
Status check_fee(const FundedPsbt& funded, const Transaction& transaction, std::int64_t cap) {
  const std::int64_t vsize = static_cast<std::int64_t>(transaction.weight() / 4) + 1 +
                             kInputRoom * static_cast<std::int64_t>(transaction.inputs.size());
  if (funded.fee.value() <= vsize * cap / 1000 + 1) return {};
  return Error{ErrorCode::Refused,
               fmt::format("the wallet asks a fee of {} sat for about {} virtual bytes, above "
                           "fee_rate_max = {} sat a byte",
                           funded.fee.value(), vsize, cap / 1000)};
}

void lock_inputs(PayoutStep& step, const Payment& payment, bool on) {
  const auto bytes = from_hex(payment.transaction);
  if (payment.unsigned_psbt.empty() && (!bytes || bytes->empty())) return;
  if (const auto inside = payment.unsigned_psbt.empty()
                              ? Transaction::parse(*bytes)
                              : transaction_of_psbt(payment.unsigned_psbt))
    step.wallet.lock(*inside, on);
}

/// Inputs of transactions that may still be sent must not go into another one. The books know them;
/// a node forgets its locks when it restarts, and a command may be killed before it locks.
void lock_open_inputs(PayoutStep& step, const std::vector<Payment>& payments) {
  for (const Payment& payment : payments)
    if (payment.state == PaymentState::Planned || payment.state == PaymentState::Prepared ||
        payment.state == PaymentState::Broadcast)
      lock_inputs(step, payment, true);
}

std::optional<std::int64_t> estimated_rate(PayoutStep& step, std::int64_t cap) {
  const auto rate = step.wallet.fee_rate();
  if (!rate || *rate <= cap) return rate;
  fmt::print("the node estimates {} sat a byte; fee_rate_max = {} holds\n", *rate / 1000,
             cap / 1000);
  return cap;
}

/// The payment with a PSBT in the books.
Result<Payment> fund(PayoutStep& step, const Payment& payment) {
  std::vector<std::pair<std::string, Satoshi>> outputs;
  for (const PaymentOutput& output : payment.outputs)
    outputs.emplace_back(output.address, output.amount);
  const std::int64_t cap = cap_per_kvb(step.config);
  const auto rate = step.options.fee_rate != 0
                        ? std::optional(std::int64_t{step.options.fee_rate} * 1000)
                        : estimated_rate(step, cap);
  if (rate && *rate > cap)
    return Error{ErrorCode::Invalid, fmt::format("--fee-rate is above fee_rate_max = {} sat a byte",
                                                 step.config.payout.fee_rate_max)};
  const auto funded = step.wallet.fund(outputs, rate);
  if (!funded) return funded.error();
  const auto inside = transaction_of_psbt(funded->psbt);
  if (!inside) return inside.error();
  if (const Status good = check_fee(*funded, *inside, cap); !good) return good.error();
  // First into the books, then locked: a lock that they do not know would outlive a kill.
  auto stored = ask_payment(step.books, BooksCall("store_unsigned")
                                            .number("id", static_cast<std::int64_t>(payment.id))
                                            .text("psbt", funded->psbt)
                                            .number("fee", funded->fee.value()));
  if (stored) step.wallet.lock(*inside, true);
  if (!stored && stored.error().code == ErrorCode::Limit)
    return Error{ErrorCode::Limit, fmt::format("{}; first: adit payout cancel --id {}",
                                               stored.error().text, payment.id)};
  return stored;
}

/// The PSBT or hex in a file, as text; PSBTs may be binary.
Result<std::string> signed_text(const std::string& path) {
  const auto file = read_file(path, kMaxFile);
  if (!file) return file.error();
  if (!*file) return Error{ErrorCode::NotFound, path + ": there is no such file"};
  if (text_of(**file).starts_with(kPsbtMagic)) return base64_of(**file);
  std::string text;
  for (const char c : text_of(**file))
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') text += c;
  return text;
}

/// The signed transaction in hex; nullopt when keys are missing and the PSBT went to a file.
Result<std::optional<std::string>> sign(PayoutStep& step, const Payment& payment,
                                        const std::string& given) {
  if (!given.empty()) {
    if (from_hex(given)) return std::optional<std::string>(given);
    auto final_one = step.wallet.finalize(given);
    if (final_one && !*final_one)
      return Error{ErrorCode::Refused, step.options.signed_file +
                                           ": signatures are missing (bitcoin-cli "
                                           "combinepsbt joins those of several signers)"};
    return final_one;
  }
  const auto processed = step.wallet.sign(payment.unsigned_psbt);
  if (!processed) return processed.error();
  if (processed->complete) return step.wallet.finalize(processed->psbt);
  const std::string path = step.options.psbt_out.empty()
                               ? fmt::format("payment-{}.psbt", payment.id)
                               : step.options.psbt_out;
  // What the wallet added (scripts, paths of keys) is what an offline signer needs.
  if (const Status written = write_durably(path, {bytes_of(processed->psbt + "\n")}); !written)
    return written.error();
  fmt::print(
      "payment {}: the wallet has not all keys; sign {} and go on with\n"
      "  adit payout prepare --id {} --signed FILE\n",
      payment.id, path, payment.id);
  return std::optional<std::string>();
}

Result<Payment> chosen(PayoutStep& step, const std::vector<Payment>& payments) {
  if (step.options.id != 0 || step.options.signed_file.empty())
    return named_or_planned(step.books, step.options, step.config);
  // A prepared one may be given its signature again.
  for (const PaymentState state : {PaymentState::Planned, PaymentState::Prepared})
    for (const Payment& payment : payments)
      if (payment.state == state) return payment;
  return Error{ErrorCode::NotFound, "no payment waits for a signature"};
}

void print_waiting(const std::vector<Payment>& payments) {
  for (const Payment& payment : payments)
    if (payment.state == PaymentState::Prepared)
      fmt::print("payment {} is prepared: adit payout broadcast sends it\n", payment.id);
}

/// True: the node has it.
bool send_one(PayoutStep& step, const Payment& payment) {
  const auto [outcome, words] = step.wallet.send(payment.transaction);
  switch (outcome) {
    case SendOutcome::Sent:
      fmt::print("payment {}: sent, {}\n", payment.id, payment.txid);
      if (!words.empty()) fmt::print(stderr, "payment {}: not taken: {}\n", payment.id, words);
      return true;
    case SendOutcome::Refused:
      fmt::print(stderr, "payment {}: {}: the node refuses it: {}\n", payment.id, payment.txid,
                 words);
      break;
    case SendOutcome::Unknown:
      fmt::print(stderr, "payment {}: {}: sent or not: {}; run the command again\n", payment.id,
                 payment.txid, words);
      break;
  }
  // What is in the chain and spent since is refused like what cannot be spent.
  const auto known = step.wallet.look(payment.txid, "");
  if (!known || !*known || (*known)->confirmations <= 0) return false;
  fmt::print("payment {}: is in the chain, {} confirmations\n", payment.id,
             (*known)->confirmations);
  return true;
}

}  // namespace

void free_inputs(PayoutStep& step, const Payment& payment) {
  lock_inputs(step, payment, false);
  if (const auto open = payments_to_look_at(step.books, 0)) lock_open_inputs(step, *open);
}

Status payout_prepare(PayoutStep step) {
  const bool by_file = !step.options.signed_file.empty();
  const auto given = by_file ? signed_text(step.options.signed_file) : std::string();
  if (!given) return given.error();
  const auto payments = payments_to_look_at(step.books, 0);
  if (!payments) return payments.error();
  lock_open_inputs(step, *payments);
  print_waiting(*payments);
  auto payment = chosen(step, *payments);
  if (!payment && payment.error().code == ErrorCode::NotFound && step.options.id == 0 && !by_file) {
    fmt::print("{}\n", payment.error().text);
    return {};
  }
  if (!payment) return payment.error();
  if (!payment->transaction.empty() && !by_file) {
    fmt::print("payment {} is {}: {}\n", payment->id, payment_state_name(payment->state),
               payment->txid);
    return {};
  }
  if (payment->transaction.empty() && payment->state != PaymentState::Planned)
    return Error{ErrorCode::Conflict, fmt::format("payment {} is {}: there is nothing to sign",
                                                  payment->id, payment_state_name(payment->state))};
  if (step.options.fee_rate != 0 && !payment->unsigned_psbt.empty())
    fmt::print("payment {} was funded before: --fee-rate does not change it\n", payment->id);
  if (payment->unsigned_psbt.empty() && !by_file) {
    payment = fund(step, *payment);
    if (!payment) return payment.error();
  }
  if (payment->unsigned_psbt.empty())
    return Error{
        ErrorCode::Conflict,
        fmt::format("payment {} has no PSBT yet: run prepare without --signed first", payment->id)};
  const auto hex = sign(step, *payment, *given);
  if (!hex) return hex.error();
  if (!*hex) return {};
  const auto kept =
      ask_payment(step.books, BooksCall("prepare")
                                  .number("id", static_cast<std::int64_t>(payment->id))
                                  .text("transaction", **hex)
                                  .number("fee", payment->fee.value()));
  if (!kept) return kept.error();
  fmt::print("payment {} prepared: {} outputs, {} sat, fee {} sat, txid {}\n", kept->id,
             kept->outputs.size(), kept->sum.value(), kept->fee.value(), kept->txid);
  return {};
}

Status payout_broadcast(PayoutStep step) {
  const auto open = payments_to_look_at(step.books, 0);
  if (!open) return open.error();
  lock_open_inputs(step, *open);
  const auto payments =
      step.options.id != 0 ? payments_to_look_at(step.books, step.options.id) : open;
  if (!payments) return payments.error();
  std::size_t tried = 0, sent = 0;
  for (const Payment& payment : *payments) {
    if (payment.state != PaymentState::Prepared && payment.state != PaymentState::Broadcast) {
      if (step.options.id == 0) continue;
      return Error{ErrorCode::Conflict, fmt::format("payment {} is {}: there is nothing to send",
                                                    payment.id, payment_state_name(payment.state))};
    }
    ++tried;
    const auto marked = ask_payment(
        step.books, BooksCall("broadcast").number("id", static_cast<std::int64_t>(payment.id)));
    if (!marked) return marked.error();
    sent += send_one(step, *marked) ? 1 : 0;
  }
  if (tried == 0) fmt::print("nothing is prepared\n");
  if (sent < tried)
    return Error{ErrorCode::Unavailable,
                 fmt::format("{} of {} payments were not taken", tried - sent, tried)};
  return {};
}

}  // namespace adit
