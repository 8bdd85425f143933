// SPDX-License-Identifier: MIT
// `adit ledger`: reads the books beside a running pool (or without one) and prints a line a record.
#include <fmt/format.h>

#include <cstdio>

#include "adit/ledger/ledger.h"
#include "adit/payout/audit.h"
#include "adit/payout/payments.h"
#include "app/books_reader.h"
#include "app/commands.h"
#include "app/config.h"
#include "app/ledger_view.h"
#include "rocks/high_water_file.h"

namespace adit {
namespace {

/// By name; `export` shows all but the slices, in this order.
struct NamedView {
  std::string_view name;
  Status (LedgerView::*print)();
  bool exported = true;
};
constexpr NamedView kViews[] = {
    {"shares", &LedgerView::shares},           {"workers", &LedgerView::workers},
    {"blocks", &LedgerView::blocks},           {"slices", &LedgerView::slices, false},
    {"settlements", &LedgerView::settlements}, {"journal", &LedgerView::journal},
    {"payments", &LedgerView::payments},       {"balances", &LedgerView::balances},
    {"accounts", &LedgerView::accounts}};

Status print(LedgerStore& store, const LedgerCommandOptions& options) {
  const bool all = options.what == "export";
  LedgerView view(store, options, all);
  for (const NamedView& one : kViews) {
    if (all ? !one.exported : one.name != options.what) continue;
    if (const Status done = (view.*one.print)(); !done) return done;
    view.next_kind();
  }
  return {};
}

int verify(LedgerStore& store, Network network, const std::optional<HighWater>& mark) {
  auto report = verify_ledger(store);
  if (!report) {
    fmt::print(stderr, "{}\n", report.error().text);
    return 1;
  }
  for (const auto& money : {verify_money(store, network), verify_payments(store)}) {
    if (money)
      report->problems.insert(report->problems.end(), money->begin(), money->end());
    else
      report->problems.push_back(money.error().text);
  }
  const Status known = mark ? check_high_water(store, *mark) : warn_of_unmarked(store, mark);
  if (!known) report->problems.push_back(known.error().text);
  for (const std::string& problem : report->problems) fmt::print(stderr, "{}\n", problem);
  fmt::print("{} shares, sequence {} to {}: {} ({} slices)\n", report->shares,
             report->first.value(), report->last.value(),
             report->problems.empty()
                 ? "every chain value, proof, total, slice and balance is right"
                 : fmt::format("{} problems", report->problems.size()),
             report->slices);
  return report->problems.empty() ? 0 : 1;
}

}  // namespace

int ledger_command(const LedgerCommandOptions& options) {
  const auto config = load_config(options.common.config_file);
  if (!config) {
    fmt::print(stderr, "{}\n", config.error().text);
    return 1;
  }
  // Before the books, which a running pool brings on.
  const auto mark = HighWaterFile(config->data_dir).read();
  if (!mark) {
    fmt::print(stderr, "{}\n", mark.error().text);
    return 1;
  }
  auto store = open_books_reader(config->data_dir);
  if (!store) {
    fmt::print(stderr, "{}\n", store.error().text);
    return 1;
  }
  if (options.what == "verify") return verify(**store, config->pool.network, *mark);
  const Status done = print(**store, options);
  if (!done) fmt::print(stderr, "{}\n", done.error().text);
  return done ? 0 : 1;
}

}  // namespace adit
