// SPDX-License-Identifier: MIT
// Worker: one thread that speaks to miners. It owns a loop, its listeners (SO_REUSEPORT), its
// connections, their extranonce range, the hashes they sent lately and their counters. One turn:
// messages, reads, deadlines; then one ShareBatch to the ledger, then every touched connection is
// written once.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "adit/runtime/mailbox.h"
#include "adit/stratum/v2.h"
#include "app/accept_gate.h"
#include "app/broadcast.h"
#include "app/config.h"
#include "app/connection.h"
#include "app/counters.h"
#include "app/deadlines.h"
#include "app/messages.h"
#include "app/places.h"
#include "app/solo_jobs.h"
#include "uv/loop.h"

namespace adit {

struct WorkerOptions {
  std::uint32_t index = 0;
  ExtranonceAllocator::Lease lease;
  ChannelPolicy policy;
  std::vector<ChannelPolicy> ports;  ///< of those that have their own; listen() names them by place
  std::vector<AgentStart> agents;
  std::vector<AgentSize> sizes;
  Network network = Network::Main;
  std::string default_account;
  std::uint8_t extranonce2_size = 8;
  std::uint16_t boot_epoch = 0;
  std::shared_ptr<Places> places = std::make_shared<Places>(10'000, 0);  ///< all workers share it
  AcceptGate gate{0, 1};
  uv::NetworkList proxy_from;
  std::shared_ptr<const uv::TlsContext> tls;
  std::optional<SoloTerms> solo;  ///< each account mines for itself
};

/// Over how long miners are sent away: a farm of 1,000 leaves within a second more than the first;
/// nobody waits longer than 20 s.
constexpr Duration leave_time(std::uint64_t connections) {
  if (connections == 0) return Duration{};
  return std::min<Duration>(std::chrono::seconds(20), std::chrono::milliseconds(500 + connections));
}

enum class Protocol : std::uint8_t { V1, V2, Auto };

/// What Stratum V2 needs beside WorkerOptions.
struct V2Service {
  v2::IdentityKeeper identity;
  FillRandom random;
  std::uint32_t version_mask = 0;
  std::uint32_t channels_per_connection = 0;
};

/// Where a worker sends what it learns. Thread-safe; called from the worker's thread.
struct WorkerLinks {
  std::function<bool(ShareBatch&&)>
      to_ledger;  ///< false: full, ask again later (the batch is untouched)
  std::function<void(FoundBlock)> to_upstream;
  std::function<void(RatesLearned)> to_peers;  ///< empty: there are none
};

class Worker final : private ConnectionHost {
 public:
  Worker(Clock& clock, WorkerOptions options, WorkerLinks links);
  ~Worker();

  /// Before start() and before a listen() for V2 or Auto.
  void serve_v2(V2Service service);
  /// Before start(). The address comes back with the real port. `port`: the place of its policy in
  /// WorkerOptions::ports, for V1.
  Result<uv::ListenAddress> listen(const uv::ListenAddress& address, Protocol protocol, bool tls,
                                   std::optional<std::size_t> port = std::nullopt);
  void start();
  /// Any thread.
  bool post(WorkerMessage message);
  /// Waits for the thread, which ends after a Drain.
  void join();
  const WorkerCounters& counters() const { return counters_; }

 private:
  /// What stands behind a listener.
  struct Door {
    Protocol protocol = Protocol::V1;
    bool tls = false;
    const ChannelPolicy* policy = nullptr;  // of its own; null: everybody's
  };
  struct Slot {
    std::unique_ptr<Connection> connection;
    std::uint32_t generation = 0;
    // Of the connection, kept here so that the order of a broadcast asks no session.
    float hash_rate = 0;  // H/s, at the last job
    TipNumber tip;        // of the newest job it was told of
  };
  void run();
  bool has_place(const Source& source, bool proxied);
  void accept(uv::StreamPtr stream, const Door& door);
  std::unique_ptr<Session> make_session(const Door& door);
  void prepare_keys();
  void renew_identity();
  void read_messages();
  void handle(JobPublished& message);
  void handle(CommitReceipt& message);
  void handle(Drain& message);
  void handle(PolicyChanged& message);
  void handle(const WhoMines& message);
  void continue_broadcast();
  void end_work();
  void end_turn();
  void share_rates();
  void drain_events(Connection& connection);
  void handle(Connection& connection, const ShareAccepted& event);
  void handle(Connection& connection, const BlockFound& event);
  void handle(Connection& connection, const Close& event);
  void post_batch();
  void schedule(Connection& connection);
  void expire_due();
  void send_away(Duration over);
  void drain_some();
  void destroy(Connection& connection);
  Connection* at(Connection::Place place);
  std::size_t open() const { return counters_.connections.get(); }

  void touched(Connection& connection) override;
  void ended(Connection& connection, std::string_view reason) override;
  Instant now() override { return loop_.now().mono; }

  WorkerOptions options_;
  WorkerLinks links_;
  WorkerCounters counters_;
  ExtranonceAllocator prefixes_;
  RecentHashes seen_;
  WorkerTable workers_;
  std::optional<SoloJobs> solo_;
  SessionContext context_;
  uv::Loop loop_;
  std::unique_ptr<uv::Async> wake_;
  std::unique_ptr<uv::Timer> timer_;
  std::unique_ptr<v2::ThreadState> v2_;  // null: V1 only
  std::optional<v2::IdentityKeeper> identity_;
  std::unique_ptr<uv::Timer> keys_timer_, identity_timer_;
  Mailbox<WorkerMessage> inbox_;
  std::vector<WorkerMessage> messages_;
  std::vector<std::unique_ptr<uv::TcpListener>> listeners_;

  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::vector<Connection::Place> dirty_, flushing_;
  std::vector<Connection::Place> dead_;
  std::vector<Connection::Place> paused_;
  std::vector<SessionEvent> events_;
  Deadlines deadlines_;

  JobPtr job_;
  Broadcast broadcast_;

  ShareBatch batch_;
  std::vector<std::vector<PostedShare>> spent_;  // come back from the ledger
  bool batch_refused_ = false;              // the ledger's mailbox was full: post again next turn
  std::vector<std::uint32_t> named_;        // by worker index: generation + 1 that the ledger knows
  std::deque<Connection::Place> awaiting_;  // one entry a posted share, oldest first

  bool draining_ = false;  // for good, since a Drain
  bool leaving_ = false;   // miners are sent away, one after the other
  Instant drain_until_{};
  Duration drain_step_{};
  Instant next_drain_{};
  std::uint32_t drain_slot_ = 0;
  std::thread thread_;
};

}  // namespace adit
