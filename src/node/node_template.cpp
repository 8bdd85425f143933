// SPDX-License-Identifier: MIT
// The Template and LongPoll lanes: when the next template is asked for, and what becomes of it.
#include <fmt/format.h>

#include <algorithm>

#include "adit/base/json.h"
#include "node/link_state.h"

namespace adit {
namespace {

constexpr Duration kRefusalAgain = std::chrono::seconds(30);
constexpr Duration kRetry = std::chrono::seconds(1);
constexpr Duration kRetryMost = std::chrono::seconds(10);
/// A block's time may be two hours off; beyond, work on it is lost.
constexpr std::int64_t kClockTolerance = 7'200;
constexpr std::int64_t kClockTrust = 60;

Duration growing(unsigned times) {
  return std::min<Duration>(kRetry * (1u << std::min(times, 4u)), kRetryMost);
}

/// A newer answer about the same tip came first. A long poll, which answers when there is news,
/// needs an older time to be old.
bool overtaken(const Link& link, Ask ask, const Lane& lane, const BlockTemplate& made) {
  if (!link.candidate || link.candidate->prev != made.prev || lane.asked > link.candidate_at)
    return false;
  return ask == Ask::Template || made.curtime < link.candidate->curtime;
}

std::int64_t seconds_since(Instant then, Instant now) {
  return std::chrono::duration_cast<std::chrono::seconds>(now - then).count();
}

}  // namespace

std::string NodeLink::State::template_params(const std::string& long_poll_id) const {
  JsonWriter json;
  json.begin_array().begin_object().key("rules").begin_array().string("segwit");
  if (options.network == Network::Signet) json.string("signet");
  json.end_array();
  if (!long_poll_id.empty()) json.key("longpollid").string(long_poll_id);
  return json.end_object().end_array().take();
}

void NodeLink::State::template_failed(std::uint32_t node, Ask ask, int http_status,
                                      const RpcError& error, Instant now) {
  Link& link = links[node];
  Lane& lane = ask == Ask::LongPoll ? link.long_poll : link.templates;
  if (http_status == 503) {
    lane.at = now + busy_backoff(lane.failures, last_token);
    return;
  }
  lane.at = now + growing(lane.failures - 1);
  if (!link.ready()) return;
  if (not_ready_code(error.code))
    return set_health(node, NodeHealth::NotReady,
                      fmt::format("error {}: {}", error.code, error.message), kNotReadyRetry, now);
  if (ask == Ask::Template) link.fresh = false;
  if (error.code != 0)
    tell_refusal(node, fmt::format("getblocktemplate: error {}: {}", error.code, error.message),
                 now);
  ask_soon(link, now);
}

void NodeLink::State::template_answered(std::uint32_t node, Ask ask, const RpcResult& result,
                                        Instant now) {
  Link& link = links[node];
  if (!link.ready()) return;
  auto made = parse_template(result.result, options, now);
  if (!made) return refuse_template(node, ask, made.error().text, now);
  if (auto why = contradiction(link, **made, now))
    return refuse_template(node, ask, std::move(*why), now);
  accept_template(node, ask, std::move(made).value(), now);
}

void NodeLink::State::refuse_template(std::uint32_t node, Ask ask, std::string reason,
                                      Instant now) {
  Link& link = links[node];
  Lane& lane = ask == Ask::LongPoll ? link.long_poll : link.templates;
  link.fresh = false;
  lane.at = now + growing(link.refusals++);
  // The other lane must not bring the same at once again.
  link.templates.at = std::max(link.templates.at, now + kRetry);
  tell_refusal(node, std::move(reason), now);
}

void NodeLink::State::tell_refusal(std::uint32_t node, std::string reason, Instant now) {
  Link& link = links[node];
  if (link.refusal == reason && now - link.refusal_at < kRefusalAgain) return;
  link.refusal = reason;
  link.refusal_at = now;
  events.push_back(TemplateRefused{NodeIndex(node), std::move(reason)});
}

/// What a template says against what is known from elsewhere.
std::optional<std::string> NodeLink::State::contradiction(const Link& link,
                                                          const BlockTemplate& made,
                                                          Instant now) const {
  const bool bits_vary = allows_minimum_difficulty_blocks(options.network);
  if (last_good && last_good->prev == made.prev) {
    if (last_good->height != made.height) return "height: differs from the last on the same tip";
    if (!bits_vary && last_good->bits != made.bits)
      return "bits: differ from the last on the same tip";
  }
  if (link.tip && link.tip->hash == made.prev) {
    const Tip& tip = *link.tip;
    if (made.height != tip.height + 1) return "height: not one above its tip";
    if (tip.has_header && next_bits_certain(options.network, tip.height) && made.bits != tip.bits)
      return "bits: differ from the tip's away from a retarget";
  }
  if (!last_good || options.network == Network::Regtest) return std::nullopt;
  const std::int64_t elapsed = seconds_since(last_good->received, now);
  const std::int64_t off = std::int64_t{made.curtime} - last_good->curtime - elapsed;
  if (elapsed <= kClockTrust && (off > kClockTolerance || off < -kClockTolerance))
    return "curtime: more than two hours away from the clock so far";
  return std::nullopt;
}

void NodeLink::State::accept_template(std::uint32_t node, Ask ask, TemplatePtr made, Instant now) {
  Link& link = links[node];
  Lane& lane = ask == Ask::LongPoll ? link.long_poll : link.templates;
  lane.at = std::max(now, lane.sent + kTemplateGap);
  const bool of_tip = link.tip && link.tip->hash == made->prev;
  const bool old =
      link.tip && (made->height <= link.tip->height + 1 || lane.asked <= link.tip_moved);
  if (!of_tip && old) {
    // It was asked for before the tip moved, or the node went back: its best hash will tell.
    link.templates.at = std::max(now, link.templates.sent + kTemplateGap);
    return ask_soon(link, now);
  }
  if (overtaken(link, ask, lane, *made)) return;
  const bool same_id = ask == Ask::LongPoll && of_tip && made->long_poll_id == link.long_poll_id;
  link.idle_polls = same_id ? link.idle_polls + 1 : 0;
  if (same_id) {
    lane.at = now + growing(link.idle_polls);
    return;
  }
  link.long_poll_id = made->long_poll_id;
  link.candidate = last_good = made;
  link.candidate_at = last_token;
  link.fresh = true;
  link.refusals = 0;
  link.refusal.clear();
  link.templates.at = now + options.template_refresh;
  if (!of_tip) set_tip(node, {made->prev, made->height - 1, false, {}, 0}, now);
  publish(now);
}

}  // namespace adit
