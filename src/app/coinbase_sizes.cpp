// SPDX-License-Identifier: MIT
#include "app/coinbase_sizes.h"

#include <fmt/format.h>

#include <set>

#include "adit/mining/job.h"
#include "app/config_agents.h"

namespace adit {
namespace {

/// One output to any address: eight bytes of value, one of length, 42 of script.
constexpr std::int64_t kLeast = 4 * 51;
constexpr std::string_view kNeedsPlan =
    "is of use only where blocks pay accounts: [payout] way = \"coinbase\", with pplns or prop";

using Sizes = std::set<std::uint64_t>;

void add_agents(const Config& config, Sizes& sizes) {
  for (const AgentSize& agent : config.payout.agents) sizes.insert(agent.coinbase_weight);
}

void drop_largest(const Config& config, Sizes& sizes) {
  sizes.erase(sizes.lower_bound(config.payout.coinbase_weight), sizes.end());
}

/// The error of a size that is one too many stands where it is named first.
void read_weight(TomlTable& table, const Config& config, std::uint64_t& weight) {
  constexpr std::string_view kKey = "coinbase_weight";
  const std::uint64_t most = config.payout.coinbase_weight;
  table.integer(kKey, weight, kLeast, kCoinbaseWeightMax);
  if (weight > most)
    return table.fail(kKey, fmt::format("is above [payout]'s, {}, the largest there is", most));
  Sizes sizes;
  add_agents(config, sizes);
  sizes.insert(config.v1.size.coinbase_weight);
  for (const PortConfig& port : config.ports) sizes.insert(port.size.coinbase_weight);
  sizes.insert(weight);
  drop_largest(config, sizes);
  if (sizes.size() > kSmallerJobsMax)
    table.fail(kKey, fmt::format("is one size too many: jobs are made in [payout]'s and {} others",
                                 kSmallerJobsMax));
}

}  // namespace

void read_agent_sizes(TomlTable& payout, Config& config) {
  if (payout.has("agent") && !pays_by_plan(config)) payout.fail("agent", std::string(kNeedsPlan));
  read_agents(payout, config.payout.agents, [&](TomlTable& table, AgentSize& agent) {
    read_weight(table, config, agent.coinbase_weight);
    if (!table.has("coinbase_weight")) table.fail("coinbase_weight", "is required");
  });
}

void read_size(TomlTable& table, const Config& config, CoinbaseSize& size) {
  for (const char* key : {"coinbase_weight", "small_coinbases"})
    if (table.has(key) && !pays_by_plan(config)) table.fail(key, std::string(kNeedsPlan));
  read_weight(table, config, size.coinbase_weight);
  table.boolean("small_coinbases", size.small_coinbases);
}

std::vector<std::uint64_t> smaller_sizes(const Config& config) {
  if (!pays_by_plan(config)) return {};
  Sizes sizes;
  const auto add = [&](const CoinbaseSize& size) {
    sizes.insert(size.coinbase_weight);
    if (size.small_coinbases) add_agents(config, sizes);
  };
  const StratumV1Config& v1 = config.v1;
  if (!v1.listen.empty() || !v1.tls_listen.empty() || !config.both.listen.empty()) add(v1.size);
  for (const PortConfig& port : config.ports) add(port.size);
  drop_largest(config, sizes);
  return {sizes.begin(), sizes.end()};
}

}  // namespace adit
