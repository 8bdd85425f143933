// SPDX-License-Identifier: MIT
// Which tip everybody works on and which node's template they get: the highest tip, the one first
// seen among equals; on it the most valuable template, then the first node's.
#include <algorithm>
#include <tuple>

#include "node/link_state.h"

namespace adit {
namespace {

/// A candidate this old has missed two refreshes; any other node's is better.
constexpr int kStaleRefreshes = 3;

}  // namespace

bool next_bits_certain(Network network, std::uint32_t tip_height) {
  if (network == Network::Regtest) return true;
  if (allows_minimum_difficulty_blocks(network)) return false;
  const std::uint32_t interval = retarget_interval(network);
  return interval == 0 || (tip_height + 1) % interval != 0;
}

void NodeLink::State::tell_node(std::uint32_t node) {
  events.push_back(NodeChanged{NodeIndex(node), links[node].status});
}

void NodeLink::State::set_tip(std::uint32_t node, const Tip& tip, Instant now) {
  Link& link = links[node];
  const bool moved = !link.tip || link.tip->hash != tip.hash;
  link.tip = tip;
  link.highest = std::max(link.highest, tip.height);
  if (!moved) return;
  link.tip_moved = last_token;
  link.prove_at = now;
  const bool on_tip = link.candidate && link.candidate->prev == tip.hash;
  link.fresh = on_tip;
  link.status.tip = tip.hash;
  link.status.height = tip.height;
  tell_node(node);
  follow_best_tip(now);
  if (!on_tip) {
    const bool worked_on = published_prev == tip.hash;
    const Duration grace = worked_on && !link.long_poll.idle() ? kLongPollGrace : Duration{};
    link.templates.at = std::max(now + grace, link.templates.sent + kTemplateGap);
  }
  for (Link& other : links)
    if (other.ready() && (!other.tip || other.tip->hash != tip.hash)) {
      other.hinted = true;
      ask_soon(other, now);
    }
}

void NodeLink::State::follow_best_tip(Instant now) {
  const Tip* best = nullptr;
  for (const Link& link : links) {
    if (!link.tip) continue;
    const bool first_seen = announced && link.tip->hash == announced->hash;
    if (!best || link.tip->height > best->height ||
        (link.tip->height == best->height && first_seen))
      best = &*link.tip;
  }
  if (best == nullptr || (announced && announced->hash == best->hash)) return;
  announced = *best;
  announced_at = now;
  if (std::exchange(stale_told, 0) != 0) events.push_back(TipStale{0});
  for (const Link& link : links)
    if (link.ready() && !link.suspect && link.candidate && link.candidate->prev == best->hash)
      return;
  TipChanged changed{best->hash, best->height, make_empty(*best, now)};
  if (changed.empty) published_prev = best->hash;
  events.push_back(std::move(changed));
}

TemplatePtr NodeLink::State::make_empty(const Tip& tip, Instant now) const {
  if (!tip.has_header || !last_good || !next_bits_certain(options.network, tip.height))
    return nullptr;
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::seconds>(now - last_good->received).count();
  const auto curtime = static_cast<std::uint32_t>(last_good->curtime + elapsed);
  return empty_template(options.network, tip.hash, tip.height, last_good->version, tip.bits,
                        tip.median_time, curtime, now);
}

/// Whose template is worth most, of those on the tip and not in doubt.
const Link* NodeLink::State::best_link(Instant now) const {
  const Link* best = nullptr;
  const auto rank = [&](const Link& link) {
    const bool stale = now - link.candidate->received > kStaleRefreshes * options.template_refresh;
    return std::tuple(!stale, link.candidate->coinbase_value);
  };
  for (const Link& link : links) {
    if (!link.ready() || link.suspect || !link.candidate) continue;
    if (link.candidate->prev != announced->hash) continue;
    if (!best || rank(link) > rank(*best)) best = &link;
  }
  return best;
}

void NodeLink::State::publish(Instant now) {
  if (!announced) return;
  const Link* best = best_link(now);
  const bool new_tip = published_prev != announced->hash;
  if (best == nullptr) {
    // Where there is no work at all on this tip, a template in doubt gives what needs no proof.
    const auto doubtful = std::find_if(links.begin(), links.end(), [this](const Link& link) {
      return link.ready() && link.candidate && link.candidate->prev == announced->hash;
    });
    if (!new_tip || doubtful == links.end()) return;
    published.reset();
    published_prev = announced->hash;
    events.push_back(WorkRevoked{coinbase_only(*doubtful->candidate)});
    return;
  }
  if (best->candidate == published && !new_tip) return;
  // An older one of another node is no gain over the one that is being worked on.
  const bool on_published_tip = !new_tip && published && published->prev == best->candidate->prev;
  if (on_published_tip && published->received > best->candidate->received) return;
  published = best->candidate;
  published_prev = published->prev;
  published_node = static_cast<std::uint32_t>(best - links.data());
  events.push_back(
      TemplateReady{published, new_tip, NodeIndex(published_node), published == best->proven});
}

/// Takes back what is out, if it is in doubt.
void NodeLink::State::revoke(Instant now) {
  const bool is_out = published && published_prev == published->prev;
  if (!is_out || !links[published_node].suspect) return;
  const TemplatePtr doubtful = std::exchange(published, nullptr);
  const Link* best = announced->hash == doubtful->prev ? best_link(now) : nullptr;
  if (best == nullptr) {
    events.push_back(WorkRevoked{coinbase_only(*doubtful)});
    return;
  }
  published = best->candidate;
  published_node = static_cast<std::uint32_t>(best - links.data());
  events.push_back(WorkRevoked{published});
}

}  // namespace adit
