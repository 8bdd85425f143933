// SPDX-License-Identifier: MIT
// What follows from what a miner's software calls itself: where it begins if nothing else is known
// of it ([[vardiff.agent]]), and how large a coinbase it works well with ([[payout.agent]]).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "adit/bitcoin/target.h"

namespace adit {

struct AgentStart {
  std::string match;  ///< part of the agent's name, in letters of either case; never empty
  Difficulty start;
  bool operator==(const AgentStart&) const = default;
};
struct AgentSize {
  std::string match;                  ///< likewise
  std::uint64_t coinbase_weight = 0;  ///< of the accounts' outputs (job_of_size)
  bool operator==(const AgentSize&) const = default;
};

/// True if `part` stands somewhere in `agent`. Of ASCII letters the case does not count.
bool mentions(std::string_view agent, std::string_view part);
/// The start of the first rule whose match `agent` mentions.
std::optional<Difficulty> start_by_agent(std::span<const AgentStart> rules, std::string_view agent);
std::optional<std::uint64_t> size_by_agent(std::span<const AgentSize> rules,
                                           std::string_view agent);

}  // namespace adit
