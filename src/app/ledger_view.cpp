// SPDX-License-Identifier: MIT
#include "app/ledger_view.h"

#include "adit/ledger/reader.h"

namespace adit {

Result<LedgerView::Addresses> LedgerView::addresses() {
  const auto totals = account_totals(store_);
  if (!totals) return totals.error();
  Addresses out;
  for (const AccountTotal& account : *totals) out[account.id.value()] = account.address;
  return out;
}

Status LedgerView::shares() {
  auto address = addresses();
  const auto workers = worker_totals(store_);
  if (!address) return address.error();
  if (!workers) return workers.error();
  std::unordered_map<std::uint32_t, std::string> name;
  for (const WorkerTotal& worker : *workers) name[worker.id.value()] = worker.name;
  return for_each_share(store_, Sequence(options_.from), [&](const ShareRecord& share) {
    row("share")
        .number("sequence", share.sequence.value())
        .plain("time_ms", fmt::format("{}", share.time.value()))
        .text("account", (*address)[share.account.value()])
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

Status LedgerView::accounts() {
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

Status LedgerView::workers() {
  const auto totals = worker_totals(store_);
  auto address = addresses();
  if (!totals) return totals.error();
  if (!address) return address.error();
  for (const WorkerTotal& worker : *totals) {
    row("worker")
        .number("id", worker.id.value())
        .text("account", (*address)[worker.account.value()])
        .text("name", worker.name)
        .number("shares", worker.shares)
        .text("work", worker.work.decimal())
        .print(header_done_);
    if (++lines_ == options_.limit) break;
  }
  return {};
}

Status LedgerView::blocks() {
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

Status LedgerView::slices() {
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

}  // namespace adit
