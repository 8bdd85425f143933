// SPDX-License-Identifier: MIT
// A bitcoind in a hundred lines, and a virtual clock that carries questions and answers between
// NodeLink and several of them. It watches two promises at every step: one question a lane, and a
// deadline that lies in the future.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "fixture.h"
#include "node/json_text.h"

namespace adit::test {

struct ScriptedNode {
  struct BlockInfo {
    Hash256 hash;
    std::uint32_t bits = kRegtestBits;
  };
  Network network = Network::Regtest;
  std::string chain = "regtest";
  std::vector<BlockInfo> blocks;  ///< from `base`
  std::uint32_t base = 100;
  std::int64_t fees = 0;
  bool up = true;
  bool syncing = false;
  int peers = 8;
  bool hangs = false;  ///< connects, never answers
  bool hold_templates = false;
  bool answers_when_asked = false;  ///< the way back takes the time: it tells of what was
  int http_status = 200;            ///< other than 200: for everything
  int error_code = 0;               ///< likewise
  std::string genesis;              ///< "" for the right one
  std::function<void(TemplateText&)> spoil;
  std::string proposal = "null";
  Duration latency = std::chrono::milliseconds(1);
  Duration template_latency = std::chrono::milliseconds(2);
  Duration proposal_latency = std::chrono::milliseconds(2);
  std::uint32_t curtime = 1'700'000'600;
  std::uint64_t version_of_mempool = 0;
  bool long_poll_loops = false;  ///< answers each long poll at once, always with the same id

  std::uint32_t height() const { return base + static_cast<std::uint32_t>(blocks.size()) - 1; }
  const BlockInfo& tip() const { return blocks.back(); }
  std::string long_poll_id() const { return tip().hash.hex() + std::to_string(version_of_mempool); }
  void mine(std::uint32_t number, std::uint32_t bits = kRegtestBits) {
    blocks.push_back({hash_number(number), bits});
  }

  std::string template_json() const {
    TemplateText text = bare_template(height() + 1, tip().hash, fees, network, tip().bits);
    text.fields["longpollid"] = in_quotes(long_poll_id());
    text.fields["curtime"] = std::to_string(curtime);
    if (fees > 0) {
      text.add(make_transaction(Txid::from(hash_number(9)), 0, true), fees);
      text.commit();
    }
    if (spoil) spoil(text);
    return text.text();
  }

  std::string header_json(const std::string& hash) const {
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      if (blocks[i].hash.hex() != hash) continue;
      const std::uint32_t bits = blocks[i].bits;
      return object_of(
          {{"hash", in_quotes(hash)},
           {"height", std::to_string(base + i)},
           {"confirmations", std::to_string(blocks.size() - i)},
           {"version", "536870912"},
           {"mediantime", "1700000000"},
           {"time", "1700000100"},
           {"bits", in_quotes(to_hex(ByteVec{std::uint8_t(bits >> 24), std::uint8_t(bits >> 16),
                                             std::uint8_t(bits >> 8), std::uint8_t(bits)}))}});
    }
    return "";
  }

  /// The result, or "" for "Block not found".
  std::string result_of(const RpcRequest& request) const {
    const std::string& method = request.method;
    if (method == "getblockchaininfo")
      return object_of({{"chain", in_quotes(chain)},
                        {"blocks", std::to_string(height())},
                        {"initialblockdownload", syncing ? "true" : "false"}});
    if (method == "getblockhash")
      return in_quotes(genesis.empty() ? genesis_hash(network).hex() : genesis);
    if (method == "getnetworkinfo")
      return R"({"version":280100,"subversion":"/Satoshi:28.1.0/","connections":)" +
             std::to_string(peers) + "}";
    if (method == "getbestblockhash") return in_quotes(tip().hash.hex());
    if (method == "getblockheader") return header_json(request.params.substr(2, 64));
    if (request.params.find("proposal") != std::string::npos) return proposal;
    return template_json();
  }

  /// A long poll whose id is still the newest waits.
  bool waits(const RpcRequest& request) const {
    if (hangs) return true;
    if (request.method != "getblocktemplate") return false;
    if (request.lane == RpcLane::Proposal) return false;
    if (hold_templates && up) return true;
    return request.lane == RpcLane::LongPoll && !long_poll_loops && up && error_code == 0 &&
           http_status == 200 && request.params.find(long_poll_id()) != std::string::npos;
  }

  RpcAnswer answer(const RpcRequest& request) const {
    RpcAnswer made;
    made.token = request.token;
    if (!up) {
      made.transport_error = "connection refused";
      return made;
    }
    made.http_status = http_status;
    if (http_status != 200) {
      made.body = "nothing";
      return made;
    }
    const std::string result = result_of(request);
    const int code = error_code != 0 ? error_code : -5;
    if (error_code != 0 || result.empty()) {
      made.body = R"({"result":null,"error":{"code":)" + std::to_string(code) +
                  R"(,"message":"told so"},"id":)" + std::to_string(request.token) + "}";
    } else {
      made.body = R"({"result":)" + result + R"(,"error":null})";
    }
    return made;
  }
};

class Stage {
 public:
  Stage(const NodeOptions& options, std::size_t count)
      : nodes(count), link(options, count), options_(options) {
    for (ScriptedNode& node : nodes) {
      node.network = options.network;
      node.chain = std::string(network_chain_name(options.network));
    }
  }

  std::vector<ScriptedNode> nodes;
  NodeLink link;
  Instant now{};
  std::vector<std::pair<Instant, NodeEvent>> events;
  std::map<std::string, int> asked;  ///< "<node> <method>[ longpoll]"
  std::vector<Instant> template_times;
  bool proposes = false;  ///< each template given out, as the app does; those withheld always

  void start() {
    link.start(now);
    collect();
  }
  void hint(std::uint32_t node) {
    link.hint(NodeIndex(node), now);
    collect();
  }
  void propose(TemplatePtr made) {
    link.propose(std::move(made), "00", now);
    collect();
  }
  void run_for(Duration time) {
    const Instant end = now + time;
    for (;;) {
      Instant next = end;
      if (const auto at = link.deadline()) {
        REQUIRE(*at > now);  // or the loop would be busy
        next = std::min(next, *at);
      }
      for (const Pending& pending : pending_) next = std::min(next, due(pending));
      now = std::max(now, next);
      deliver();
      link.expire(now);
      collect();
      if (now >= end) return;
    }
  }
  template <class Event>
  std::vector<Event> all() const {
    std::vector<Event> out;
    for (const auto& [at, event] : events)
      if (const auto* one = std::get_if<Event>(&event)) out.push_back(*one);
    return out;
  }
  template <class Event>
  int count() const {
    return static_cast<int>(all<Event>().size());
  }
  void forget() {
    events.clear();
    asked.clear();
    template_times.clear();
  }
  NodeHealth health(std::uint32_t node) const { return link.status(NodeIndex(node)).health; }
  std::string reason(std::uint32_t node) const { return link.status(NodeIndex(node)).reason; }

 private:
  struct Pending {
    RpcRequest request;
    Instant sent;
    std::optional<RpcAnswer> answer;  ///< already on its way
  };
  Instant due(const Pending& pending) const {
    const ScriptedNode& node = nodes[pending.request.node.value()];
    const Instant timeout = pending.sent + pending.request.timeout;
    if (!pending.answer && node.waits(pending.request)) return timeout;
    const Duration takes = pending.request.method != "getblocktemplate" ? node.latency
                           : pending.request.lane == RpcLane::Proposal  ? node.proposal_latency
                                                                        : node.template_latency;
    // What waited answers at once when it need not wait any more.
    const Instant ready = pending.sent + takes;
    return std::min(std::max(ready, now), timeout);
  }
  void deliver() {
    for (;;) {
      const auto next = std::find_if(pending_.begin(), pending_.end(),
                                     [&](const Pending& p) { return due(p) <= now; });
      if (next == pending_.end()) return;
      const Pending pending = *next;
      pending_.erase(next);
      RpcAnswer answer;
      if (now >= pending.sent + pending.request.timeout) {
        answer.token = pending.request.token;
        answer.transport_error = "timed out";
      } else if (pending.answer) {
        answer = *pending.answer;
      } else {
        answer = nodes[pending.request.node.value()].answer(pending.request);
      }
      link.answer(answer, now);
      collect();
    }
  }
  void collect() {
    for (RpcRequest& request : link.take_requests()) {
      for (const Pending& other : pending_) {
        const bool same = other.request.node == request.node && other.request.lane == request.lane;
        REQUIRE_MESSAGE(!same, "two questions in one lane: ", request.method);
      }
      REQUIRE(JsonText(rpc_body(request)).root());
      std::string name = std::to_string(request.node.value()) + " " + request.method;
      if (request.lane == RpcLane::LongPoll) name += " longpoll";
      if (request.params.find("proposal") != std::string::npos) name += " proposal";
      ++asked[name];
      if (request.method == "getblocktemplate") template_times.push_back(now);
      const ScriptedNode& node = nodes[request.node.value()];
      const bool at_once = node.answers_when_asked && !node.waits(request);
      auto answer = at_once ? std::optional(node.answer(request)) : std::nullopt;
      pending_.push_back({std::move(request), now, std::move(answer)});
    }
    std::vector<TemplatePtr> to_propose;
    for (NodeEvent& event : link.take_events()) {
      if (const auto* withheld = std::get_if<TemplateWithheld>(&event))
        to_propose.push_back(withheld->block_template);
      const auto* ready = std::get_if<TemplateReady>(&event);
      if (ready != nullptr && proposes && !ready->proven)
        to_propose.push_back(ready->block_template);
      events.emplace_back(now, std::move(event));
    }
    for (TemplatePtr& made : to_propose) propose(std::move(made));
  }

  NodeOptions options_;
  std::vector<Pending> pending_;
};

/// A stage whose nodes stand at height 100, started and settled.
inline Stage settled(std::size_t count = 1, NodeOptions options = regtest(),
                     std::uint32_t bits = kRegtestBits, std::uint32_t height = 100) {
  Stage stage(options, count);
  for (ScriptedNode& node : stage.nodes) {
    node.base = height;
    node.mine(100, bits);
  }
  stage.start();
  stage.run_for(std::chrono::milliseconds(100));
  REQUIRE(stage.count<TemplateReady>() >= 1);
  REQUIRE(stage.health(0) == NodeHealth::Ready);
  stage.forget();
  return stage;
}

inline constexpr std::uint32_t kMainBits = 0x1703a30c;

}  // namespace adit::test
