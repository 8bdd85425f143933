// SPDX-License-Identifier: MIT
// Templates and plans as values, for tests of what coinbases pay.
#pragma once

#include <memory>

#include "app/config.h"
#include "app/job_plan.h"

namespace adit::test {

inline Script script_of(std::uint32_t number) {  // P2WPKH
  Script script(22, 7);
  script[0] = 0;
  script[1] = 20;
  store_le(script.data() + 2, number);
  return script;
}

inline BlockTemplate block_of(std::uint32_t transactions_weight) {
  BlockTemplate block;
  block.network = Network::Regtest;
  block.height = 120;
  block.bits = CompactTarget(0x207fffff);
  block.target = *Target::from_compact(block.bits);
  block.coinbase_value = Satoshi(5'000'000'000);
  block.curtime = 1'700'000'000;
  if (transactions_weight > 0) {
    TemplateTransaction transaction;
    transaction.data = {1};
    transaction.weight = transactions_weight;
    block.transactions.push_back(transaction);
  }
  return block;
}

/// By rising work.
inline PlanPtr plan_of(const Config& config, std::uint32_t accounts) {
  auto plan = std::make_shared<PayoutPlan>();
  plan->slice = 7;
  plan->entry = 11;
  plan->terms = terms_of(config);
  for (std::uint32_t i = 1; i <= accounts; ++i)
    plan->accounts.push_back({AccountId(i), 1'000 + i, Satoshi(), script_of(i)});
  return plan;
}

}  // namespace adit::test
