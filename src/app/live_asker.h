// SPDX-License-Identifier: MIT
// LiveAsker: asks every worker thread who mines for an account, and waits for their answers. One
// question at a time, from the thread that answers HTTP; a miner's thread never waits for it.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "adit/base/time.h"
#include "app/messages.h"

namespace adit {

class LiveAsker {
 public:
  static constexpr Duration kPatience = std::chrono::seconds(2);
  /// Hands a question to one worker thread; any thread. False: it takes none now.
  using Post = std::function<bool(std::size_t thread, WhoMines&&)>;

  LiveAsker(std::size_t threads, Post post, Duration patience = kPatience)
      : threads_(threads), post_(std::move(post)), patience_(patience) {}
  ~LiveAsker() { stop(); }
  LiveAsker(const LiveAsker&) = delete;
  LiveAsker& operator=(const LiveAsker&) = delete;

  /// One answer a thread. Unavailable: one of them gave none in time, or stop() was called.
  Result<std::vector<LiveWorkers>> ask(const LiveQuestion& question);
  /// Any thread: who waits hears so at once, and so does who asks later.
  void stop();

 private:
  /// What a question takes along: it may be answered when nobody waits any more.
  struct Link {
    std::mutex mutex;
    std::condition_variable told;
    std::uint64_t question = 0;
    std::vector<LiveWorkers> answers;
    bool stopped = false;
  };
  std::size_t threads_;
  Post post_;
  Duration patience_;
  std::shared_ptr<Link> link_ = std::make_shared<Link>();
};

}  // namespace adit
