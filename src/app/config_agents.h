// SPDX-License-Identifier: MIT
// Lists of rules by what a miner's software calls itself: [[vardiff.agent]], [[payout.agent]].
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "app/toml_reader.h"

namespace adit {

inline constexpr std::size_t kAgentsMax = 64;

/// `match`, required. `earlier`: those that stand before it.
std::string read_match(TomlTable& table, const std::vector<std::string>& earlier);

/// All of `parent`'s. `read` takes from a table what a rule says beside its match.
template <class Rule, class Read>
void read_agents(TomlTable& parent, std::vector<Rule>& rules, Read read) {
  if (!parent.has("agent")) return;
  std::vector<TomlTable> tables = parent.tables("agent");
  if (tables.size() > kAgentsMax)
    parent.fail("agent", fmt::format("at most {} of them", kAgentsMax));
  std::vector<std::string> earlier;
  for (std::size_t i = 0; i < std::min(tables.size(), kAgentsMax); ++i) {
    Rule rule;
    rule.match = read_match(tables[i], earlier);
    earlier.push_back(rule.match);
    read(tables[i], rule);
    tables[i].finish();
    rules.push_back(std::move(rule));
  }
}

}  // namespace adit
