// SPDX-License-Identifier: MIT
// NodeLink's frame: inputs, lanes, timers. What the answers mean is told in node_poll.cpp,
// node_tip.cpp, node_template.cpp and proposal.cpp.
#include "adit/node/node_link.h"

#include <algorithm>

#include "adit/base/check.h"
#include "node/link_state.h"

namespace adit {
namespace {

/// How long the tip of a node that left still counts, so that a slower node is not taken for a
/// reorg.
constexpr Duration kLeftTipCounts = std::chrono::seconds(5);

std::size_t answer_bound(Ask ask) {
  return ask == Ask::Template || ask == Ask::LongPoll ? kMaxTemplateAnswer : kMaxSmallAnswer;
}

Duration timeout_of(Ask ask) {
  switch (ask) {
    case Ask::Template:
      return kTemplateTimeout;
    case Ask::LongPoll:
      return kLongPollTimeout;
    case Ask::Proposal:
      return kProposalTimeout;
    default:
      return kCallTimeout;
  }
}

}  // namespace

NodeLink::NodeLink(const NodeOptions& options, std::size_t nodes)
    : state_(std::make_unique<State>(options, nodes)) {}
NodeLink::~NodeLink() = default;
NodeLink::NodeLink(NodeLink&&) noexcept = default;

void NodeLink::start(Instant now) {
  CHECK(!state_->started);
  state_->started = true;
  state_->alive_until = now;
  state_->long_polls_from = now + state_->options.first_long_poll;
  for (Link& link : state_->links) {
    link.call.at = now;
    link.last_ok = link.left_at = now;
  }
  state_->pump(now);
}

void NodeLink::hint(NodeIndex node, Instant now) {
  CHECK(node.value() < state_->links.size());
  Link& link = state_->links[node.value()];
  link.hinted = true;
  state_->ask_soon(link, now);
  state_->pump(now);
}

void NodeLink::answer(const RpcAnswer& answer, Instant now) {
  State& state = *state_;
  for (std::uint32_t node = 0; node < state.links.size(); ++node) {
    Link& link = state.links[node];
    for (Lane* lane : {&link.call, &link.templates, &link.long_poll, &link.proposals}) {
      if (lane->token != answer.token) continue;
      state.dispatch(node, *lane, answer, now);
      state.pump(now);
      return;
    }
  }
}

void NodeLink::expire(Instant now) { state_->pump(now); }
std::optional<Instant> NodeLink::deadline() const { return state_->deadline(); }
std::vector<RpcRequest> NodeLink::take_requests() { return std::exchange(state_->requests, {}); }
std::vector<NodeEvent> NodeLink::take_events() { return std::exchange(state_->events, {}); }

const NodeStatus& NodeLink::status(NodeIndex node) const {
  CHECK(node.value() < state_->links.size());
  return state_->links[node.value()].status;
}

void NodeLink::State::dispatch(std::uint32_t node, Lane& lane, const RpcAnswer& answer,
                               Instant now) {
  lane.token.reset();
  const Ask ask = lane.ask;
  RpcResult result = answer.body.size() > answer_bound(ask)
                         ? RpcResult{RpcError{0, "answer too large"}, {}}
                         : parse_rpc_answer(answer);
  if (result.error) {
    ++lane.failures;
  } else {
    lane.failures = 0;
    links[node].last_ok = now;
  }
  if (ask == Ask::Proposal) return proposal_answered(node, result, now);
  const bool of_template = ask == Ask::Template || ask == Ask::LongPoll;
  if (result.error && of_template)
    return template_failed(node, ask, answer.http_status, *result.error, now);
  if (result.error) return call_failed(node, ask, answer.http_status, *result.error, now);
  if (of_template) return template_answered(node, ask, result, now);
  call_answered(node, ask, result, now);
}

void NodeLink::State::send(std::uint32_t node, RpcLane name, Lane& lane, Ask ask,
                           std::string method, std::string params, Instant now) {
  CHECK(lane.idle());
  lane.token = lane.asked = ++last_token;
  lane.ask = ask;
  lane.sent = now;
  requests.push_back({*lane.token, NodeIndex(node), name, std::move(method), std::move(params),
                      timeout_of(ask), answer_bound(ask)});
}

void NodeLink::State::pump(Instant now) {
  if (!started) return;
  forget_left_tips(now);
  for (std::uint32_t node = 0; node < links.size(); ++node) {
    pump_call(node, now);
    pump_template(node, now);
    pump_long_poll(node, now);
  }
  pump_proposals(now);
  update_missing(now);
  update_stale(now);
}

void NodeLink::State::pump_template(std::uint32_t node, Instant now) {
  Link& link = links[node];
  if (!link.templates.idle() || !link.ready() || link.templates.at > now) return;
  send(node, RpcLane::Template, link.templates, Ask::Template, "getblocktemplate",
       template_params(""), now);
}

void NodeLink::State::pump_long_poll(std::uint32_t node, Instant now) {
  Link& link = links[node];
  if (!link.long_poll.idle() || !link.ready() || link.long_poll_id.empty()) return;
  if (link.long_poll.at > now) return;
  send(node, RpcLane::LongPoll, link.long_poll, Ask::LongPoll, "getblocktemplate",
       template_params(link.long_poll_id), now);
}

void NodeLink::State::forget_left_tips(Instant now) {
  bool any = false;
  for (Link& link : links) {
    if (link.ready() || !link.tip || now < link.left_at + kLeftTipCounts) continue;
    link.tip.reset();
    any = true;
  }
  if (!any) return;
  follow_best_tip(now);
  publish(now);
}

void NodeLink::State::update_missing(Instant now) {
  bool alive = false;
  for (const Link& link : links) {
    if (!link.ready() || !link.fresh) continue;
    alive = true;
    alive_until = std::max(alive_until, link.last_ok);
  }
  if (alive) {
    if (std::exchange(missing_told, 0) != 0) events.push_back(TemplatesMissing{0});
    missing_since.reset();
    return;
  }
  if (!missing_since) missing_since = alive_until;
  for (const auto& [level, after] :
       {std::pair{5u, kMissingAlarm}, std::pair{120u, kMissingDrain}}) {
    if (missing_told >= level || now < *missing_since + after) continue;
    missing_told = level;
    events.push_back(TemplatesMissing{level});
  }
}

void NodeLink::State::update_stale(Instant now) {
  if (!tells_stale() || now < announced_at + (stale_told + 1) * kStaleTip) return;
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(now - announced_at).count();
  // One word for a long sleep, too.
  stale_told = static_cast<std::uint32_t>((now - announced_at) / kStaleTip);
  events.push_back(TipStale{static_cast<std::uint32_t>(minutes)});
}

std::optional<Instant> NodeLink::State::deadline() const {
  if (!started) return std::nullopt;
  std::optional<Instant> first;
  const auto earlier = [&first](Instant at) { first = first ? std::min(*first, at) : at; };
  for (std::uint32_t node = 0; node < links.size(); ++node) {
    const Link& link = links[node];
    if (link.call.idle()) earlier(link.call.at);
    if (!link.ready() && link.tip) earlier(link.left_at + kLeftTipCounts);
    if (!link.ready()) continue;
    if (link.templates.idle()) earlier(link.templates.at);
    if (link.long_poll.idle() && !link.long_poll_id.empty()) earlier(link.long_poll.at);
  }
  earlier_proposals(first);
  if (missing_since && missing_told < 5) earlier(*missing_since + kMissingAlarm);
  if (missing_since && missing_told == 5) earlier(*missing_since + kMissingDrain);
  if (tells_stale()) earlier(announced_at + (stale_told + 1) * kStaleTip);
  return first;
}

Duration busy_backoff(unsigned failures, std::uint64_t token) {
  const std::uint64_t base = 50ull << std::min(failures > 0 ? failures - 1 : 0u, 3u);
  const std::uint64_t spread = (token * 0x9e3779b97f4a7c15ull >> 32) % (base / 2);
  return std::chrono::milliseconds(std::min<std::uint64_t>(base + spread, 400));
}

}  // namespace adit
