// SPDX-License-Identifier: MIT
#include "app/job_plan.h"

#include <algorithm>

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
  options.outputs = outputs_of(plan, block_template.coinbase_value, room, pool);
  options.pool_script = pool;
  options.terms = (plan ? plan->terms : terms_of(config)).text();
  if (plan) {
    options.plan_slice = plan->slice;
    options.plan_entry = plan->entry;
    options.plan_weight = std::min(room, plan->terms.coinbase_weight);
  }
  if (!serves_v2(config)) return options;
  // The block after this one, empty: room for everybody.
  const Satoshi next = block_subsidy(block_template.network, block_template.height + 1);
  options.next_outputs =
      outputs_of(plan, next, left(block_template.weight_limit, kBareBlockWeight), pool);
  return options;
}

}  // namespace adit
