// SPDX-License-Identifier: MIT
// `adit ledger`: reads the books beside a running pool (or without one) and prints a line a record.
#include <fmt/format.h>

#include <cstdio>
#include <unordered_map>

#include "adit/base/json.h"
#include "adit/ledger/ledger.h"
#include "adit/ledger/reader.h"
#include "adit/payout/audit.h"
#include "adit/payout/journal.h"
#include "adit/payout/payments.h"
#include "app/books_reader.h"
#include "app/commands.h"
#include "app/config.h"
#include "rocks/high_water_file.h"

namespace adit {
namespace {

/// One record as fields, printed as a JSON object or a CSV row (with a header row before the
/// first).
class Row {
 public:
  explicit Row(bool csv) : csv_(csv) {}
  Row& kind(std::string_view name) {
    kind_ = name;
    return text("kind", name);
  }
  Row& text(std::string_view key, std::string_view value) {
    cell(key);
    if (csv_)
      quote_csv(value);
    else
      append_json_string(line_, value);
    return *this;
  }
  Row& number(std::string_view key, std::uint64_t value) {
    return plain(key, fmt::format("{}", value));
  }
  Row& plain(std::string_view key, std::string_view value) {
    cell(key);
    line_ += value;
    return *this;
  }
  void print(bool& header_done) {
    if (csv_ && !header_done) fmt::print("{}\n", header_);
    header_done = true;
    if (csv_)
      fmt::print("{}\n", line_);
    else
      fmt::print("{}}}\n", line_);
  }

 private:
  void cell(std::string_view key) {
    if (csv_) {
      if (!header_.empty()) {
        header_ += ',';
        line_ += ',';
      }
      header_ += key;
      return;
    }
    line_ += line_.empty() ? '{' : ',';
    append_json_string(line_, key);
    line_ += ':';
  }
  void quote_csv(std::string_view value) {
    if (value.find_first_of(",\"\n") == std::string_view::npos) {
      line_ += value;
      return;
    }
    line_ += '"';
    for (const char c : value) line_ += c == '"' ? std::string("\"\"") : std::string(1, c);
    line_ += '"';
  }
  bool csv_;
  std::string_view kind_;
  std::string line_, header_;
};

class View {
 public:
  View(LedgerStore& store, const LedgerCommandOptions& options, bool kinds)
      : store_(store), options_(options), csv_(options.format == "csv"), kinds_(kinds) {}

  Status shares() {
    const auto accounts = account_totals(store_);
    const auto workers = worker_totals(store_);
    if (!accounts) return accounts.error();
    if (!workers) return workers.error();
    std::unordered_map<std::uint32_t, std::string> address, name;
    for (const AccountTotal& account : *accounts) address[account.id.value()] = account.address;
    for (const WorkerTotal& worker : *workers) name[worker.id.value()] = worker.name;
    return for_each_share(store_, Sequence(options_.from), [&](const ShareRecord& share) {
      row("share")
          .number("sequence", share.sequence.value())
          .plain("time_ms", fmt::format("{}", share.time.value()))
          .text("account", address[share.account.value()])
          .text("worker", name[share.worker.value()])
          .number("height", share.height)
          .text("hash", share.hash.hex())
          .text("tip", share.tip.hex())
          .text("work", share.work.decimal())
          .plain("block", share.is_block ? "true" : "false")
          .print(header_done_);
      return ++lines_ != options_.limit;
    });
  }

  Status accounts() {
    const auto totals = account_totals(store_);
    if (!totals) return totals.error();
    for (const AccountTotal& account : *totals) {
      row("account")
          .number("id", account.id.value())
          .text("address", account.address)
          .plain("first_seen_ms", fmt::format("{}", account.first_seen.value()))
          .number("shares", account.shares)
          .text("work", account.work.decimal())
          .print(header_done_);
      if (++lines_ == options_.limit) break;
    }
    return {};
  }

  Status balances() {
    const auto totals = account_totals(store_);
    if (!totals) return totals.error();
    const auto journal = Journal::open(store_, [](AccountId) { return std::string(); });
    if (!journal) return journal.error();
    for (const AccountTotal& account : *totals) {
      const AccountBalance money = journal->account(account.id);
      row("balance")
          .text("address", account.address)
          .plain("balance_sat", fmt::format("{}", money.balance.value()))
          .plain("earned_sat", fmt::format("{}", money.earned.value()))
          .plain("paid_sat", fmt::format("{}", money.paid.value()))
          .number("shares", account.shares)
          .text("work", account.work.decimal())
          .print(header_done_);
      if (++lines_ == options_.limit) break;
    }
    return {};
  }

  Status workers() {
    const auto totals = worker_totals(store_);
    const auto accounts = account_totals(store_);
    if (!totals) return totals.error();
    if (!accounts) return accounts.error();
    std::unordered_map<std::uint32_t, std::string> address;
    for (const AccountTotal& account : *accounts) address[account.id.value()] = account.address;
    for (const WorkerTotal& worker : *totals) {
      row("worker")
          .number("id", worker.id.value())
          .text("account", address[worker.account.value()])
          .text("name", worker.name)
          .number("shares", worker.shares)
          .text("work", worker.work.decimal())
          .print(header_done_);
      if (++lines_ == options_.limit) break;
    }
    return {};
  }

  Status blocks() {
    const auto blocks = all_blocks(store_);
    if (!blocks) return blocks.error();
    for (const BlockRecord& block : *blocks) {
      row("block")
          .number("height", block.height)
          .text("hash", block.hash.hex())
          .text("state", block_state_name(block.state))
          .number("confirmations", block.confirmations)
          .plain("value", fmt::format("{}", block.value.value()))
          .text("account", block.account)
          .text("worker", block.worker)
          .plain("found_ms", fmt::format("{}", block.found.value()))
          .number("after_share", block.after.value())
          .text("detail", block.detail)
          .print(header_done_);
      if (++lines_ == options_.limit) break;
    }
    return {};
  }

  Status slices() {
    return for_each_slice(store_, SliceNumber(options_.from), [&](const SliceRecord& slice) {
      row("slice")
          .number("number", slice.number.value())
          .number("first", slice.first.value())
          .number("last", slice.last.value())
          .plain("opened_ms", fmt::format("{}", slice.opened.value()))
          .plain("closed_ms", fmt::format("{}", slice.closed.value()))
          .number("accounts", slice.slice.count())
          .text("work", Work(slice.slice.total()).decimal())
          .text("network_work", Work(slice.network.work).decimal())
          .plain("subsidy", fmt::format("{}", slice.network.subsidy.value()))
          .plain("mean_fees", fmt::format("{}", slice.network.mean_fees.value()))
          .text("block", slice.block == BlockHash{} ? "" : slice.block.hex())
          .text("chain", to_hex(slice.chain))
          .text("root", to_hex(slice.root))
          .text("hash", to_hex(slice.hash()))
          .print(header_done_);
      return ++lines_ != options_.limit;
    });
  }

  void next_kind() {
    lines_ = 0;
    if (csv_) header_done_ = false;
  }

 private:
  Row row(std::string_view kind) {
    Row line(csv_);
    if (kinds_) line.kind(kind);
    return line;
  }
  LedgerStore& store_;
  const LedgerCommandOptions& options_;
  bool csv_, kinds_;
  bool header_done_ = false;
  std::uint64_t lines_ = 0;
};

Status export_all(View& view) {
  for (const auto step : {&View::shares, &View::workers, &View::blocks, &View::balances}) {
    if (const Status done = (view.*step)(); !done) return done;
    view.next_kind();
  }
  return view.accounts();
}

int verify(LedgerStore& store, Network network, const std::optional<HighWater>& mark) {
  auto report = verify_ledger(store);
  const auto money = verify_money(store, network);
  if (!report || !money) {
    fmt::print(stderr, "{}\n", report ? money.error().text : report.error().text);
    return 1;
  }
  report->problems.insert(report->problems.end(), money->begin(), money->end());
  if (mark)
    if (const Status known = check_high_water(store, *mark); !known)
      report->problems.push_back(known.error().text);
  if (const Status rows = for_each_payment(store, [](const Payment&) { return true; }); !rows)
    report->problems.push_back(rows.error().text);
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
  View view(**store, options, options.what == "export");
  Status done;
  if (options.what == "shares")
    done = view.shares();
  else if (options.what == "accounts")
    done = view.accounts();
  else if (options.what == "balances")
    done = view.balances();
  else if (options.what == "workers")
    done = view.workers();
  else if (options.what == "blocks")
    done = view.blocks();
  else if (options.what == "slices")
    done = view.slices();
  else
    done = export_all(view);
  if (std::fflush(stdout) != 0 || !done) {
    if (!done) fmt::print(stderr, "{}\n", done.error().text);
    return 1;
  }
  return 0;
}

}  // namespace adit
