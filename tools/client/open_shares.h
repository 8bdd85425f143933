// SPDX-License-Identifier: MIT
// OpenShares: what one connection has sent and not heard of, and what an answer settles of it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>

#include "client/talk.h"

namespace adit::client {

/// Ids grow with each share. V1 answers one share at a time and in order. V2 accepts many at once,
/// all that are open up to the last one, and refuses a share without regard to those that still
/// wait for the disk.
template <class Time>
class OpenShares {
 public:
  struct Sent {
    std::uint64_t id;
    Time at;
  };

  explicit OpenShares(bool many_at_once) : many_at_once_(many_at_once) {}
  void push(std::uint64_t id, Time at) { open_.push_back({id, at}); }
  std::size_t size() const { return open_.size(); }
  bool empty() const { return open_.empty(); }
  const Sent& oldest() const { return open_.front(); }
  void clear() { open_.clear(); }

  /// Tells `gone` of each share that an Accepted or Rejected settles, and forgets it. False: the
  /// answer is out of order, names none of ours, or counts them wrong.
  template <class Gone>
  bool settle(const Event& event, Gone&& gone) {
    if (many_at_once_ && event.what == Heard::Accepted) return settle_up_to(event, gone);
    const auto found = std::ranges::find(open_, event.id, &Sent::id);
    if (found == open_.end()) return false;
    const bool in_order = many_at_once_ || found == open_.begin();
    gone(*found);
    open_.erase(found);
    return in_order;
  }

 private:
  template <class Gone>
  bool settle_up_to(const Event& event, Gone&& gone) {
    std::uint32_t count = 0;
    bool last_was_open = false;
    while (!open_.empty() && open_.front().id <= event.id) {
      last_was_open = open_.front().id == event.id;
      gone(open_.front());
      open_.pop_front();
      ++count;
    }
    return last_was_open && count == event.count;
  }

  std::deque<Sent> open_;
  bool many_at_once_;
};

}  // namespace adit::client
