// SPDX-License-Identifier: MIT
// The sizes of coinbases, where a plan pays accounts in them: [payout] has the largest,
// [stratum.v1] and its ports may have smaller ones, and so may firmware ([[payout.agent]]).
#pragma once

#include "app/config.h"
#include "app/toml_reader.h"

namespace adit {

/// [[payout.agent]]; the rest of [payout] has been read.
void read_agent_sizes(TomlTable& payout, Config& config);
/// coinbase_weight and small_coinbases of [stratum.v1] or of a port; [payout] has been read.
void read_size(TomlTable& table, const Config& config, CoinbaseSize& size);

/// What jobs are made in beside [payout]'s size, since some V1 miner may come for it: at most
/// kSmallerJobsMax, rising.
std::vector<std::uint64_t> smaller_sizes(const Config& config);

}  // namespace adit
