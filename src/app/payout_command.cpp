// SPDX-License-Identifier: MIT
// `adit payout`: from balances to transactions, in steps that an operator sees. Works beside a
// running pool and without one.
#include <fmt/format.h>

#include <cstdio>

#include "adit/base/json.h"
#include "adit/base/log.h"
#include "app/commands.h"
#include "app/payout_wallet.h"
#include "rocks/durable_file.h"
#include "uv/system.h"

namespace adit {
namespace {

using Number = std::int64_t;

std::string lines_of_outputs(const std::vector<PaymentOutput>& outputs, std::string_view format) {
  std::string text;
  Satoshi sum;
  if (format == "csv") text = "account,address,amount_sat\n";
  for (const PaymentOutput& output : outputs) {
    sum += output.amount;
    const std::uint32_t account = output.account.value();
    const Number amount = output.amount.value();
    if (format == "csv")
      text += fmt::format("{},{},{}\n", account, output.address, amount);
    else if (format == "json")
      text += fmt::format("{{\"account\":{},\"address\":\"{}\",\"amount\":{}}}\n", account,
                          output.address, amount);
    else
      text += fmt::format("{:<64} {:>16} sat\n", output.address, amount);
  }
  if (format == "table")
    text +=
        fmt::format("{:<64} {:>16} sat\n", fmt::format("{} accounts", outputs.size()), sum.value());
  return text;
}

void append_outputs(JsonWriter& json, const std::vector<PaymentOutput>& outputs, bool accounts) {
  json.key("outputs").begin_array();
  for (const PaymentOutput& output : outputs) {
    json.begin_object();
    if (accounts) json.key("account").number_u64(output.account.value());
    json.key("address").string(output.address).key("amount").number(output.amount.value());
    json.end_object();
  }
  json.end_array();
}

std::string payment_line(const Payment& payment, std::string_view format) {
  if (format == "csv")
    return fmt::format("{},{},{},{},{},{},{},{},{},{}\n", payment.id,
                       payment_state_name(payment.state), payment.outputs.size(),
                       payment.sum.value(), payment.fee.value(), payment.txid,
                       payment.confirmations, payment.created.value(), payment.changed.value(),
                       payment.idempotency_key);
  if (format == "table")
    return fmt::format("{:>6}  {:<9} {:>5} outputs {:>16} sat  fee {:>8}  {}{}\n", payment.id,
                       payment_state_name(payment.state), payment.outputs.size(),
                       payment.sum.value(), payment.fee.value(),
                       payment.txid.empty() ? "-" : payment.txid,
                       payment.detail.empty() ? "" : "  (" + payment.detail + ")");
  JsonWriter json;
  json.begin_object().key("id").number_u64(payment.id);
  json.key("state").string(payment_state_name(payment.state));
  json.key("sum").number(payment.sum.value()).key("fee").number(payment.fee.value());
  json.key("txid").string(payment.txid).key("confirmations").number_u64(payment.confirmations);
  json.key("created_ms").number(payment.created.value());
  json.key("changed_ms").number(payment.changed.value());
  json.key("key").string(payment.idempotency_key).key("detail").string(payment.detail);
  append_outputs(json, payment.outputs, true);
  json.end_object();
  return json.take() + "\n";
}

Status plan(BooksLink& books, const PayoutCommandOptions& options, const Config& config) {
  const auto answer = books.ask(plan_call("due", options, config));
  if (!answer) return answer.error();
  const auto outputs = outputs_of_answer(*answer);
  if (!outputs) return outputs.error();
  fmt::print("{}", lines_of_outputs(*outputs, options.format));
  if (config.payout.way == PayWay::Coinbase)
    fmt::print(stderr,
               "way = \"coinbase\": accounts are paid in the blocks themselves, here only what "
               "those cannot\n");
  return {};
}

Status list(BooksLink& books, const PayoutCommandOptions& options) {
  const auto payments = all_payments(books);
  if (!payments) return payments.error();
  if (options.format == "csv")
    fmt::print("id,state,outputs,sum,fee,txid,confirmations,created_ms,changed_ms,key\n");
  for (const Payment& payment : *payments) fmt::print("{}", payment_line(payment, options.format));
  return {};
}

Status cancel(BooksLink& books, const PayoutCommandOptions& options) {
  const auto cancelled = ask_payment(books, BooksCall("cancel")
                                                .number("id", static_cast<Number>(options.id))
                                                .number("nothing_signed", options.nothing_signed));
  if (!cancelled && cancelled.error().code == ErrorCode::Refused)
    return Error{ErrorCode::Refused, cancelled.error().text +
                                         "; if you know that it did not happen and never will: "
                                         "--nothing-signed"};
  if (!cancelled) return cancelled.error();
  fmt::print("payment {} cancelled: {} sat are back in {} accounts\n", cancelled->id,
             cancelled->sum.value(), cancelled->outputs.size());
  return {};
}

std::string export_text(const Payment& payment, const Config& config, bool csv) {
  if (csv) {
    std::string text = "payment,idempotency_key,address,amount_sat\n";
    for (const PaymentOutput& output : payment.outputs)
      text += fmt::format("{},{},{},{}\n", payment.id, payment.idempotency_key, output.address,
                          output.amount.value());
    return text;
  }
  JsonWriter json;
  json.begin_object().key("payment").number_u64(payment.id);
  json.key("idempotency_key").string(payment.idempotency_key);
  json.key("network").string(network_name(config.pool.network));
  json.key("sum").number(payment.sum.value());
  append_outputs(json, payment.outputs, false);
  json.end_object();
  return json.take() + "\n";
}

/// The books hear of it before the file is there: a file that nobody knows of would be paid twice.
Status export_payment(BooksLink& books, const PayoutCommandOptions& options, const Config& config) {
  if (options.out.empty()) return Error{ErrorCode::Invalid, "--out FILE is needed"};
  auto payment =
      options.id != 0
          ? ask_payment(books, BooksCall("get").number("id", static_cast<Number>(options.id)))
          : ask_payment(books, plan_call("plan", options, config));
  if (!payment) return payment.error();
  if (payment->state != PaymentState::Exported)
    payment =
        ask_payment(books, BooksCall("exported").number("id", static_cast<Number>(payment->id)));
  if (!payment) return payment.error();
  const std::string text = export_text(*payment, config, options.format == "csv");
  if (const Status written = write_durably(options.out, {bytes_of(text)}); !written) return written;
  fmt::print(
      "payment {} exported to {}: {} outputs, {} sat, key {}\n"
      "  afterwards: adit payout settle --id {} --txid TXID\n",
      payment->id, options.out, payment->outputs.size(), payment->sum.value(),
      payment->idempotency_key, payment->id);
  return {};
}

/// Inputs of a payment that was cancelled are free again.
void unlock_inputs(BooksLink& books, const PayoutCommandOptions& options, WalletRpc& wallet) {
  const auto payment =
      ask_payment(books, BooksCall("get").number("id", static_cast<Number>(options.id)));
  if (!payment || payment->unsigned_psbt.empty()) return;
  if (const auto inside = transaction_of_psbt(payment->unsigned_psbt)) wallet.lock(*inside, false);
}

Status with_wallet(BooksLink& books, const PayoutCommandOptions& options, const Config& config,
                   Clock& clock) {
  if (config.nodes.empty()) return Error{ErrorCode::Invalid, "the configuration has no [[node]]"};
  WalletRpc wallet(clock, config.nodes.front(),
                   options.wallet.empty() ? config.payout.wallet : options.wallet);
  if (const Status chain = wallet.check_chain(config.pool.network); !chain) return chain;
  const PayoutStep step{options, config, books, wallet};
  if (options.what == "prepare") return payout_prepare(step);
  if (options.what == "broadcast") return payout_broadcast(step);
  return payout_settle(step, clock.now().wall);
}

Status run(const PayoutCommandOptions& options, const Config& config) {
  uv::OsClock clock;
  const auto books = BooksLink::open(config, clock);
  if (!books) return books.error();
  if (options.what == "plan") return plan(**books, options, config);
  if (options.what == "list") return list(**books, options);
  if (options.what == "export") return export_payment(**books, options, config);
  if (options.what != "cancel") return with_wallet(**books, options, config, clock);
  if (const Status done = cancel(**books, options); !done) return done;
  if (!config.nodes.empty()) {
    WalletRpc wallet(clock, config.nodes.front(),
                     options.wallet.empty() ? config.payout.wallet : options.wallet);
    unlock_inputs(**books, options, wallet);
  }
  return {};
}

}  // namespace

Result<Payment> ask_payment(BooksLink& books, const BooksCall& call) {
  const auto answer = books.ask(call);
  if (!answer) return answer.error();
  return payment_of_answer(*answer);
}

Result<std::vector<Payment>> all_payments(BooksLink& books) {
  std::vector<Payment> out;
  for (;;) {
    const std::uint64_t last = out.empty() ? 0 : out.back().id;
    auto next = ask_payment(books, BooksCall("after").number("id", static_cast<Number>(last)));
    if (!next && next.error().code == ErrorCode::NotFound) return out;
    if (!next) return next.error();
    if (next->id <= last) return Error{ErrorCode::Corrupt, "payments are out of order"};
    out.push_back(std::move(*next));
  }
}

BooksCall plan_call(const char* what, const PayoutCommandOptions& options, const Config& config) {
  const Number minimum =
      options.minimum != 0 ? static_cast<Number>(options.minimum) : config.payout.minimum.value();
  BooksCall call(what);
  call.number("minimum", minimum);
  call.number("max_outputs",
              options.max_outputs != 0 ? options.max_outputs : config.payout.max_outputs);
  return call;
}

int payout_command(const PayoutCommandOptions& options) {
  const auto config = load_config(options.common.config_file);
  if (!config) {
    fmt::print(stderr, "{}\n", config.error().text);
    return 1;
  }
  const Status done = run(options, *config);
  if (!done) fmt::print(stderr, "{}\n", done.error().text);
  return std::fflush(stdout) == 0 && done ? 0 : 1;
}

}  // namespace adit
