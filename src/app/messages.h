// SPDX-License-Identifier: MIT
// Everything that one thread may say to another. Values only: printable, and owned by the receiver
// once posted.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "adit/api/live.h"
#include "adit/ledger/records.h"
#include "adit/ledger/slice.h"
#include "adit/mining/job.h"
#include "adit/mining/worker_table.h"
#include "adit/stratum/session.h"
#include "uv/tls.h"

namespace adit {

/// upstream -> workers: new work for everybody.
struct JobPublished {
  JobPtr job;
};
/// upstream -> workers: no node gives templates; sessions end so that miners go to their next pool.
struct NoWork {};

/// One accepted share on its way to the books.
struct PostedShare {
  WorkerIndex worker;
  std::uint32_t height = 0;
  bool is_block = false;
  BlockHash hash;
  BlockHash tip;
  Work work;
};
/// ledger -> the worker that posted the batch: what became of its oldest unanswered shares, in
/// order.
struct CommitReceipt {
  std::vector<ShareOutcome> outcomes;
  /// Emptied batches, to be filled again: memory that both threads have in their caches.
  std::vector<std::vector<PostedShare>> spent = {};
};
/// main -> workers: stop accepting, send miners away over `over`, then stop.
struct Drain {
  Duration over{};
};
/// main -> workers: what a reload may change.
struct PolicyChanged {
  VardiffOptions vardiff;
  std::vector<AgentStart> agents;                    ///< for new connections
  std::vector<std::optional<VardiffOptions>> ports;  ///< as in WorkerOptions; none: no change
  std::shared_ptr<const uv::TlsContext> tls;         ///< for new connections; null: none
  std::uint8_t extranonce2_size = 8;  ///< for new V1 connections, and those that asked to be told
};
/// worker -> the other workers: what miners that left are known to hash.
struct RatesLearned {
  std::vector<LearnedRate> rates;
};
/// api -> workers: who mines for this account?
struct WhoMines {
  LiveQuestion question;
  /// With the answer, once, from the worker's thread; thread-safe. Never called: the thread ended.
  std::function<void(LiveWorkers)> reply;
};
using WorkerMessage =
    std::variant<JobPublished, CommitReceipt, NoWork, Drain, PolicyChanged, RatesLearned, WhoMines>;

/// Names an index of one thread's WorkerTable before its first share.
struct WorkerNamed {
  WorkerIndex worker;
  std::string account, name;
};
/// worker -> ledger, once a loop turn.
struct ShareBatch {
  std::uint32_t thread = 0;
  std::vector<WorkerNamed> named;
  std::vector<PostedShare> shares;
};
/// upstream -> ledger: a block was found or moved.
struct BlockEvent {
  BlockRecord block;
  std::vector<TxOut> outputs = {};  ///< its coinbase's; when it is told for the first time
};
/// upstream -> ledger: what a share is worth from now on.
struct NetworkSeen {
  NetworkFacts facts;
};
/// control -> ledger: a command asks the books (books_requests.h).
struct BooksRequest {
  std::string text;
  /// With the answer, once, from the ledger's thread; thread-safe. Never called: the pool ended.
  std::function<void(std::string)> reply;
};
struct StopLedger {};
using LedgerMessage = std::variant<ShareBatch, BlockEvent, NetworkSeen, BooksRequest, StopLedger>;

/// worker -> upstream, in a mailbox of its own: never behind shares.
struct FoundBlock {
  JobPtr job;
  HeaderBytes header{};
  Extranonce extranonce{};
  BlockHash hash;
  std::string account, worker;
  UnixMillis found;
};

}  // namespace adit
