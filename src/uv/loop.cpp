// SPDX-License-Identifier: MIT
#include "uv/loop.h"

#include <algorithm>

#include "adit/base/check.h"

namespace adit::uv {
Loop::Loop(Clock& clock) : clock_(&clock), buffer_(std::make_unique<char[]>(kReadBuffer)) {
  CHECK(uv_loop_init(&loop_) == 0);
  loop_.data = this;
  CHECK(uv_prepare_init(&loop_, &prepare_) == 0);
  CHECK(uv_check_init(&loop_, &check_) == 0);
  prepare_.data = check_.data = this;
  // Before blocking: the last poll's callbacks and the timers have run, and time will now pass.
  uv_prepare_start(&prepare_, [](uv_prepare_t* p) {
    auto* self = static_cast<Loop*>(p->data);
    self->end_turn();
    self->now_.reset();
  });
  // The timers that follow must see their own time: by an older one they would be early.
  uv_check_start(&check_, [](uv_check_t* c) { static_cast<Loop*>(c->data)->now_.reset(); });
}

Loop::~Loop() {
  turn_end_ = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&prepare_), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&check_), nullptr);
  // A stop() that came after run() ended still stands and ends the first of these at once.
  while (uv_run(&loop_, UV_RUN_DEFAULT) != 0) {
  }
  CHECK(uv_loop_close(&loop_) == 0);
}

void Loop::run() {
  uv_run(&loop_, UV_RUN_DEFAULT);
  end_turn();
  now_.reset();
}

const Now& Loop::now() {
  if (!now_) now_ = clock_->now();
  return *now_;
}

void Loop::end_turn() {
  if (turn_end_) turn_end_();
}

Timer::Timer(Loop& loop, std::function<void()> callback)
    : loop_(&loop), callback_(std::move(callback)), box_(new_box<uv_timer_t>(this)) {
  CHECK(uv_timer_init(loop.raw(), &box_->handle) == 0);
}

Timer::~Timer() { close_box(box_); }

void Timer::set(Instant at) {
  at_ = at;
  start();
}

void Timer::start() {
  using std::chrono::milliseconds;
  const Duration wait = at_ - loop_->now().mono;
  std::uint64_t steps = 0;
  // libuv cuts its time to whole milliseconds, so one step more.
  if (wait > Duration(0))
    steps = static_cast<std::uint64_t>(std::chrono::ceil<milliseconds>(wait).count()) + 1;
  if (loop_->in_timer_) {
    // Within libuv's round of timers a due one would run in the same round, and one that is set
    // to the past again and again would keep the poll from ever coming.
    steps = std::max(steps, std::uint64_t{1});
  } else {
    uv_update_time(loop_->raw());
  }
  uv_timer_start(&box_->handle, &Timer::fire, steps, 0);
}

void Timer::fire(uv_timer_t* raw) {
  auto* self = owner_of<Timer>(raw);
  if (self == nullptr) return;
  Loop* loop = self->loop_;
  loop->in_timer_ = true;
  if (loop->now().mono < self->at_) {
    self->start();
  } else {
    self->callback_();
  }
  loop->in_timer_ = false;
}

void Timer::clear() { uv_timer_stop(&box_->handle); }

Async::Async(Loop& loop, std::function<void()> callback)
    : callback_(std::move(callback)), box_(new_box<uv_async_t>(this)) {
  CHECK(uv_async_init(loop.raw(), &box_->handle, [](uv_async_t* async) {
          auto* self = owner_of<Async>(async);
          if (self != nullptr) self->callback_();
        }) == 0);
}

Async::~Async() { close_box(box_); }

void Async::wake() { CHECK(uv_async_send(&box_->handle) == 0); }

SignalWatcher::SignalWatcher(Loop& loop, int signal_number, std::function<void()> callback)
    : callback_(std::move(callback)), box_(new_box<uv_signal_t>(this)) {
  CHECK(uv_signal_init(loop.raw(), &box_->handle) == 0);
  CHECK(uv_signal_start(
            &box_->handle,
            [](uv_signal_t* signal, int) {
              auto* self = owner_of<SignalWatcher>(signal);
              if (self != nullptr) self->callback_();
            },
            signal_number) == 0);
}

SignalWatcher::~SignalWatcher() { close_box(box_); }

void run_off_loop(Loop& loop, std::function<void()> work, std::function<void()> done) {
  struct Task {
    uv_work_t request{};
    std::function<void()> work, done;
  };
  auto* task = new Task{{}, std::move(work), std::move(done)};
  task->request.data = task;
  CHECK(uv_queue_work(
            loop.raw(), &task->request, [](uv_work_t* r) { static_cast<Task*>(r->data)->work(); },
            [](uv_work_t* r, int) {
              const std::unique_ptr<Task> finished(static_cast<Task*>(r->data));
              finished->done();
            }) == 0);
}

}  // namespace adit::uv
