// SPDX-License-Identifier: MIT
// Loop: one libuv loop, owned by one thread. Time stands still within a turn (KJ's rule), and at
// the end of each turn one hook runs: there the owner posts what it gathered and flushes what it
// wrote.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <optional>

#include "adit/base/time.h"
#include "adit/runtime/ports.h"

namespace adit::uv {

class Loop {
 public:
  /// `clock` outlives the loop.
  explicit Loop(Clock& clock);
  /// Every handle must be gone or closing: remaining close callbacks run here.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void run();  ///< until stop()
  void stop() { uv_stop(&loop_); }
  /// Both clocks as of the first callback of this phase (timers, or what the poll brought).
  const Now& now();
  /// Once a turn: after its callbacks (the poll's, then the timers'), before the loop blocks; and
  /// once more when run() ends, for what the last callbacks left. Replaces the earlier hook.
  void set_turn_end(std::function<void()> hook) { turn_end_ = std::move(hook); }
  uv_loop_t* raw() { return &loop_; }
  /// One buffer for all reads of this loop: bytes are valid within the read callback only.
  uv_buf_t read_buffer() const { return uv_buf_init(buffer_.get(), kReadBuffer); }

 private:
  friend class Timer;
  static constexpr unsigned kReadBuffer = 64 * 1024;
  void end_turn();
  uv_loop_t loop_{};
  uv_prepare_t prepare_{};
  uv_check_t check_{};
  Clock* clock_;
  std::optional<Now> now_;
  bool in_timer_ = false;
  std::function<void()> turn_end_;
  std::unique_ptr<char[]> buffer_;
};

/// A handle that libuv may still hold when its owner goes: the owner lets go, libuv closes, then
/// memory is freed.
template <class Handle>
struct HandleBox {
  Handle handle{};
  void* owner = nullptr;
};

template <class Handle>
HandleBox<Handle>* new_box(void* owner) {
  auto* box = new HandleBox<Handle>;
  box->handle.data = box;
  box->owner = owner;
  return box;
}

template <class Handle>
void close_box(HandleBox<Handle>* box) {
  box->owner = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&box->handle),
           [](uv_handle_t* handle) { delete static_cast<HandleBox<Handle>*>(handle->data); });
}

/// Whose handle it is; null once the owner let go.
template <class Owner, class Handle>
Owner* owner_of(const Handle* handle) {
  return static_cast<Owner*>(static_cast<HandleBox<Handle>*>(handle->data)->owner);
}

/// One-shot, can be set again and again.
class Timer {
 public:
  Timer(Loop& loop, std::function<void()> callback);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  /// Fires once, when the loop's now() is at or after `at`: never early, at most about 2 ms late in
  /// an idle loop. What is due already fires in the next turn.
  void set(Instant at);
  void clear();

 private:
  void start();
  static void fire(uv_timer_t* timer);
  Loop* loop_;
  Instant at_{};
  std::function<void()> callback_;
  HandleBox<uv_timer_t>* box_;
};

/// wake() from any thread runs the callback on the loop, once for any number of wakes in between.
class Async {
 public:
  Async(Loop& loop, std::function<void()> callback);
  ~Async();  ///< the loop's thread, and no other thread may wake() any more
  Async(const Async&) = delete;
  Async& operator=(const Async&) = delete;
  void wake();

 private:
  std::function<void()> callback_;
  HandleBox<uv_async_t>* box_;
};

class SignalWatcher {
 public:
  SignalWatcher(Loop& loop, int signal_number, std::function<void()> callback);
  ~SignalWatcher();
  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;

 private:
  std::function<void()> callback_;
  HandleBox<uv_signal_t>* box_;
};

/// Runs `work` on libuv's thread pool, then `done` on the loop. `done` must not outlive what it
/// captures.
void run_off_loop(Loop& loop, std::function<void()> work, std::function<void()> done);

}  // namespace adit::uv
