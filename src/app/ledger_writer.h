// SPDX-License-Identifier: MIT
// LedgerWriter: the one thread that writes the books. It takes everything that waits, appends it in
// one commit and sends the receipts; while one sync runs, the next batch gathers by itself. A full
// disk makes it refuse shares until there is room again; any other write error ends the process
// with exit status 74, and no acknowledgement leaves in between.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <thread>
#include <unordered_map>
#include <vector>

#include "adit/ledger/ledger.h"
#include "adit/payout/payments.h"
#include "adit/payout/treasury.h"
#include "adit/runtime/mailbox.h"
#include "adit/runtime/ports.h"
#include "app/best_share.h"
#include "app/clock_trust.h"
#include "app/commit_times.h"
#include "app/counters.h"
#include "app/kept_blocks.h"
#include "app/messages.h"

namespace adit {

inline constexpr int kExitLedgerFailed = 74;

struct LedgerCounters {
  Counter commits;
  Counter shares;   ///< durable
  Counter refused;  ///< at the door
  Counter last_sequence;
  Counter storage_full;  ///< 1 while shares are refused for want of room
};

struct LedgerWriterOptions {
  std::string data_dir;
  LedgerOptions ledger;
  std::uint32_t retention_days = 30;
  /// How the books' store is opened, at the start and after a full disk; null: RocksDB in data_dir.
  std::function<Result<std::unique_ptr<LedgerStore>>()> open_store;
  TreasuryOptions treasury;
  /// What jobs pay, whenever that changes; null: the pool. From the writer's thread (the first one
  /// from open()). May be empty.
  std::function<void(PlanPtr)> on_plan;
  /// Winning shares are acknowledged when their block is kept; null: at once.
  KeptBlocks* kept = nullptr;
  /// A block as it was told is in the books now. From the writer's thread. May be empty.
  std::function<void(const BlockRecord&)> on_booked;
  /// While the disk was full more was told of blocks than is remembered: the books have room again,
  /// and what is in the vault must be told again. From the writer's thread. May be empty.
  std::function<void()> on_forgotten;
};

class LedgerWriter {
 public:
  /// `to_worker` must be thread-safe. `fatal` is called at most once, from the writer's thread.
  using ToWorker = std::function<void(std::uint32_t thread, CommitReceipt receipt)>;
  LedgerWriter(Clock& clock, LedgerWriterOptions options, ToWorker to_worker,
               std::function<void(const std::string&)> fatal);
  ~LedgerWriter();

  /// Opens the books. Before start().
  Status open();
  std::uint16_t boot() const { return ledger_->boot(); }
  /// What upstream goes on with. Before start().
  Result<std::vector<BlockRecord>> blocks() { return all_blocks(*store_); }
  Result<Satoshi> mean_fees();
  void start();
  /// Any thread. False: full, and the message was not taken.
  template <class Message>
  [[nodiscard]] bool post(Message&& message) {
    return inbox_.post(std::forward<Message>(message));
  }
  /// Writes what waits, then ends the thread.
  void stop();
  const LedgerCounters& counters() const { return counters_; }

 private:
  struct Sender {  // one entry a batch in `candidates_`
    std::uint32_t thread;
    std::size_t count;
  };
  struct Name {  // a worker of one thread, and its id in the books as they are open now
    std::string account, worker;
    LedgerWorkerId id;
    std::uint32_t opened = 0;
  };
  void tell_loss();
  void run();
  void wait();
  void turn();
  void book();
  void gather(ShareBatch& batch);
  void give_back(ShareBatch& batch);
  void append();
  void watch_disk(Instant begun);
  void wait_for_blocks();
  void send_receipts();
  void refuse_all();
  CommitReceipt& receipt_of(const Sender& sender);
  void post_receipts();
  // ledger_writer_money.cpp
  Status open_money();
  void shut();
  void settle();
  void tell_plan();
  Status forget_slices(UnixMillis before);
  void answer(BooksRequest& request);
  bool mark_step();
  void remember(BlockEvent&& event);
  void write_blocks();

  void housekeeping();
  void keep_promises();
  bool sync_books();
  bool write_mark();
  void expire(const Now& now);
  bool has_room();
  void fail(const Error& error);
  bool reopen();

  Clock* clock_;
  LedgerWriterOptions options_;
  ToWorker to_worker_;
  std::function<void(const std::string&)> fatal_;
  std::unique_ptr<LedgerStore> store_;
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<Treasury> treasury_;
  std::unique_ptr<Payments> payments_;
  PlanPtr told_plan_;
  LedgerCounters counters_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool woken_ = false;
  Mailbox<LedgerMessage> inbox_;
  std::vector<LedgerMessage> messages_;
  std::vector<BooksRequest> requests_;
  std::vector<BlockEvent> waiting_blocks_;  // while the disk is full
  bool forgotten_ = false;                  // more than these were told
  std::vector<std::vector<Name>> names_;    // by thread, by worker index
  std::uint32_t opened_ = 1;                // counts openings of the books
  BestShare best_share_;
  std::vector<ShareCandidate> candidates_;
  std::vector<Sender> senders_;
  std::vector<CommitReceipt> receipts_;  // by thread, for this turn
  std::vector<DoorVerdict> verdicts_;
  Sequence first_;
  NetworkFacts network_;  // as upstream saw it last
  HighWater marked_;      // on the medium
  bool mark_failed_ = false;
  CommitTimes commit_times_;
  ClockTrust clock_trust_;
  UnixMillis newest_at_open_;  // share; 0: none
  bool stopping_ = false;
  bool failed_ = false;
  bool unsynced_ = false;
  bool busy_ = false;  // the last batch was large: wait for the next to gather
  Instant last_append_{}, last_sync_{}, last_mark_{}, last_room_check_{}, last_expiry_{},
      last_tick_{};
  bool room_ = true;
  std::thread thread_;
};

}  // namespace adit
