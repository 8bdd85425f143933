// SPDX-License-Identifier: MIT
#include "app/config_agents.h"

#include "adit/stratum/agents.h"

namespace adit {
namespace {

constexpr std::size_t kAgentMatchMax = 64;  // what a session keeps of a name

}  // namespace

std::string read_match(TomlTable& table, const std::vector<std::string>& earlier) {
  std::string match;
  table.text("match", match);
  const auto printable = [](char c) { return c >= ' ' && c <= '~'; };
  if (match.empty() || match.size() > kAgentMatchMax ||
      !std::all_of(match.begin(), match.end(), printable))
    table.fail("match", fmt::format("is required: 1 to {} characters of printable ASCII that the "
                                    "name of the miner's software contains",
                                    kAgentMatchMax));
  for (const std::string& other : earlier)
    if (mentions(match, other))
      table.fail("match", fmt::format("never counts: \"{}\" stands before it, and the first that "
                                      "matches wins",
                                      other));
  return match;
}

}  // namespace adit
