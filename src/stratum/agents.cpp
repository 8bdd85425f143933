// SPDX-License-Identifier: MIT
#include "adit/stratum/agents.h"

#include <algorithm>

namespace adit {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

template <class Rule>
const Rule* first_of(std::span<const Rule> rules, std::string_view agent) {
  const auto found = std::find_if(rules.begin(), rules.end(),
                                  [&](const Rule& rule) { return mentions(agent, rule.match); });
  return found == rules.end() ? nullptr : &*found;
}

}  // namespace

bool mentions(std::string_view agent, std::string_view part) {
  const auto same = [](char a, char b) { return lower(a) == lower(b); };
  return std::search(agent.begin(), agent.end(), part.begin(), part.end(), same) != agent.end();
}

std::optional<Difficulty> start_by_agent(std::span<const AgentStart> rules,
                                         std::string_view agent) {
  const AgentStart* rule = first_of(rules, agent);
  return rule != nullptr ? std::optional(rule->start) : std::nullopt;
}

std::optional<std::uint64_t> size_by_agent(std::span<const AgentSize> rules,
                                           std::string_view agent) {
  const AgentSize* rule = first_of(rules, agent);
  return rule != nullptr ? std::optional(rule->coinbase_weight) : std::nullopt;
}

}  // namespace adit
