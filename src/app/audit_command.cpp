// SPDX-License-Identifier: MIT
// `adit audit --block HASH`: derives a block's split again from the shares and the terms of its
// time, and compares with everything that was written since, and with the block itself where a node
// still has it. `adit audit --slices A-B`: the same for shares that are paid at once. Works while
// the pool runs.
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

int verdict(std::FILE* out, const std::vector<std::string>& notes,
            const std::vector<std::string>& problems, const char* good) {
  for (const std::string& note : notes) fmt::print(out, "note        {}\n", note);
  for (const std::string& problem : problems) fmt::print(out, "PROBLEM     {}\n", problem);
  if (problems.empty()) fmt::print(out, "result      {}\n", good);
  return problems.empty() ? 0 : 1;
}

int report(LedgerStore& store, const AuditReport& audit, bool parts) {
  const SettlementRecord& s = audit.settlement;
  if (parts) print_parts(store, s);
  std::FILE* out = parts ? stderr : stdout;
  fmt::print(out, "block       {} at height {}\n", s.block.hex(), s.height);
  if (!audit.settled)
    return verdict(out, audit.notes, audit.problems,
                   "nothing was settled, so nothing was compared");
  fmt::print(out, "terms       {}\n", s.terms.text());
  fmt::print(out, "split       {} sat: {} accounts, the pool {} sat; {}\n", s.value.value(),
             s.shares.size(), s.pool_entitled.value(), settlement_state_name(s.state));
  fmt::print(out, "looked at   {} slices up to {}, {} shares\n", audit.slices_checked, s.slice,
             audit.shares_checked);
  return verdict(out, audit.notes, audit.problems, "everything agrees, to the satoshi");
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  const auto number = Work::from_decimal(text);
  if (!number || number->value() == 0 || number->value() >> 64 != 0) return std::nullopt;
  return static_cast<std::uint64_t>(number->value());
}

int slices_command(LedgerStore& store, const Config& config, std::string_view range) {
  const std::size_t dash = range.find('-');
  const auto first = number_of(range.substr(0, dash));
  const auto last = dash == range.npos ? first : number_of(range.substr(dash + 1));
  if (!first || !last || *last < *first) {
    fmt::print(stderr, "--slices: \"{}\" is not A-B, two numbers of slices\n", range);
    return 2;
  }
  const auto audit =
      audit_slices(store, config.pool.network, SliceNumber(*first), SliceNumber(*last));
  if (!audit) {
    fmt::print(stderr, "{}\n", audit.error().text);
    return 1;
  }
  fmt::print("looked at   {} slices, paid in {} batches since the first\n", audit->slices,
             audit->batches);
  return verdict(stdout, audit->notes, audit->problems,
                 "everything agrees, to the millionth of a satoshi");
}

}  // namespace

int audit_command(const AuditOptions& options) {
  const auto config = load_config(options.common.config_file);
  if (!config) {
    fmt::print(stderr, "{}\n", config.error().text);
    return 1;
  }
  auto store = open_books_reader(config->data_dir);
  if (!store) {
    fmt::print(stderr, "{}\n", store.error().text);
    return 1;
  }
  if (!options.slices.empty()) return slices_command(**store, *config, options.slices);
  const auto hash = BlockHash::from_hex(options.block);
  if (!hash) {
    fmt::print(stderr, "--block: \"{}\" is no block hash (64 hex digits)\n", options.block);
    return 2;
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
