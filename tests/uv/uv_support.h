// SPDX-License-Identifier: MIT
// For the tests of the uv room: a loop that runs until something holds, and plain blocking sockets
// as the peers on the other side. Everything is on loopback.
#pragma once

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <functional>
#include <string>
#include <string_view>

#include "uv/loop.h"
#include "uv/system.h"
#include "uv/tcp.h"

namespace adit::uv {

/// A loop that a test drives turn by turn. Handles of a test must go before it does.
class TestLoop {
 public:
  // As the service does: a write to a peer that is gone is a value, not a signal.
  TestLoop() { std::signal(SIGPIPE, SIG_IGN); }
  Loop& loop() { return loop_; }
  Instant real_now() { return clock_.now().mono; }

  /// Turns until `done` holds; false after `limit`.
  bool run_until(const std::function<bool()>& done, Duration limit = std::chrono::seconds(5)) {
    const Instant end = real_now() + limit;
    Timer tick(loop_, [] {});
    while (!done()) {
      if (real_now() > end) return false;
      tick.set(loop_.now().mono + std::chrono::milliseconds(2));
      uv_run(loop_.raw(), UV_RUN_ONCE);
    }
    return true;
  }
  void run_for(Duration time) {
    run_until([] { return false; }, time);
  }

 private:
  OsClock clock_;
  Loop loop_{clock_};
};

/// A peer's socket: connects blocking (the kernel's queue answers), then works without blocking.
class Peer {
 public:
  explicit Peer(const ListenAddress& to) {
    fd_ = socket(to.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(fd_ >= 0);
    REQUIRE(connect(fd_, reinterpret_cast<const sockaddr*>(&to.address), sizeof to.address) == 0);
  }
  ~Peer() { close(); }
  Peer(Peer&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void reset() {
    const linger now{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }
  void half_close() { REQUIRE(shutdown(fd_, SHUT_WR) == 0); }
  void send(std::string_view text) {
    REQUIRE(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(text.size()));
  }
  /// Appends what is there. 0: nothing yet, 1: something, -1: the end, else -errno.
  int receive(std::string& into, std::size_t most = 65536) {
    std::string buffer(most, '\0');
    const ssize_t got = recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got == 0) return -1;
    if (got < 0) return errno == EAGAIN ? 0 : -errno;
    into.append(buffer, 0, static_cast<std::size_t>(got));
    return 1;
  }
  int fd() const { return fd_; }

 private:
  int fd_ = -1;
};

inline ListenAddress loopback(std::uint16_t port = 0) {
  return parse_listen_address("127.0.0.1:" + std::to_string(port)).value();
}

}  // namespace adit::uv
