// SPDX-License-Identifier: MIT
// `adit audit --block HASH`: derives a block's split again from the shares and the terms of its
// time, and compares with everything that was written since, and with the block itself where a node
// still has it. Works while the pool runs.
#include "adit/payout/audit.h"

#include <fmt/format.h>

#include <cstdio>
#include <unordered_map>

#include "adit/bitcoin/block.h"
#include "adit/ledger/reader.h"
#include "app/books_reader.h"
#include "app/commands.h"
#include "app/config.h"
#include "app/node_caller.h"
#include "uv/system.h"

namespace adit {
namespace {

/// The outputs of the real block, from the first node that has it.
std::optional<std::vector<TxOut>> coinbase_of(const Config& config, const BlockHash& hash) {
  uv::OsClock clock;
  NodeCaller caller(clock);
  for (const NodeConfig& node : config.nodes) {
    const auto answer = caller.call(node, "getblock", fmt::format(R"(["{}",0])", hash.hex()));
    if (!answer || answer->size() < 2 || answer->front() != '"') continue;
    const auto bytes = from_hex(std::string_view(*answer).substr(1, answer->size() - 2));
    if (!bytes) continue;
    auto block = Block::parse(*bytes);
    if (!block || block->transactions.empty() || block->header.hash() != hash) continue;
    return std::move(block->transactions[0].outputs);
  }
  return std::nullopt;
}

void print_parts(LedgerStore& store, const SettlementRecord& settlement) {
  std::unordered_map<std::uint32_t, std::string> address;
  if (const auto totals = account_totals(store))
    for (const AccountTotal& account : *totals) address[account.id.value()] = account.address;
  fmt::print("address,work,entitled_sat,carry_sat,paid_in_coinbase_sat\n");
  for (const PlanShare& share : settlement.shares)
    fmt::print("{},{},{},{},{}\n", address[share.account.value()], Work(share.work).decimal(),
               share.entitled.value(), share.carry.value(), share.paid.value());
}

int report(LedgerStore& store, const AuditReport& audit, bool parts) {
  const SettlementRecord& s = audit.settlement;
  if (parts) print_parts(store, s);
  std::FILE* out = parts ? stderr : stdout;
  fmt::print(out, "block       {} at height {}\n", s.block.hex(), s.height);
  fmt::print(out, "terms       {}\n", s.terms.text());
  fmt::print(out, "split       {} sat: {} accounts, the pool {} sat; {}\n", s.value.value(),
             s.shares.size(), s.pool_entitled.value(), settlement_state_name(s.state));
  fmt::print(out, "looked at   {} slices up to {}, {} shares\n", audit.slices_checked, s.slice,
             audit.shares_checked);
  for (const std::string& note : audit.notes) fmt::print(out, "note        {}\n", note);
  for (const std::string& problem : audit.problems) fmt::print(out, "PROBLEM     {}\n", problem);
  if (audit.problems.empty()) fmt::print(out, "result      everything agrees, to the satoshi\n");
  return audit.problems.empty() ? 0 : 1;
}

}  // namespace

int audit_command(const AuditOptions& options) {
  const auto config = load_config(options.common.config_file);
  if (!config) {
    fmt::print(stderr, "{}\n", config.error().text);
    return 1;
  }
  const auto hash = BlockHash::from_hex(options.block);
  if (!hash) {
    fmt::print(stderr, "--block: \"{}\" is no block hash (64 hex digits)\n", options.block);
    return 2;
  }
  auto store = open_books_reader(config->data_dir);
  if (!store) {
    fmt::print(stderr, "{}\n", store.error().text);
    return 1;
  }
  const auto audit = audit_block(**store, *hash, config->pool.network, config->pool.payout.script,
                                 coinbase_of(*config, *hash));
  if (!audit) {
    fmt::print(stderr, "{}\n", audit.error().text);
    return 1;
  }
  return report(**store, *audit, options.parts);
}

}  // namespace adit
