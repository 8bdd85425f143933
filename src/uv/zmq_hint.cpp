// SPDX-License-Identifier: MIT
#include "uv/zmq_hint.h"

#include <fmt/format.h>
#include <zmq.h>

#include <cerrno>
#include <mutex>

#include "adit/base/check.h"

namespace adit::uv {
namespace {

constexpr std::string_view kTopic = "hashblock";
constexpr int kQueueMax = 1000;
constexpr int kMessageMax = 4096;  // topic, hash and sequence take 45 bytes
constexpr int kDrainMax = 4000;    // parts in one turn; the rest after the other callbacks
constexpr int kReconnectMs = 100, kReconnectMaxMs = 5000;
constexpr int kHeartbeatMs = 20'000;

/// One context, with its I/O thread, for all subscriptions of the process.
std::shared_ptr<void> shared_context() {
  static std::mutex mutex;
  static std::weak_ptr<void> kept;
  const std::lock_guard lock(mutex);
  std::shared_ptr<void> context = kept.lock();
  if (!context) {
    context.reset(zmq_ctx_new(), zmq_ctx_term);
    CHECK(context != nullptr);
    kept = context;
  }
  return context;
}

void set(void* socket, int option, int value) {
  CHECK(zmq_setsockopt(socket, option, &value, sizeof value) == 0);
}

}  // namespace

struct ZmqHint::State {
  State(Loop& on, std::function<void()> callback)
      : loop(on),
        on_hint(std::move(callback)),
        context(shared_context()),
        socket(zmq_socket(context.get(), ZMQ_SUB)),
        again(on, [this] { drain(); }) {
    CHECK(socket != nullptr);
  }
  ~State();
  Status connect(const std::string& endpoint);
  void watch();
  void drain();

  Loop& loop;
  std::function<void()> on_hint;
  std::shared_ptr<void> context;
  void* socket;
  Timer again;
  HandleBox<uv_poll_t>* poll = nullptr;
};

ZmqHint::State::~State() {
  if (poll != nullptr) close_box(poll);  // before ZMQ closes the descriptor
  zmq_close(socket);
}

Status ZmqHint::State::connect(const std::string& endpoint) {
  set(socket, ZMQ_LINGER, 0);
  set(socket, ZMQ_RCVHWM, kQueueMax);
  set(socket, ZMQ_RECONNECT_IVL, kReconnectMs);
  set(socket, ZMQ_RECONNECT_IVL_MAX, kReconnectMaxMs);
  set(socket, ZMQ_HEARTBEAT_IVL, kHeartbeatMs);
  set(socket, ZMQ_HEARTBEAT_TIMEOUT, kHeartbeatMs);
  set(socket, ZMQ_TCP_KEEPALIVE, 1);
  set(socket, ZMQ_IPV6, 1);
  const std::int64_t message_max = kMessageMax;
  CHECK(zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &message_max, sizeof message_max) == 0);
  CHECK(zmq_setsockopt(socket, ZMQ_SUBSCRIBE, kTopic.data(), kTopic.size()) == 0);
  if (zmq_connect(socket, endpoint.c_str()) == 0) return {};
  return Error{ErrorCode::Invalid,
               fmt::format("cannot subscribe to \"{}\": {}; write \"tcp://127.0.0.1:28332\"",
                           endpoint, zmq_strerror(zmq_errno()))};
}

void ZmqHint::State::watch() {
  int fd = -1;
  std::size_t length = sizeof fd;
  CHECK(zmq_getsockopt(socket, ZMQ_FD, &fd, &length) == 0);
  poll = new_box<uv_poll_t>(this);
  CHECK(uv_poll_init(loop.raw(), &poll->handle, fd) == 0);
  uv_poll_start(&poll->handle, UV_READABLE, [](uv_poll_t* handle, int, int) {
    if (auto* self = owner_of<State>(handle)) self->drain();
  });
  again.set(loop.now().mono);
}

// ZMQ_FD is edge-triggered and says nothing about direction: it wakes once, whatever waits. Only
// receiving until there is nothing left makes it wake again.
void ZmqHint::State::drain() {
  int parts = 0;
  for (; parts < kDrainMax; ++parts) {
    int events = 0;
    std::size_t length = sizeof events;
    if (zmq_getsockopt(socket, ZMQ_EVENTS, &events, &length) != 0) break;
    if ((events & ZMQ_POLLIN) == 0) break;
    char ignored[64];
    if (zmq_recv(socket, ignored, sizeof ignored, ZMQ_DONTWAIT) < 0) break;
  }
  if (parts == kDrainMax) again.set(loop.now().mono);
  if (parts > 0) on_hint();
}

Result<std::unique_ptr<ZmqHint>> ZmqHint::subscribe(Loop& loop, const std::string& endpoint,
                                                    std::function<void()> on_hint) {
  auto state = std::make_unique<State>(loop, std::move(on_hint));
  if (const Status status = state->connect(endpoint); !status) return status.error();
  state->watch();
  return std::unique_ptr<ZmqHint>(new ZmqHint(std::move(state)));
}

ZmqHint::ZmqHint(std::unique_ptr<State> state) : state_(std::move(state)) {}

ZmqHint::~ZmqHint() = default;

}  // namespace adit::uv
