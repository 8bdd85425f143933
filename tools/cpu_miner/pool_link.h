// SPDX-License-Identifier: MIT
// PoolLink: keeps the connection to the pool: logs in, hands work to the shelf, submits what was
// found, reconnects with back-off. Thread: the main one, which blocks in poll().
#pragma once

#include <map>
#include <memory>
#include <string>

#include "client/open_shares.h"
#include "cpu_miner/options.h"
#include "cpu_miner/work_shelf.h"

namespace adit::miner {

struct Totals {
  std::uint64_t accepted = 0, rejected = 0, connections = 0;
  std::map<std::string, std::uint64_t> reasons;  ///< of rejected shares; bounded
};

class PoolLink {
 public:
  using Clock = WorkShelf::Clock;

  /// `stop_fd` becomes readable when all shall end.
  PoolLink(const Options& options, WorkShelf& shelf, int stop_fd);
  /// Until the time is up, the stop, or (if asked for) the parent's end.
  void run();
  const Totals& totals() const { return totals_; }
  double seconds() const;

 private:
  bool over();
  bool pause(Clock::duration length);
  /// One connection; returns why it ended, empty when all is over.
  std::string talk(int fd);
  std::string read_some(int fd);
  std::string on_event(const client::Event& event);
  std::string on_reconnect(const client::Event& event);
  void on_answer(const client::Event& event);
  void count_refusal(const std::string& reason);
  void submit_found();
  bool flush(int fd);
  std::string overdue() const;
  void print_status();

  void take_work();

  const Options& options_;
  WorkShelf& shelf_;
  const int stop_fd_;
  const int parent_;
  const Clock::time_point started_;
  client::TalkShared shared_;
  client::PoolTarget pool_;
  std::unique_ptr<client::Talk> talk_;
  std::string out_;
  client::OpenShares<Clock::time_point> open_;
  Clock::time_point connected_{}, printed_{};
  std::uint64_t printed_answers_ = 0;
  unsigned wait_s_ = 0;  // as the pool asked before a reconnect
  bool moved_ = false;   // the pool named another port
  Totals totals_;
};

}  // namespace adit::miner
