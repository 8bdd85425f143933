// SPDX-License-Identifier: MIT
// What NodeLink knows: one Link a node with three lanes, and what was last told to the outside.
// Every input ends in pump(), which sends what is due; so after it each idle lane's `at` lies in
// the future, and deadline() is the least of them.
#pragma once

#include <deque>

#include "adit/node/node_link.h"
#include "node/json_text.h"
#include "node/rpc_limits.h"

namespace adit {

enum class Ask : std::uint8_t {
  ChainInfo,
  Genesis,
  NetworkInfo,
  BestHash,
  Header,
  Template,
  LongPoll,
  Proposal
};

/// At most one question under way.
struct Lane {
  std::optional<std::uint64_t> token;
  std::uint64_t asked = 0;  ///< the token of the last question, answered or not
  Ask ask{};
  Instant sent{};         ///< the last question
  Instant at{};           ///< the next one not before
  unsigned failures = 0;  ///< in a row
  bool idle() const { return !token; }
};

struct Tip {
  BlockHash hash;
  std::uint32_t height = 0;
  bool has_header = false;  ///< the rest is set; not when a template named the tip
  CompactTarget bits;
  std::uint32_t median_time = 0;
};

/// Before Watch a node is asked, in this order, who it is; any failure starts again.
enum class Step : std::uint8_t { ChainInfo, Genesis, NetworkInfo, Watch };

struct Link {
  NodeStatus status;
  Step step = Step::ChainInfo;
  Lane call, templates, long_poll, proposals;

  bool hinted = false;  ///< somebody said "ask" since the last question for the best hash
  Instant best_hash_sent{};
  Instant recheck_at{};
  bool peers_due = false;  ///< to be counted again
  std::optional<BlockHash> header_wanted;
  std::optional<Tip> tip;       ///< kept for a while after the node left
  std::uint64_t tip_moved = 0;  ///< the newest token when it did: what was asked up to it is old
  std::uint32_t highest = 0;
  std::optional<Instant> fell_at;  ///< since when it stands far below
  Instant last_ok{};               ///< the last good answer on any lane
  Instant left_at{};               ///< stopped being Ready

  TemplatePtr candidate;           ///< the last good one since the node is Ready
  std::uint64_t candidate_at = 0;  ///< the newest token when it came
  bool fresh = false;              ///< `candidate` is on the node's tip and nothing failed since
  std::string long_poll_id;
  unsigned idle_polls = 0;  ///< long polls in a row that answered with the id they were given
  std::string refusal;      ///< told last
  Instant refusal_at{};
  unsigned refusals = 0;  ///< in a row

  bool suspect = false;      ///< a block of its template was refused: templates are proven first
  unsigned bad_proofs = 0;   ///< in a row
  Instant prove_at{};        ///< the next one not before
  TemplatePtr proving;       ///< told as withheld last
  TemplatePtr proven;        ///< its proposal has passed
  TemplatePtr shown;         ///< under way on the lane of proposals...
  std::size_t shown_of = 0;  ///< ...from this place

  bool ready() const { return status.health == NodeHealth::Ready; }
};

struct NodeLink::State {
  State(const NodeOptions& o, std::size_t count) : options(o), links(count), proposals(count + 1) {}

  NodeOptions options;
  std::vector<Link> links;
  bool started = false;
  Instant long_polls_from{};
  std::uint64_t last_token = 0;
  std::vector<RpcRequest> requests;
  std::vector<NodeEvent> events;

  std::optional<Tip> announced;  ///< the tip everybody works on
  Instant announced_at{};
  std::uint32_t stale_told = 0;             ///< how often since
  std::optional<BlockHash> published_prev;  ///< of the last template given out, empty ones too
  TemplatePtr published;                    ///< the last full one given out; null: revoked
  std::uint32_t published_node = 0;         ///< that gave it
  TemplatePtr last_good;                    ///< of any node; for version, clock and contradictions

  struct Proposal {
    TemplatePtr block_template;
    std::string block_hex;
    std::uint32_t node = 0;  ///< to be asked first
    unsigned tries = 0;
    bool under_way = false;
    Instant at{};
  };
  /// By the node whose template it is; the last place is for work of no node. The newest counts.
  std::vector<std::optional<Proposal>> proposals;

  Instant alive_until{};
  std::optional<Instant> missing_since;
  std::uint32_t missing_told = 0;

  // node_link.cpp: lanes, timers, dispatch
  void pump(Instant now);
  void pump_template(std::uint32_t node, Instant now);
  void pump_long_poll(std::uint32_t node, Instant now);
  void forget_left_tips(Instant now);
  void earlier_proposals(std::optional<Instant>& first) const;
  void update_missing(Instant now);
  void update_stale(Instant now);
  bool tells_stale() const { return announced && options.network != Network::Regtest; }
  std::optional<Instant> deadline() const;
  void send(std::uint32_t node, RpcLane name, Lane& lane, Ask ask, std::string method,
            std::string params, Instant now);
  void dispatch(std::uint32_t node, Lane& lane, const RpcAnswer& answer, Instant now);

  // node_poll.cpp: who the node is, and its tip
  void pump_call(std::uint32_t node, Instant now);
  void call_answered(std::uint32_t node, Ask ask, const RpcResult& result, Instant now);
  void call_failed(std::uint32_t node, Ask ask, int http_status, const RpcError& error,
                   Instant now);
  void chain_info(std::uint32_t node, const std::string& json, Instant now);
  void header(std::uint32_t node, const std::string& json, Instant now);
  void become_ready(std::uint32_t node, Instant now);
  void network_info(std::uint32_t node, const JsonText& json);
  void set_health(std::uint32_t node, NodeHealth health, std::string reason, Duration retry,
                  Instant now);
  void ask_soon(Link& link, Instant now);
  void ask_again(Link& link, Instant now);
  std::optional<std::string> rolled_back(Link& link, std::uint32_t height, Instant now);

  // node_tip.cpp: which tip and which template everybody gets
  void set_tip(std::uint32_t node, const Tip& tip, Instant now);
  void follow_best_tip(Instant now);
  TemplatePtr make_empty(const Tip& tip, Instant now) const;
  const Link* best_link(Instant now) const;
  void publish(Instant now);
  void revoke(Instant now);
  void tell_node(std::uint32_t node);

  // node_template.cpp: template lanes
  std::string template_params(const std::string& long_poll_id) const;
  void template_answered(std::uint32_t node, Ask ask, const RpcResult& result, Instant now);
  void template_failed(std::uint32_t node, Ask ask, int http_status, const RpcError& error,
                       Instant now);
  void refuse_template(std::uint32_t node, Ask ask, std::string reason, Instant now);
  void accept_template(std::uint32_t node, Ask ask, TemplatePtr made, Instant now);
  std::optional<std::string> contradiction(const Link& link, const BlockTemplate& made,
                                           Instant now) const;
  void tell_refusal(std::uint32_t node, std::string reason, Instant now);

  // proposal.cpp
  std::optional<std::uint32_t> node_to_ask(const Proposal& proposal) const;
  bool may_propose(std::size_t place) const;
  bool is_withheld(const Link& link) const;
  void pump_proposals(Instant now);
  void proposal_answered(std::uint32_t node, const RpcResult& result, Instant now);
  void no_verdict(std::uint32_t node, std::size_t place, const std::string& why, Instant now);
  void doubt(std::size_t node);
};

/// Where the next block's bits are those of `tip`: not at a retarget, not under the
/// minimum-difficulty rule.
bool next_bits_certain(Network network, std::uint32_t tip_height);
/// Warming up, not connected, in initial download.
inline bool not_ready_code(int code) { return code == -28 || code == -9 || code == -10; }

}  // namespace adit
