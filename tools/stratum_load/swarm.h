// SPDX-License-Identifier: MIT
// Swarm: many connections to one pool on one epoll, each brought to its first job. Thread: one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "stratum_load/options.h"

namespace adit::load {

/// One connection. After `ready` its events go to the scenario.
struct Miner {
  explicit Miner(std::uint32_t number) : index(number) {}
  std::uint32_t index;
  int fd = -1;
  bool ready = false;
  bool waits_for_room = false;  ///< EPOLLOUT is asked for
  std::unique_ptr<client::Talk> talk;
  std::string out;
  std::int64_t began_ns = 0;  ///< when the connection was begun, by the wall clock
};

/// What a scenario hears.
class Scenario {
 public:
  virtual ~Scenario() = default;
  /// V2: the handshake is done.
  virtual void on_secured(Miner&) {}
  /// Logged in, and the first job has come.
  virtual void on_ready(Miner& miner) = 0;
  /// `stamp_ns`: when the kernel had the last bytes of what was read, by the wall clock.
  virtual void on_event(Miner&, const client::Event&, std::int64_t /*stamp_ns*/) {}
  /// All events of one read have been told.
  virtual void on_read_done(Miner&) {}
};

class Swarm {
 public:
  /// `keys_ahead`: V2 handshakes whose keys are made now, so that they cost nothing while time is
  /// taken.
  Swarm(const Options& options, const client::Address& pool, Scenario& scenario,
        std::size_t keys_ahead = 0);
  ~Swarm();
  Swarm(const Swarm&) = delete;
  Swarm& operator=(const Swarm&) = delete;

  /// Opens all connections, few at a time, and waits until each has its first job.
  Status open_all();
  Status open(Miner& miner);
  /// With a reset, so that no port lingers.
  void close(Miner& miner);
  /// One wait of at most `milliseconds` and what came of it.
  void turn(int milliseconds);
  /// Turns until `nanoseconds` have passed.
  void run_for(std::int64_t nanoseconds);
  /// Sends what the miner's `out` holds.
  void flush(Miner& miner);

  std::vector<std::unique_ptr<Miner>>& miners() { return miners_; }
  std::uint32_t ready() const { return ready_; }
  /// Connections that the server ended or refused; the first reason.
  std::uint32_t lost() const { return lost_; }
  const std::string& why_lost() const { return why_lost_; }

 private:
  void watch(Miner& miner, bool room, int operation);
  void on_readable(Miner& miner);
  void on_event(Miner& miner, const client::Event& event, std::int64_t stamp_ns);
  void on_hello(Miner& miner, const client::Event& event);
  void lose(Miner& miner, const std::string& why);

  const Options& options_;
  const client::Address pool_;
  Scenario& scenario_;
  const int epoll_;
  client::TalkShared shared_;
  std::vector<std::unique_ptr<Miner>> miners_;
  std::vector<char> buffer_;
  std::uint32_t ready_ = 0, opening_ = 0, lost_ = 0;
  std::string why_lost_;
};

}  // namespace adit::load
