// SPDX-License-Identifier: MIT
#include "adit/stratum/agents.h"

#include <algorithm>

namespace adit {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

bool mentions(std::string_view agent, std::string_view part) {
  const auto same = [](char a, char b) { return lower(a) == lower(b); };
  return std::search(agent.begin(), agent.end(), part.begin(), part.end(), same) != agent.end();
}

std::optional<Difficulty> start_by_agent(std::span<const AgentStart> rules,
                                         std::string_view agent) {
  for (const AgentStart& rule : rules)
    if (mentions(agent, rule.match)) return rule.start;
  return std::nullopt;
}

}  // namespace adit
