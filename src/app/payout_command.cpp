// SPDX-License-Identifier: MIT
// `adit payout`: from balances to transactions, in steps that an operator sees. Works beside a
// running pool and without one.
#include <fmt/format.h>

#include <cstdio>

#include "adit/base/json.h"
#include "adit/base/log.h"
#include "app/books_reader.h"
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
    return fmt::format("{},{},{},{},{},{},{},{},{},{},{}\n", payment.id,
                       payment_state_name(payment.state), payment.outputs.size(),
                       payment.sum.value(), followed_fee(payment).value(), payment.txid,
                       payment.confirmations, payment.created.value(), payment.changed.value(),
                       payment.idempotency_key, payment.paid_by);
  if (format == "table")
    return fmt::format("{:>6}  {:<9} {:>5} outputs {:>16} sat  fee {:>8}  {}{}\n", payment.id,
                       payment_state_name(payment.state), payment.outputs.size(),
                       payment.sum.value(), followed_fee(payment).value(),
                       followed_txid(payment).empty() ? "-" : followed_txid(payment),
                       payment.detail.empty() ? "" : "  (" + payment.detail + ")");
  JsonWriter json;
  json.begin_object().key("id").number_u64(payment.id);
  json.key("state").string(payment_state_name(payment.state));
  json.key("sum").number(payment.sum.value()).key("fee").number(followed_fee(payment).value());
  json.key("txid").string(payment.txid).key("paid_by").string(payment.paid_by);
  json.key("block").string(payment.block).key("confirmations").number_u64(payment.confirmations);
  json.key("created_ms").number(payment.created.value());
  json.key("changed_ms").number(payment.changed.value());
  json.key("key").string(payment.idempotency_key).key("detail").string(payment.detail);
  append_outputs(json, payment.outputs, true);
  json.end_object();
  return json.take() + "\n";
}

/// What stands between a plan and its payment.
void print_notes(const JsonFields& due, const std::vector<Payment>& open,
                 const PayoutCommandOptions& options, const Config& config) {
  std::FILE* out = options.format == "table" ? stdout : stderr;
  if (config.payout.way == PayWay::Coinbase)
    fmt::print(out,
               "way = \"coinbase\": accounts are paid in the blocks themselves, here only what "
               "those cannot\n");
  if (const auto below = due.u64("below"); below.value_or(0) > 0)
    fmt::print(out, "below the minimum: {} accounts, {} sat\n", *below,
               due.i64("below_sum").value_or(0));
  for (const Payment& payment : open) {
    const std::string_view next =
        payment.state == PaymentState::Planned    ? "prepare goes on with it first"
        : payment.state == PaymentState::Prepared ? "adit payout broadcast sends it"
                                                  : "";
    if (!next.empty())
      fmt::print(out, "payment {} is {}: {} outputs, {} sat; {}\n", payment.id,
                 payment_state_name(payment.state), payment.outputs.size(), payment.sum.value(),
                 next);
  }
}

Status plan(BooksLink& books, const PayoutCommandOptions& options, const Config& config) {
  const auto answer = books.ask(plan_call("due", options, config));
  if (!answer) return answer.error();
  const auto outputs = outputs_of_answer(*answer);
  if (!outputs) return outputs.error();
  const auto open = payments_to_look_at(books, 0);
  if (!open) return open.error();
  fmt::print("{}", lines_of_outputs(*outputs, options.format));
  print_notes(*answer, *open, options, config);
  return {};
}

Status list(const PayoutCommandOptions& options, const Config& config) {
  const auto store = open_books_reader(config.data_dir);
  if (!store) return store.error();
  if (options.format == "csv")
    fmt::print("id,state,outputs,sum,fee,txid,confirmations,created_ms,changed_ms,key,paid_by\n");
  return for_each_payment(**store, [&](const Payment& payment) {
    fmt::print("{}", payment_line(payment, options.format));
    return true;
  });
}

Status cancel(PayoutStep step) {
  const auto cancelled =
      ask_payment(step.books, BooksCall("cancel")
                                  .number("id", static_cast<Number>(step.options.id))
                                  .number("nothing_signed", step.options.nothing_signed));
  if (!cancelled && cancelled.error().code == ErrorCode::Refused)
    return Error{ErrorCode::Refused, cancelled.error().text +
                                         "; if you know that it did not happen and never will: "
                                         "--nothing-signed"};
  if (!cancelled) return cancelled.error();
  fmt::print("payment {} cancelled: {} sat are back in {} accounts\n", cancelled->id,
             cancelled->sum.value(), cancelled->outputs.size());
  free_inputs(step, *cancelled);
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
  auto payment = named_or_planned(books, options, config);
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

Status with_wallet(BooksLink& books, const PayoutCommandOptions& options, const Config& config,
                   Clock& clock) {
  if (config.nodes.empty()) return Error{ErrorCode::Invalid, "the configuration has no [[node]]"};
  WalletRpc wallet(clock, config.nodes,
                   options.wallet.empty() ? config.payout.wallet : options.wallet);
  const PayoutStep step{options, config, books, wallet};
  if (options.what == "cancel") return cancel(step);
  if (const Status chain = wallet.check_chain(config.pool.network); !chain) return chain;
  if (options.what == "prepare") return payout_prepare(step);
  if (options.what == "broadcast") return payout_broadcast(step);
  return payout_settle(step, clock.now().wall);
}

Status run(const PayoutCommandOptions& options, const Config& config) {
  uv::OsClock clock;
  if (options.what == "list") return list(options, config);
  const bool dry = options.what == "plan";
  const auto books = dry ? BooksLink::open_dry(config, clock) : BooksLink::open(config, clock);
  if (!books) return books.error();
  if (dry) return plan(**books, options, config);
  if (options.what == "export") return export_payment(**books, options, config);
  return with_wallet(**books, options, config, clock);
}

}  // namespace

Result<Payment> ask_payment(BooksLink& books, const BooksCall& call) {
  const auto answer = books.ask(call);
  if (!answer) return answer.error();
  return payment_of_answer(*answer);
}

Result<Payment> get_payment(BooksLink& books, std::uint64_t id) {
  return ask_payment(books, BooksCall("get").number("id", static_cast<Number>(id)));
}

Result<std::vector<Payment>> payments_to_look_at(BooksLink& books, std::uint64_t id,
                                                 UnixMillis final_since) {
  std::vector<Payment> out;
  if (id != 0) {
    auto one = get_payment(books, id);
    if (!one) return one.error();
    out.push_back(std::move(*one));
    return out;
  }
  for (;;) {
    const std::uint64_t last = out.empty() ? 0 : out.back().id;
    auto next = ask_payment(books, BooksCall("open")
                                       .number("id", static_cast<Number>(last))
                                       .number("since_ms", final_since.value()));
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

Result<Payment> named_or_planned(BooksLink& books, const PayoutCommandOptions& options,
                                 const Config& config) {
  const bool rules = options.minimum != 0 || options.max_outputs != 0;
  std::uint64_t waiting = options.id;
  if (rules && waiting == 0) {
    const auto open = payments_to_look_at(books, 0);
    if (!open) return open.error();
    for (const Payment& payment : *open)
      if (payment.state == PaymentState::Planned) waiting = payment.id;
  }
  if (rules && waiting != 0)
    fmt::print("payment {} was planned before: --minimum and --max-outputs do not change it\n",
               waiting);
  return options.id != 0 ? get_payment(books, options.id)
                         : ask_payment(books, plan_call("plan", options, config));
}

int payout_command(const PayoutCommandOptions& options) {
  const auto config = load_config(options.common.config_file);
  if (!config) {
    fmt::print(stderr, "{}\n", config.error().text);
    return 1;
  }
  const Status done = run(options, *config);
  if (!done) fmt::print(stderr, "{}\n", done.error().text);
  return done ? 0 : 1;
}

}  // namespace adit
