// SPDX-License-Identifier: MIT
// Mailbox<T>: the one way into a thread. A mutex, a vector swap and one wake-up per burst. Bounded
// by count: post() says no when full, and the sender decides (stop reading, drop a statistic);
// money is never dropped silently. (Idea after MPD's InjectEvent.)
#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace adit {

template <class T>
class Mailbox {
 public:
  /// `wake` is called from the posting thread, at most once between two drains; it must be cheap
  /// and thread-safe (uv_async_send, a condition variable).
  Mailbox(std::size_t cap, std::function<void()> wake) : cap_(cap), wake_(std::move(wake)) {}

  /// Any thread. False: full, and `message` is still the sender's, untouched. Pass what T is made
  /// of, not a T made on the way: that one would be lost.
  template <class Message>
  requires std::constructible_from<T, Message&&>
  [[nodiscard]] bool post(Message&& message) {
    {
      const std::lock_guard lock(mutex_);
      if (messages_.size() >= cap_) return false;
      messages_.emplace_back(std::forward<Message>(message));
      if (messages_.size() > 1) return true;
    }
    wake_();
    return true;
  }
  /// The owning thread only: swaps the waiting messages into `into`, which is cleared first.
  void drain(std::vector<T>& into) {
    into.clear();
    const std::lock_guard lock(mutex_);
    messages_.swap(into);
  }
  std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return messages_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<T> messages_;
  std::size_t cap_;
  std::function<void()> wake_;
};

}  // namespace adit
