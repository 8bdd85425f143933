// SPDX-License-Identifier: MIT
// The Call lane: who the node is (chain, genesis, version), whether it is ready, and its tip by a
// question a second and by hints.
#include <fmt/format.h>

#include <algorithm>

#include "adit/base/json.h"
#include "adit/base/log.h"
#include "node/link_state.h"

namespace adit {
namespace {

constexpr std::uint32_t kRollbackLimit = 6;
/// What a node stands by for so long is its chain, however far it fell.
constexpr Duration kRollbackHolds = std::chrono::minutes(10);

std::string one_param(std::string_view text) {
  return JsonWriter().begin_array().string(text).end_array().take();
}

struct ChainInfo {
  std::string chain;
  std::uint32_t height = 0;
  bool syncing = false;
};

std::optional<ChainInfo> read_chain_info(std::string_view text) {
  const JsonText json(text);
  if (!json.root() || !json.root()->is_object()) return std::nullopt;
  const auto chain = json_string(*json.root(), "chain");
  const auto blocks = json_integer(*json.root(), "blocks");
  // btcd has no such key: it refuses templates itself while it syncs.
  const bool told = json.root()->at_key("initialblockdownload").error() == simdjson::SUCCESS;
  const auto syncing =
      told ? json_bool(*json.root(), "initialblockdownload") : std::optional(false);
  if (!chain || !blocks || !syncing || *blocks < 0 || *blocks > INT32_MAX) return std::nullopt;
  return ChainInfo{std::string(*chain), static_cast<std::uint32_t>(*blocks), *syncing};
}

}  // namespace

std::optional<std::string> chain_objection(std::string_view blockchain_info, Network network) {
  const auto info = read_chain_info(blockchain_info);
  if (!info) return "getblockchaininfo: odd answer";
  if (info->chain != network_chain_name(network))
    return fmt::format("chain is {}", log_escape(info->chain));
  // A regtest node says so until it has a block of the last day; it is never waiting for peers.
  if (info->syncing && network != Network::Regtest)
    return fmt::format("initial block download, at height {}", info->height);
  return std::nullopt;
}

void NodeLink::State::pump_call(std::uint32_t node, Instant now) {
  Link& link = links[node];
  if (!link.call.idle() || link.call.at > now) return;
  const auto ask = [&](Ask what, std::string method, std::string params) {
    send(node, RpcLane::Call, link.call, what, std::move(method), std::move(params), now);
  };
  if (link.step == Step::ChainInfo) return ask(Ask::ChainInfo, "getblockchaininfo", "[]");
  if (link.step == Step::Genesis) return ask(Ask::Genesis, "getblockhash", "[0]");
  if (link.step == Step::NetworkInfo) return ask(Ask::NetworkInfo, "getnetworkinfo", "[]");
  if (link.peers_due) return ask(Ask::NetworkInfo, "getnetworkinfo", "[]");
  if (link.header_wanted)
    return ask(Ask::Header, "getblockheader", one_param(link.header_wanted->hex()));
  if (link.recheck_at <= now && !link.hinted) return ask(Ask::ChainInfo, "getblockchaininfo", "[]");
  link.hinted = false;
  link.best_hash_sent = now;
  ask(Ask::BestHash, "getbestblockhash", "[]");
}

/// A hint, or a doubt on another lane: the next question for the best hash comes forward.
void NodeLink::State::ask_soon(Link& link, Instant now) {
  if (link.step != Step::Watch || link.call.failures > 0 || !link.call.idle()) return;
  link.hinted = true;
  link.call.at = std::min(link.call.at, std::max(now, link.best_hash_sent + kHintGap));
}

/// The answer tells of a tip that was: lanes have connections of their own, so a template that
/// brought a newer one may have overtaken it.
void NodeLink::State::ask_again(Link& link, Instant now) {
  link.hinted = true;
  ask_soon(link, now);
}

std::optional<std::string> NodeLink::State::rolled_back(Link& link, std::uint32_t height,
                                                        Instant now) {
  const bool fell = height + kRollbackLimit < link.highest;
  if (fell && !link.fell_at) link.fell_at = now;
  if (fell && now < *link.fell_at + kRollbackHolds)
    return fmt::format("rolled back from height {} to {}", link.highest, height);
  if (fell) link.highest = height;
  link.fell_at.reset();
  return std::nullopt;
}

void NodeLink::State::set_health(std::uint32_t node, NodeHealth health, std::string reason,
                                 Duration retry, Instant now) {
  Link& link = links[node];
  link.call.at = now + retry;
  link.step = Step::ChainInfo;
  link.header_wanted.reset();
  link.peers_due = false;
  if (link.ready()) link.left_at = now;
  link.candidate.reset();
  link.fresh = false;
  link.long_poll_id.clear();
  if (link.status.health == health && link.status.reason == reason) return;
  link.status.health = health;
  link.status.reason = std::move(reason);
  tell_node(node);
}

void NodeLink::State::call_failed(std::uint32_t node, Ask ask, int http_status,
                                  const RpcError& error, Instant now) {
  Link& link = links[node];
  // Nodes differ in what they let this user ask; these two answers are not needed.
  if (ask == Ask::NetworkInfo && error.code != 0 && !not_ready_code(error.code))
    return become_ready(node, now);
  if (ask == Ask::Header && error.code != 0 && !not_ready_code(error.code)) {
    link.header_wanted.reset();
    link.call.at = now + options.poll;
    return;
  }
  if (http_status == 503) {
    link.call.at = now + busy_backoff(link.call.failures, last_token);
    if (now - link.last_ok < kMissingAlarm) return;
    const auto at = link.call.at;
    return set_health(node, NodeHealth::NotReady, error.message, at - now, now);
  }
  if (error.code != 0)
    return set_health(node, NodeHealth::NotReady,
                      fmt::format("error {}: {}", error.code, error.message), kNotReadyRetry, now);
  if (http_status == 401 || http_status == 403)
    return set_health(node, NodeHealth::NotReady, error.message, kNotReadyRetry, now);
  set_health(node, NodeHealth::Down, error.message, kDownRetry, now);
}

void NodeLink::State::call_answered(std::uint32_t node, Ask ask, const RpcResult& result,
                                    Instant now) {
  Link& link = links[node];
  if (ask == Ask::ChainInfo) return chain_info(node, result.result, now);
  if (ask == Ask::Header) return header(node, result.result, now);
  const JsonText json(result.result);
  if (ask == Ask::NetworkInfo) {
    network_info(node, json);
    return become_ready(node, now);
  }
  std::string_view text;
  const bool is_text = json.root() && json.root()->get(text) == simdjson::SUCCESS;
  const auto hash = is_text ? BlockHash::from_hex(text) : std::nullopt;
  if (!hash)
    return set_health(node, NodeHealth::Down, "odd answer where a block hash was due", kDownRetry,
                      now);
  if (ask == Ask::Genesis) {
    if (*hash != genesis_hash(options.network))
      return set_health(node, NodeHealth::WrongChain,
                        fmt::format("genesis block is {}", hash->hex()), kWrongChainRetry, now);
    link.step = Step::NetworkInfo;
    link.call.at = now;
    return;
  }
  if (link.step != Step::Watch) return;
  link.call.at = now + options.poll;
  if (!link.tip || link.tip->hash != *hash) {
    if (link.call.asked <= link.tip_moved) return ask_again(link, now);
    link.header_wanted = *hash;
    link.call.at = now;
  } else if (link.hinted) {
    ask_soon(link, now);
  }
}

void NodeLink::State::chain_info(std::uint32_t node, const std::string& text, Instant now) {
  Link& link = links[node];
  const auto info = read_chain_info(text);
  if (!info)
    return set_health(node, NodeHealth::Down, "getblockchaininfo: odd answer", kDownRetry, now);
  if (info->chain != network_chain_name(options.network))
    return set_health(node, NodeHealth::WrongChain, *chain_objection(text, options.network),
                      kWrongChainRetry, now);
  if (auto why = rolled_back(link, info->height, now))
    return set_health(node, NodeHealth::NotReady, std::move(*why), kNotReadyRetry, now);
  if (auto why = chain_objection(text, options.network))
    return set_health(node, NodeHealth::NotReady, std::move(*why), kNotReadyRetry, now);
  link.recheck_at = now + kRecheck;
  link.call.at = now;
  if (link.step == Step::ChainInfo)
    link.step = Step::Genesis;
  else
    link.peers_due = true;
}

void NodeLink::State::network_info(std::uint32_t node, const JsonText& json) {
  NodeStatus& status = links[node].status;
  const bool object = json.root() && json.root()->is_object();
  const auto version = object ? json_string(*json.root(), "subversion") : std::nullopt;
  const auto known = object ? json_integer(*json.root(), "connections") : std::nullopt;
  const std::int64_t peers = known.value_or(-1);
  status.version = log_escape(version.value_or(""));
  const bool was_alone = status.peers == 0u;
  status.peers.reset();
  if (peers >= 0 && peers <= INT32_MAX) status.peers = static_cast<std::uint32_t>(peers);
  if (options.network == Network::Regtest || (status.peers == 0u) == was_alone) return;
  events.emplace_back(NodeAlone{NodeIndex(node), !was_alone});
}

void NodeLink::State::become_ready(std::uint32_t node, Instant now) {
  Link& link = links[node];
  link.call.failures = 0;
  link.call.at = now;
  link.peers_due = false;
  if (std::exchange(link.step, Step::Watch) == Step::Watch) return;
  link.status.health = NodeHealth::Ready;
  link.status.reason.clear();
  link.refusals = link.idle_polls = 0;
  link.templates.at = std::max(now, link.templates.at);
  link.long_poll.at = std::max({now, link.long_poll.at, long_polls_from});
  tell_node(node);
}

void NodeLink::State::header(std::uint32_t node, const std::string& text, Instant now) {
  Link& link = links[node];
  if (!link.header_wanted) return;  // the node left meanwhile
  const BlockHash wanted = *std::exchange(link.header_wanted, std::nullopt);
  link.call.at = now + options.poll;
  const JsonText json(text);
  if (!json.root() || !json.root()->is_object())
    return set_health(node, NodeHealth::Down, "getblockheader: odd answer", kDownRetry, now);
  const auto& root = *json.root();
  const auto height = json_integer(root, "height");
  // btcd tells no median time: without it the empty job must wait for the template.
  const bool timed = root.at_key("mediantime").error() == simdjson::SUCCESS;
  const auto median = timed ? json_integer(root, "mediantime") : std::optional<std::int64_t>(0);
  const auto confirmations = json_integer(root, "confirmations");
  const auto bits_text = json_string(root, "bits");
  const auto bits = bits_text ? hex_u32(*bits_text) : std::nullopt;
  const bool fits = height && *height >= 0 && *height <= INT32_MAX && median && *median >= 0 &&
                    *median < UINT32_MAX && confirmations && bits &&
                    json_hash(root, "hash") == wanted;
  if (!fits)
    return set_health(node, NodeHealth::Down, "getblockheader: odd answer", kDownRetry, now);
  const bool is_tip = *confirmations == 1;  // 0 and less: off the chain; more: blocks stand on it
  if (!is_tip || link.call.asked <= link.tip_moved) return ask_again(link, now);
  Tip tip{wanted, static_cast<std::uint32_t>(*height), timed, CompactTarget(*bits),
          static_cast<std::uint32_t>(*median)};
  if (auto why = rolled_back(link, tip.height, now))
    return set_health(node, NodeHealth::NotReady, std::move(*why), kNotReadyRetry, now);
  set_tip(node, tip, now);
  publish(now);
  if (link.hinted) ask_soon(link, now);
}

}  // namespace adit
