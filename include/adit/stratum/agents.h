// SPDX-License-Identifier: MIT
// Where a miner begins of which nothing is known but what its software calls itself: the operator's
// rules, [[vardiff.agent]].
#pragma once

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

/// True if `part` stands somewhere in `agent`. Of ASCII letters the case does not count.
bool mentions(std::string_view agent, std::string_view part);
/// The start of the first rule whose match `agent` mentions.
std::optional<Difficulty> start_by_agent(std::span<const AgentStart> rules, std::string_view agent);

}  // namespace adit
