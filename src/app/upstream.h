// SPDX-License-Identifier: MIT
// Upstream: the thread that speaks to the bitcoinds. Templates become jobs for all workers; found
// blocks go to the vault and to every node. The decisions are NodeLink's and BlockSubmitter's; here
// are the wires.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "adit/node/block_submitter.h"
#include "adit/node/fee_watch.h"
#include "adit/node/node_link.h"
#include "adit/node/ripe_watch.h"
#include "adit/payout/plan.h"
#include "adit/runtime/mailbox.h"
#include "app/config.h"
#include "app/counters.h"
#include "app/known_blocks.h"
#include "app/messages.h"
#include "rocks/block_vault.h"
#include "uv/http_client.h"
#include "uv/loop.h"
#include "uv/zmq_hint.h"

namespace adit {

struct UpstreamLinks {
  std::function<void(WorkerMessage)> to_workers;  ///< to each of them; thread-safe
  std::function<bool(LedgerMessage)> to_ledger;
  /// A found block's file is safe, or had its 50 ms.
  std::function<void(const BlockHash&)> on_kept;
  /// A block was found or moved: for the console of `adit demo`. May be empty.
  std::function<void(const BlockRecord&)> on_block;
};

struct UpstreamCounters {
  Counter jobs, clean_jobs, tips, templates_refused, proposals_failed;
  Counter blocks_found, blocks_accepted, blocks_refused;
  Counter height;
};

class Upstream {
 public:
  Upstream(Clock& clock, const Config& config, UpstreamLinks links);
  ~Upstream();
  /// Opens the vault and resumes what it and the ledger hold: its `blocks`, and the mean fees of
  /// its newest slice. Before start().
  Status open(const std::vector<BlockRecord>& blocks, Satoshi mean_fees);
  void start();
  /// Any thread; never behind anything else.
  void found(FoundBlock block);
  /// Any thread: what is told of this block is in the books. One whose fate is final leaves the
  /// vault then, and not before.
  void booked(const BlockRecord& block);
  /// Any thread: the books missed what was told; all that is in the vault is told again.
  void tell_again();
  /// Any thread: what jobs pay from now on; null: the pool.
  void set_plan(PlanPtr plan);
  /// Any thread but its own. Found blocks have reached a node then, or had 10 s.
  void stop();
  const UpstreamCounters& counters() const { return counters_; }

 private:
  struct Node {
    NodeConfig config;
    std::string user_password;
    std::unique_ptr<uv::ZmqHint> zmq;
    NodeHealth told = NodeHealth::Unknown;  // what the log last said
    std::string told_why;
  };
  /// A block between being found and being sent.
  struct PendingBlock {
    BlockRecord record;
    ByteVec bytes;
    Status stored;
    bool submitted = false;
    std::unique_ptr<uv::Timer> patience;
  };
  void run();
  void turn();
  /// Whether `part` (NodeLink, BlockSubmitter, ...) had anything to ask.
  template <class Part>
  bool pump(Part& part);
  bool stop_asked();
  /// Found blocks first reach a node and the books, as far as 10 s suffice.
  bool may_stop(Instant now);
  using ToPart = std::function<void(const RpcAnswer&)>;
  void send(const RpcRequest& request, ToPart to_part);
  void load_credentials(Node& node);
  BlockRecord without_file(BlockRecord record);
  void resume(const VaultBlock& block, const std::vector<BlockRecord>& rows);
  void read_found();
  void read_booked();
  void read_vault();
  void refill_vault(Instant now);
  void go_on(const VaultBlock& kept);
  void keep_and_submit(const FoundBlock& found);
  void submit(PendingBlock& pending);
  void handle(const TipChanged& event);
  void handle(const TemplateReady& event);
  void handle(const TemplateWithheld& event);
  void handle(const WorkRevoked& event);
  void handle(const TemplateRefused& event);
  void handle(const ProposalFailed& event);
  void handle(const ProposalUnanswered& event);
  void handle(const NodeChanged& event);
  void handle(const TemplatesMissing& event);
  void handle(const TipStale& event);
  void handle(const NodeAlone& event);
  /// `bare`: by choice without transactions. `revoke`: older jobs of this tip become stale.
  void publish(const TemplatePtr& block_template, bool bare, bool revoke);
  Result<JobPtr> make(const TemplatePtr& block_template, TipNumber tip, bool clean);
  void propose(const Job& job);
  PlanPtr plan();
  void handle_progress(const BlockProgress& progress);
  void tell(const BlockRecord& record);
  void post_untold();
  // upstream_watch.cpp
  void watch_fees(Satoshi last_mean);
  /// `node`: one that stands on it, where it is known.
  void watch_tip(const BlockHash& tip, std::uint32_t height, std::optional<NodeIndex> node);
  void look_at_fees();
  void tell_network(const BlockTemplate& block_template);
  void bury(const BlockRecord& record);
  void handle_ripe(const RipeEvent& event);

  const Config* config_;
  UpstreamLinks links_;
  UpstreamCounters counters_;
  uv::Loop loop_;
  std::unique_ptr<uv::Async> wake_;
  std::unique_ptr<uv::Timer> timer_;
  std::unique_ptr<uv::HttpClient> http_;
  Mailbox<FoundBlock> inbox_;
  std::vector<FoundBlock> found_;
  Mailbox<BlockRecord> booked_inbox_;
  std::vector<BlockRecord> booked_;
  std::map<BlockHash, BlockState> ended_;  // final, but not yet in the books
  std::atomic<bool> tell_again_ = false;
  NodeLink link_;
  BlockSubmitter submitter_;
  RipeWatch ripe_;
  std::optional<FeeWatch> fees_;  // where the scheme asks for it
  std::unique_ptr<BlockVault> vault_;
  std::vector<Node> nodes_;
  std::vector<BlockRecord> blocks_;                  // not final
  std::map<BlockHash, std::vector<TxOut>> outputs_;  // of those that may yet come onto the chain
  std::deque<BlockEvent> untold_;                    // the ledger's inbox was full
  std::map<BlockHash, BlockRecord> buried_;          // RipeWatch's
  KnownBlocks known_{100'000};
  std::vector<std::shared_ptr<PendingBlock>> pending_;
  std::size_t writes_ = 0;  // off the loop now
  bool refilling_ = false;
  Instant last_refill_{};
  JobPtr job_;
  bool job_was_logged_ = false;
  BlockHash tip_;
  TipNumber tip_number_;
  JobNumber next_job_{1};
  BlockHash watched_tip_;
  Satoshi mean_fees_;
  bool mean_is_whole_ = false;  // not of the first few blocks alone
  NetworkFacts told_;           // to the books
  std::mutex plan_mutex_;
  PlanPtr plan_;
  std::mutex join_mutex_, stop_mutex_;
  bool stop_asked_ = false;
  std::optional<Instant> stop_by_;
  std::thread thread_;
};

}  // namespace adit
