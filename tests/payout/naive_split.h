// SPDX-License-Identifier: MIT
// What a block's accounts earn, straight from the rule: the fee, then the weights. Tests hold what
// the treasury settles against it.
#pragma once

#include <vector>

#include "adit/ledger/slice.h"
#include "adit/payout/split.h"

namespace adit::test {

struct Part {
  AccountId account;
  Satoshi amount;
};

/// By rising account; what is not in them is the pool's.
inline std::vector<Part> split_by_weights(Satoshi value, std::uint32_t fee_basis_points,
                                          const std::vector<AccountWork>& weights) {
  std::vector<Uint128> works;
  for (const AccountWork& weight : weights) works.push_back(weight.work);
  const auto amounts = split(value - fee_of(value, fee_basis_points), works);
  std::vector<Part> parts;
  for (std::size_t i = 0; i < weights.size(); ++i)
    parts.push_back({weights[i].account, amounts[i]});
  return parts;
}

}  // namespace adit::test
