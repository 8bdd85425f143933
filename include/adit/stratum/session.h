// SPDX-License-Identifier: MIT
// Session: one connection's protocol, bytes in, bytes and events out. It sees no socket, clock,
// thread or disk. The same contract serves V1 and V2. (Shape after Bitcoin Core's Transport and
// quinn-proto's poll_timeout.)
//
// Rules: no call re-enters another, performs I/O or calls back. After an event Close only
// destruction follows, though a BlockFound may stand behind it. Every queue has a cap, and reaching
// it is a Close. After each call the owner drains events and flushes the outbox.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "adit/base/time.h"
#include "adit/bitcoin/network.h"
#include "adit/mining/channel.h"
#include "adit/mining/worker_table.h"
#include "adit/stratum/agents.h"
#include "adit/stratum/outbox.h"

namespace adit {

namespace v1 {
struct ThreadState;
}
namespace v2 {
struct ThreadState;
}

/// What became of an accepted share at the ledger's door.
struct ShareOutcome {
  std::optional<RejectReason> refused;  ///< absent: durable
  std::uint64_t sequence = 0;           ///< valid when durable
};

struct ShareAccepted {
  WorkerIndex worker;
  BlockHash hash;
  BlockHash tip;  ///< the header's prev
  Work work;
  Difficulty difficulty;
  std::uint32_t height = 0;
  bool is_block = false;
};
struct ShareRejected {  ///< for counters
  RejectReason reason;
};
struct BlockFound {  ///< comes before the verdict's other event, for every hash that meets the
                     ///< network target
  JobPtr job;
  HeaderBytes header{};
  Extranonce extranonce{};
  BlockHash hash;
  std::optional<WorkerIndex> worker;  ///< absent: submitted under a name that was not authorised
};
struct Close {
  std::string reason;  ///< for the log: ours, or escaped
  bool flush = true;   ///< send what is in the outbox first (at most 1 s)
};
using SessionEvent = std::variant<ShareAccepted, ShareRejected, BlockFound, Close>;

/// What all sessions of one worker thread share. Outlives them; same thread.
struct SessionContext {
  ChannelPolicy policy;  ///< of every port that has none of its own
  std::vector<AgentStart> agents;
  std::vector<AgentSize> sizes;  ///< V1, where jobs come in several; not beside own_jobs
  Network network = Network::Main;
  std::string default_account;  ///< for names that are no address; empty: refuse them
  std::uint8_t extranonce2_size = 8;
  std::uint16_t boot_epoch =
      0;  ///< part of every job id, so that ids of an earlier run are unknown
  ExtranonceAllocator* prefixes = nullptr;
  RecentHashes* seen = nullptr;
  WorkerTable* workers = nullptr;
  /// Parser, scratch and encoded jobs of the thread's V1 sessions; the first session makes it.
  std::shared_ptr<v1::ThreadState> v1;
  /// Each connection mines for one account, with a coinbase of its own; null: all share their work.
  OwnJobs* own_jobs = nullptr;
  v2::ThreadState* v2 = nullptr;  ///< what V2 sessions need (adit/stratum/v2.h); null: V1 only
};

class Session {
 public:
  virtual ~Session() = default;

  virtual void receive(Bytes wire, Instant now) = 0;
  /// New work. The owner calls it for each session with each job, newest tip first.
  virtual void publish(const JobPtr& job, Instant now) = 0;
  /// The outcome of the oldest ShareAccepted that has none yet; answers leave in the order of their
  /// requests.
  virtual void settle(const ShareOutcome& outcome, Instant now) = 0;
  /// The owner has nothing more for this session in this turn and is about to drain its events and
  /// write its outbox: what was held back for company goes in now.
  virtual void finish_turn(Instant) {}
  /// The policy is another one now: what it bounds moves at once.
  virtual void policy_changed(Instant now) = 0;
  /// The deadline has passed (early calls are harmless).
  virtual void expire(Instant now) = 0;
  /// When expire() wants to be called; ask again after each call above.
  virtual std::optional<Instant> deadline() const = 0;
  /// Asks the miner to go elsewhere soon (V1 client.reconnect, V2 Reconnect).
  virtual void drain(std::uint32_t wait_s, Instant now) = 0;
  virtual Outbox& outbox() = 0;
  /// Appends this session's events to `into` and forgets them.
  virtual void take_events(std::vector<SessionEvent>& into) = 0;
  /// Hashes a second, for the order in which a new tip is sent and for statistics.
  virtual double hash_rate(Instant now) const = 0;
  /// What the device calls itself: at most 64 printable ASCII characters, or empty.
  virtual std::string_view agent() const { return {}; }
};

}  // namespace adit
