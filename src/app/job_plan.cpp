// SPDX-License-Identifier: MIT
#include "app/job_plan.h"

#include <algorithm>

#include "app/coinbase_sizes.h"

namespace adit {
namespace {

/// No output is lighter than P2WPKH's, and none of an address has more than one sigop, scaled.
constexpr std::uint64_t kLightestOutput = 124, kSigopsOfOutput = 4;

std::vector<TxOut> outputs_of(const PlanPtr& plan, Satoshi value, std::uint64_t room,
                              const Script& pool) {
  if (!plan) return {{value, pool}};
  return plan_coinbase(*plan, value, pool, room).outputs;
}

std::uint64_t left(std::uint64_t limit, std::uint64_t used) {
  return limit - std::min(limit, used);
}

/// The work's outputs, and in the sizes below its own those that differ. (A full block leaves
/// little room; few accounts find room in any size.)
void plan_work(const Config& config, const PayoutPlan& plan, Satoshi value, std::uint64_t room,
               JobOptions& options) {
  options.plan_slice = plan.slice;
  options.plan_entry = plan.entry;
  options.plan_weight = std::min(room, plan.terms.coinbase_weight);
  std::vector<std::uint64_t> rooms = smaller_sizes(config);
  std::erase_if(rooms, [&](std::uint64_t size) { return size >= options.plan_weight; });
  rooms.push_back(options.plan_weight);
  auto all = plan_outputs(plan, value, config.pool.payout.script, rooms);
  options.outputs = std::move(all.back());
  for (std::size_t i = 0; i + 1 < rooms.size(); ++i)
    if (all[i] != options.outputs)
      options.smaller.push_back({rooms[i], std::move(all[i]), rooms[i]});
}

}  // namespace

std::uint64_t output_room(const BlockTemplate& block_template) {
  std::uint64_t weight = kBareBlockWeight, sigops = kBareBlockSigops;
  for (const TemplateTransaction& transaction : block_template.transactions) {
    weight += transaction.weight;
    sigops += transaction.sigops;
  }
  const std::uint64_t outputs = left(block_template.sigop_limit, sigops) / kSigopsOfOutput;
  return std::min(left(block_template.weight_limit, weight), outputs * kLightestOutput);
}

JobOptions job_options(const Config& config, const BlockTemplate& block_template,
                       const PlanPtr& plan) {
  const Script& pool = config.pool.payout.script;
  JobOptions options;
  options.version_mask = rollable_bits(config);
  options.coinbase_tag = config.pool.coinbase_tag;
  const std::uint64_t room = output_room(block_template);
  options.outputs = {{block_template.coinbase_value, pool}};
  if (plan) plan_work(config, *plan, block_template.coinbase_value, room, options);
  options.pool_script = pool;
  options.terms = (plan ? plan->terms : terms_of(config)).text();
  if (!serves_v2(config)) return options;
  // The block after this one, empty: room for everybody.
  const Satoshi next = block_subsidy(block_template.network, block_template.height + 1);
  options.next_outputs =
      outputs_of(plan, next, left(block_template.weight_limit, kBareBlockWeight), pool);
  return options;
}

}  // namespace adit
