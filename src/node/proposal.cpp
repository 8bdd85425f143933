// SPDX-License-Identifier: MIT
// The coinbase skeleton of each new template is shown to a node as a proposal (BIP23), after its
// job has left: a builder's fault is known before a block is found, not by it.
#include <algorithm>
#include <array>

#include "adit/base/json.h"
#include "adit/base/log.h"
#include "node/link_state.h"

namespace adit {
namespace {

constexpr unsigned kTries = 3;
constexpr Duration kTryAgain = std::chrono::seconds(1);
constexpr Duration kDistrust = std::chrono::minutes(10);
constexpr int kDecodeFailed = -22;

/// The node could not or need not judge it. It has another tip by now: bitcoind says so in one way,
/// btcd in two (the second is its own spelling).
bool no_verdict(std::string_view answer) {
  constexpr std::array<std::string_view, 6> kHarmless{
      "duplicate",   "duplicate-inconclusive",      "inconclusive", "inconclusive-not-best-prevblk",
      "bad-prevblk", "inconclusive-not-best-prvblk"};
  return std::find(kHarmless.begin(), kHarmless.end(), answer) != kHarmless.end();
}

}  // namespace

void NodeLink::propose(TemplatePtr block_template, std::string block_hex, Instant now) {
  State& state = *state_;
  std::uint32_t source = 0;
  for (std::uint32_t node = 0; node < state.links.size(); ++node)
    if (state.links[node].candidate == block_template) source = node;
  state.proposal = {std::move(block_template), std::move(block_hex), source, 0, now};
  state.pump(now);
}

/// The node that gave the template, else the first that is ready.
std::optional<std::uint32_t> NodeLink::State::proposal_node() const {
  if (!proposal || proposed) return std::nullopt;
  if (proposal->source < links.size() && links[proposal->source].ready()) return proposal->source;
  for (std::uint32_t node = 0; node < links.size(); ++node)
    if (links[node].ready()) return node;
  return std::nullopt;
}

void NodeLink::State::pump_proposal(std::uint32_t node, Instant now) {
  if (proposal_node() != node || proposal->at > now) return;
  proposed = proposal->block_template;
  JsonWriter json;
  json.begin_array().begin_object().key("mode").string("proposal");
  json.key("rules").begin_array().string("segwit");
  if (options.network == Network::Signet) json.string("signet");
  json.end_array().key("data").string(proposal->block_hex).end_object().end_array();
  send(node, RpcLane::Template, links[node].templates, Ask::Proposal, "getblocktemplate",
       json.take(), now);
}

void NodeLink::State::proposal_answered(std::uint32_t node, const RpcResult& result, Instant now) {
  links[node].templates.at = std::max(links[node].templates.at, now);
  const TemplatePtr about = std::exchange(proposed, nullptr);
  // Overtaken meanwhile: a verdict on the older one still counts, a silence does not.
  const bool current = proposal && proposal->block_template == about;
  if (result.error && result.error->code != kDecodeFailed) {
    if (!current) return;
    if (++proposal->tries == kTries) return proposal.reset();
    proposal->at = now + kTryAgain;
    proposal->source = (node + 1) % static_cast<std::uint32_t>(links.size());
    return;
  }
  if (current) proposal.reset();
  std::string reason = result.error ? result.error->message : result.result;
  if (reason == "null") return;
  if (reason.size() >= 2 && reason.front() == '"') reason = reason.substr(1, reason.size() - 2);
  if (no_verdict(reason)) return;
  for (Link& link : links) {
    if (link.candidate != about) continue;
    link.candidate.reset();
    link.fresh = false;
    link.distrusted_until = now + kDistrust;
    link.templates.at = now + kTemplateGap;
  }
  if (published == about) published.reset();
  events.push_back(ProposalFailed{about, log_escape(reason, 200)});
  publish(now);
}

}  // namespace adit
