// SPDX-License-Identifier: MIT
// A tiny HTTP server on raw sockets for tests: it does wrong what a node may do wrong. One thread a
// connection; what it answers is chosen by the path of the request.
#pragma once

#include <poll.h>

#include <atomic>
#include <charconv>
#include <mutex>
#include <thread>
#include <vector>

#include "uv_support.h"

namespace adit::uv {

class HttpTestServer {
 public:
  HttpTestServer() {
    listen_fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ListenAddress at = loopback();
    REQUIRE(bind(listen_fd_, reinterpret_cast<sockaddr*>(&at.address), sizeof(sockaddr_in)) == 0);
    REQUIRE(listen(listen_fd_, 100) == 0);
    socklen_t length = sizeof at.address;
    getsockname(listen_fd_, reinterpret_cast<sockaddr*>(&at.address), &length);
    port_ = at.port();
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~HttpTestServer() {
    stopping_ = true;
    acceptor_.join();
    ::close(listen_fd_);
    for (std::thread& thread : threads_) thread.join();
  }
  HttpTestServer(const HttpTestServer&) = delete;
  HttpTestServer& operator=(const HttpTestServer&) = delete;

  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  int connections() const { return connections_; }
  /// Head of the last request, with its lines' ends.
  std::string last_head() {
    const std::lock_guard lock(mutex_);
    return last_head_;
  }

 private:
  void accept_all() {
    while (!stopping_) {
      pollfd waiting{listen_fd_, POLLIN, 0};
      if (poll(&waiting, 1, 5) != 1) continue;
      const int fd = accept4(listen_fd_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      ++connections_;
      threads_.emplace_back([this, fd] {
        for (int before = 0; serve(fd, before); ++before) {
        }
        ::close(fd);
      });
    }
  }
  /// False: nothing more comes, or the server ends.
  bool wait(int fd, std::chrono::milliseconds time = std::chrono::hours(1)) {
    const auto step = std::chrono::milliseconds(5);
    for (; !stopping_ && time.count() > 0; time -= step) {
      pollfd waiting{fd, POLLIN, 0};
      if (poll(&waiting, 1, static_cast<int>(step.count())) == 1) return true;
    }
    return false;
  }
  bool read_some(int fd, std::string& into) {
    char buffer[65536];
    if (!wait(fd)) return false;
    const ssize_t got = recv(fd, buffer, sizeof buffer, 0);
    if (got <= 0) return false;
    into.append(buffer, static_cast<std::size_t>(got));
    return true;
  }
  static bool say(int fd, std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  /// `before`: how many requests this connection has already carried.
  bool serve(int fd, int before) {
    std::string text;
    std::size_t head_end;
    while ((head_end = text.find("\r\n\r\n")) == text.npos)
      if (!read_some(fd, text)) return false;
    const std::string head = text.substr(0, head_end + 4);
    // A node that drops a kept connection while the next request is under way on it.
    if (before > 0 && head.starts_with("POST /reset-kept")) return reset_at_close(fd);
    std::string body = text.substr(head_end + 4);
    std::size_t length = 0;
    const std::size_t at = head.find("Content-Length: ");
    if (at != head.npos) std::from_chars(head.data() + at + 16, head.data() + head.size(), length);
    while (body.size() < length)
      if (!read_some(fd, body)) return false;
    {
      const std::lock_guard lock(mutex_);
      last_head_ = head;
    }
    return answer(fd, head.substr(5, head.find(' ', 5) - 5), body);
  }
  static bool reset_at_close(int fd) {
    const linger now{1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    return false;
  }
  static std::string whole(const std::string& status, const std::string& body) {
    return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  }
  /// True: the connection stays.
  bool answer(int fd, const std::string& path, const std::string& body) {
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    if (path == "/echo" || path == "/reset-kept") return say(fd, whole("200 OK", body));
    if (path == "/503") return say(fd, whole("503 Service Unavailable", "busy"));
    if (path == "/500") return say(fd, whole("500 Internal Server Error", "{\"error\":1}"));
    if (path == "/redirect")
      return say(fd, "HTTP/1.1 302 Found\r\nLocation: /echo\r\nContent-Length: 0\r\n\r\n");
    if (path == "/slow")
      return !wait(fd, std::chrono::milliseconds(100)) && say(fd, whole("200 OK", "s"));
    if (path == "/trickle") return trickle(fd, whole("200 OK", body));
    if (path == "/endless")
      return endless(fd, ok + "Transfer-Encoding: chunked\r\n\r\n",
                     "3e8\r\n" + std::string(1000, 'x') + "\r\n");
    if (path == "/headers") return endless(fd, ok, "X-More: " + std::string(500, 'y') + "\r\n");
    if (path == "/100") return endless(fd, "", "HTTP/1.1 100 Continue\r\n\r\n");
    if (path == "/close-after") say(fd, whole("200 OK", body));  // closes, but did not say so
    if (path == "/silent") wait(fd);
    if (path == "/cut") say(fd, ok + "Content-Length: 100\r\n\r\n0123456789");
    if (path == "/cut-head") say(fd, ok + "Content-Le");
    if (path == "/cut-chunk") say(fd, ok + "Transfer-Encoding: chunked\r\n\r\n5\r\n012");
    if (path == "/until-close") say(fd, ok + "\r\nuntil the end");
    if (path == "/too-long") say(fd, ok + "Content-Length: 10\r\n\r\n0123456789and more");
    if (path == "/huge") say(fd, ok + "Content-Length: 999999999999\r\n\r\nx");
    if (path == "/bad-length") say(fd, ok + "Content-Length: -5\r\n\r\nx");
    if (path == "/garbage") say(fd, "hello, this is no HTTP\r\n\r\n");
    if (path == "/reset") return reset_at_close(fd);
    return false;
  }
  bool trickle(int fd, const std::string& text) {
    for (const char c : text) {
      if (!say(fd, {&c, 1})) return false;
      usleep(200);
    }
    return true;
  }
  bool endless(int fd, const std::string& start, const std::string& piece) {
    if (!say(fd, start)) return false;
    while (!stopping_ && say(fd, piece)) {
    }
    return false;
  }

  int listen_fd_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> connections_ = 0;
  std::mutex mutex_;
  std::string last_head_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace adit::uv
