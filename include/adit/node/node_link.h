// SPDX-License-Identifier: MIT
// NodeLink: what to ask the bitcoinds, when, and what to believe. Sans-I/O: requests come out,
// answers and hints go in, and `now` is an argument; the app carries the bytes (uv's HTTP client).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "adit/base/result.h"
#include "adit/base/time.h"
#include "adit/mining/block_template.h"
#include "adit/mining/job.h"

namespace adit {

using NodeIndex =
    Strong<std::uint32_t, struct NodeIndexTag>;  ///< place in the configuration, from 0

/// One request at a time for a lane and node; only on Submit and Watch (FeeWatch's and RipeWatch's)
/// several may be under way, two of each at most where they are not submissions.
/// Requests of different lanes never wait for each other: each lane has its own connection to each
/// node.
enum class RpcLane : std::uint8_t { Call, Template, LongPoll, Proposal, Submit, Watch };

struct RpcRequest {
  /// The answer carries it, and each gets one answer. NodeLink's start at 1, BlockSubmitter's at
  /// 2^48, FeeWatch's at 2^49, RipeWatch's at 2^50.
  std::uint64_t token = 0;
  NodeIndex node;
  RpcLane lane = RpcLane::Call;
  std::string method;
  std::string params;  ///< a JSON array
  Duration timeout{};
  std::size_t max_answer = 1 << 20;
};

struct RpcAnswer {
  std::uint64_t token = 0;
  /// Set when no HTTP answer came: "connection refused", "timed out after 30 s", "answer too
  /// large".
  std::optional<std::string> transport_error;
  int http_status = 0;
  std::string body;
};

/// A JSON-RPC answer taken apart; 1.0 shape (both keys) and 2.0 shape (one of them) alike.
struct RpcError {
  int code = 0;  ///< JSON-RPC error code; 0 when the answer was no JSON-RPC at all
  std::string message;
};
struct RpcResult {
  std::optional<RpcError> error;
  std::string result;  ///< raw JSON of "result" ("null" included); empty on error
};
RpcResult parse_rpc_answer(const RpcAnswer& answer);
/// The body of a request; `id` is its token.
std::string rpc_body(const RpcRequest& request);

enum class NodeHealth : std::uint8_t { Unknown, Ready, NotReady, WrongChain, Down };
std::string_view node_health_name(NodeHealth health);

struct NodeStatus {
  NodeHealth health = NodeHealth::Unknown;
  std::string reason;  ///< why not ready, for operators
  std::uint32_t height = 0;
  BlockHash tip;
  std::string version;                 ///< subversion, once known
  std::optional<std::uint32_t> peers;  ///< its connections to other nodes, where it tells them
};

/// A new tip, known before its template: enough for an empty job where the next bits are certain.
struct TipChanged {
  BlockHash tip;
  std::uint32_t height = 0;  ///< of the tip itself
  TemplatePtr empty;         ///< coinbase-only template on the tip; null where it must wait
};
struct TemplateReady {
  TemplatePtr block_template;
  bool new_tip = false;  ///< its prev differs from the last published one
  NodeIndex node;
  bool proven = false;  ///< its proposal has passed: no need for another
};
/// A template of a node whose last one made a block that was refused. Its block is to be proposed;
/// when that passes, TemplateReady follows.
struct TemplateWithheld {
  TemplatePtr block_template;
  NodeIndex node;
};
/// Work that is in doubt, or that nobody can vouch for: this takes its place at once, and jobs made
/// before become stale. Another node's template, or one with a coinbase only.
struct WorkRevoked {
  TemplatePtr instead;
};
struct TemplateRefused {  ///< kept the last good one
  NodeIndex node;
  std::string reason;
};
/// A node would refuse the block of this template. Where work must change, WorkRevoked says so.
struct ProposalFailed {
  TemplatePtr block_template;
  std::string reason;
};
/// Shown three times, and no verdict.
struct ProposalUnanswered {
  TemplatePtr block_template;
  std::string reason;
};
struct NodeChanged {
  NodeIndex node;
  NodeStatus status;
};
/// No node has given a usable template for `for_s` seconds (5: alarm, 120: sessions are drained),
/// or it is over again (0).
struct TemplatesMissing {
  std::uint32_t for_s = 0;
};
/// No new block for so long (90 minutes, and again each 90), or there is one again (0). Mining goes
/// on. Not on regtest, where blocks come when somebody wants them.
struct TipStale {
  std::uint32_t for_min = 0;
};
/// A node that is ready has lost all its peers, so it hears of no block, or has one again.
struct NodeAlone {
  NodeIndex node;
  bool alone = false;
};
using NodeEvent = std::variant<TipChanged, TemplateReady, TemplateWithheld, WorkRevoked,
                               TemplateRefused, ProposalFailed, ProposalUnanswered, NodeChanged,
                               TemplatesMissing, TipStale, NodeAlone>;

struct NodeOptions {
  Network network = Network::Main;
  Duration poll = std::chrono::seconds(1);
  Duration template_refresh = std::chrono::seconds(30);
  /// From the start to the first long poll. bitcoind 28 keeps one of its four RPC threads for each
  /// one whose client has gone, for a minute or until the next block.
  Duration first_long_poll{};
};

class NodeLink {
 public:
  NodeLink(const NodeOptions& options, std::size_t nodes);
  void start(Instant now);
  /// ZMQ hashblock, or anything else that says "ask now". Only a hint; a flood of them is one
  /// question.
  void hint(NodeIndex node, Instant now);
  void answer(const RpcAnswer& answer, Instant now);
  void expire(Instant now);
  std::optional<Instant> deadline() const;
  /// Runs the coinbase skeleton through getblocktemplate's proposal mode, after the job has left.
  void propose(TemplatePtr block_template, std::string block_hex, Instant now);
  /// A node refused a block of ours: whatever is made in the same way must pass as a proposal
  /// before it is worked on again.
  void distrust(Instant now);
  std::vector<RpcRequest> take_requests();
  std::vector<NodeEvent> take_events();
  const NodeStatus& status(NodeIndex node) const;
  ~NodeLink();
  NodeLink(NodeLink&&) noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// What a getblockchaininfo result says against mining on this node now, or nothing.
std::optional<std::string> chain_objection(std::string_view blockchain_info, Network network);

/// A getblocktemplate result to a checked template, or the reason why not (names the rule). `now`
/// becomes `received`.
Result<TemplatePtr> parse_template(std::string_view result_json, const NodeOptions& options,
                                   Instant now);
/// The template a new tip allows before the node gives one: no transactions, subsidy only.
TemplatePtr empty_template(Network network, const BlockHash& tip, std::uint32_t tip_height,
                           std::int32_t version, CompactTarget bits, std::uint32_t median_time,
                           std::uint32_t curtime, Instant now);
/// What is left of a template without its transactions and their fees.
TemplatePtr coinbase_only(const BlockTemplate& full);

}  // namespace adit
