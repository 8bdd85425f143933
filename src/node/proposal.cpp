// SPDX-License-Identifier: MIT
// The coinbase skeleton of each new template is shown to a node as a proposal (BIP23), after its
// job has left: a builder's fault is known before a block is found, not by it. Once a block was
// refused, by a proposal or in earnest, the order is turned round: first the proof, then the work.
#include <algorithm>
#include <array>

#include "adit/base/json.h"
#include "adit/base/log.h"
#include "node/link_state.h"

namespace adit {
namespace {

constexpr unsigned kTries = 3;
constexpr Duration kTryAgain = std::chrono::seconds(1);
constexpr Duration kProveMost = std::chrono::seconds(30);
constexpr int kDecodeFailed = -22;

/// The node could not or need not judge it, having another tip by now: each kind of node spells
/// that in its own way.
bool is_no_verdict(std::string_view answer) {
  constexpr std::array<std::string_view, 3> kHarmless{"duplicate", "duplicate-inconclusive",
                                                      "bad-prevblk"};
  return answer.starts_with("inconclusive") ||
         std::find(kHarmless.begin(), kHarmless.end(), answer) != kHarmless.end();
}

Duration pause_after(unsigned bad_proofs) {
  return std::min<Duration>(kTryAgain * (1u << std::min(bad_proofs, 5u)), kProveMost);
}

std::string word_of(const RpcResult& result) {
  const std::string& text = result.error ? result.error->message : result.result;
  const bool quoted = text.size() >= 2 && text.front() == '"';
  return quoted ? text.substr(1, text.size() - 2) : text;
}

}  // namespace

void NodeLink::propose(TemplatePtr block_template, std::string block_hex, Instant now) {
  State& state = *state_;
  std::size_t place = 0;
  while (place < state.links.size() && state.links[place].candidate != block_template) ++place;
  const auto node = static_cast<std::uint32_t>(place % state.links.size());
  state.proposals[place] = {std::move(block_template), std::move(block_hex), node, 0, false, now};
  state.pump(now);
}

void NodeLink::distrust(Instant now) {
  State& state = *state_;
  for (std::size_t node = 0; node < state.links.size(); ++node) {
    state.doubt(node);
    state.links[node].prove_at = now;
  }
  state.revoke(now);
  state.pump(now);
}

void NodeLink::State::doubt(std::size_t node) {
  Link& link = links[node];
  link.suspect = true;
  link.proven.reset();
  // What waits to be shown need not be asked for again.
  link.proving = proposals[node] ? proposals[node]->block_template : nullptr;
}

bool NodeLink::State::is_withheld(const Link& link) const {
  return link.ready() && link.suspect && link.candidate && link.candidate != link.proving &&
         announced && link.candidate->prev == announced->hash;
}

/// The node that gave the template, else the first that is ready.
std::optional<std::uint32_t> NodeLink::State::node_to_ask(const Proposal& proposal) const {
  if (links[proposal.node].ready()) return proposal.node;
  for (std::uint32_t node = 0; node < links.size(); ++node)
    if (links[node].ready()) return node;
  return std::nullopt;
}

bool NodeLink::State::may_propose(std::size_t place) const {
  const auto& proposal = proposals[place];
  if (!proposal || proposal->under_way) return false;
  const auto node = node_to_ask(*proposal);
  return node && links[*node].proposals.idle();
}

void NodeLink::State::earlier_proposals(std::optional<Instant>& first) const {
  const auto earlier = [&first](Instant at) { first = first ? std::min(*first, at) : at; };
  for (std::size_t place = 0; place < proposals.size(); ++place)
    if (may_propose(place)) earlier(proposals[place]->at);
  for (const Link& link : links)
    if (is_withheld(link)) earlier(link.prove_at);
}

void NodeLink::State::pump_proposals(Instant now) {
  for (Link& link : links) {
    if (!is_withheld(link) || link.prove_at > now) continue;
    link.proving = link.candidate;
    const auto node = static_cast<std::uint32_t>(&link - links.data());
    events.push_back(TemplateWithheld{link.candidate, NodeIndex(node)});
  }
  for (std::size_t place = 0; place < proposals.size(); ++place) {
    if (!may_propose(place) || proposals[place]->at > now) continue;
    Proposal& proposal = *proposals[place];
    const std::uint32_t node = *node_to_ask(proposal);
    proposal.under_way = true;
    links[node].shown = proposal.block_template;
    links[node].shown_of = place;
    JsonWriter json;
    json.begin_array().begin_object().key("mode").string("proposal");
    json.key("rules").begin_array().string("segwit");
    if (options.network == Network::Signet) json.string("signet");
    json.end_array().key("data").string(proposal.block_hex).end_object().end_array();
    send(node, RpcLane::Proposal, links[node].proposals, Ask::Proposal, "getblocktemplate",
         json.take(), now);
  }
}

void NodeLink::State::proposal_answered(std::uint32_t node, const RpcResult& result, Instant now) {
  const TemplatePtr about = std::exchange(links[node].shown, nullptr);
  const std::size_t place = links[node].shown_of;
  auto& proposal = proposals[place];
  // Overtaken meanwhile: a verdict on the older one still counts, a silence does not.
  const bool current = proposal && proposal->block_template == about;
  if (result.error && result.error->code != kDecodeFailed) {
    if (current) no_verdict(node, place, result.error->message, now);
    return;
  }
  const bool of_node = place < links.size();
  const std::string word = word_of(result);
  if (current) proposal.reset();
  if (!result.error && is_no_verdict(word)) {
    if (current && of_node) links[place].prove_at = now + kTryAgain, links[place].proving.reset();
    return;
  }
  if (!result.error && word == "null") {
    if (!of_node) return;
    links[place].suspect = false;
    links[place].bad_proofs = 0;
    links[place].proven = about;
    return publish(now);
  }
  events.push_back(ProposalFailed{about, log_escape(word, 200)});
  if (!of_node) return;
  Link& source = links[place];
  doubt(place);
  if (source.candidate == about) source.proving = about;
  source.prove_at = now + pause_after(source.bad_proofs++);
  source.templates.at = source.prove_at;
  if (published_prev == about->prev) revoke(now);
}

/// Asked elsewhere, and after three times not at all: what is withheld comes again later.
void NodeLink::State::no_verdict(std::uint32_t node, std::size_t place, const std::string& why,
                                 Instant now) {
  Proposal& proposal = *proposals[place];
  proposal.under_way = false;
  proposal.at = now + kTryAgain;
  proposal.node = (node + 1) % static_cast<std::uint32_t>(links.size());
  if (++proposal.tries < kTries) return;
  events.push_back(ProposalUnanswered{proposal.block_template, why});
  proposals[place].reset();
  if (place == links.size() || !links[place].suspect) return;
  links[place].proving.reset();
  links[place].prove_at = now + pause_after(links[place].bad_proofs++);
}

}  // namespace adit
