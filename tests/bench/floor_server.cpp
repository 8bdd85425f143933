// SPDX-License-Identifier: MIT
// floor-server: the least that a Stratum V1 server can do, to compare a real one with. It pays for
// the system calls, for finding each line and its id, and for the hashes of one share check (43
// SHA-256 blocks: a coinbase, twelve merkle steps, a header); it keeps no books, checks nothing and
// has fixed answers. One thread, one epoll, plain system calls. SIGUSR1 sends everyone a job.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "adit/base/check.h"
#include "adit/crypto/sha256.h"

namespace {

using adit::Bytes;

/// 42 whole blocks and the 55 bytes that share the last one with the padding.
constexpr std::size_t kShareCheckBytes = 42 * 64 + 55;
constexpr int kBacklog = 4096;

/// As long as the job of a full block: twelve branch hashes and two payout outputs.
std::string make_notify() {
  std::string text =
      "{\"id\":null,\"method\":\"mining.notify\",\"params\":[\"0001000000010001\",\"" +
      std::string(64, '0') + "\",\"" + std::string(130, '1') + "\",\"" + std::string(250, '2') +
      "\",[";
  for (int i = 0; i < 12; ++i) text += (i == 0 ? "\"" : ",\"") + std::string(64, '3') + "\"";
  return text + "],\"20000000\",\"1d00ffff\",\"" + "60000000" + "\",true]}\n";
}

class FloorServer {
 public:
  explicit FloorServer(std::uint16_t port) : epoll_(epoll_create1(0)), notify_(make_notify()) {
    listen_fd_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const int on = 1;
    setsockopt(listen_fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    CHECK(bind(listen_fd_, raw, size) == 0 && listen(listen_fd_, kBacklog) == 0);
    CHECK(getsockname(listen_fd_, raw, &size) == 0);
    port_ = ntohs(address.sin_port);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    signal_fd_ = signalfd(-1, &set, SFD_NONBLOCK);
    watch(listen_fd_);
    watch(signal_fd_);
  }
  std::uint16_t port() const { return port_; }

  [[noreturn]] void run() {
    std::array<epoll_event, 256> events;
    for (;;) {
      const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        if (fd == listen_fd_) {
          accept_all();
        } else if (fd == signal_fd_) {
          broadcast();
        } else {
          serve(fd);
        }
      }
    }
  }

 private:
  struct Connection {
    bool open = false;
    bool authorised = false;
    std::string partial;  // of a line whose end has not come
  };

  void watch(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    CHECK(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0);
  }

  void accept_all() {
    for (;;) {
      const int fd = accept4(listen_fd_, nullptr, nullptr, SOCK_NONBLOCK);
      if (fd < 0) return;
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      if (connections_.size() <= static_cast<std::size_t>(fd))
        connections_.resize(static_cast<std::size_t>(fd) + 1);
      connections_[static_cast<std::size_t>(fd)] = {
          .open = true, .authorised = false, .partial = {}};
      watch(fd);
    }
  }

  void end(int fd) {
    connections_[static_cast<std::size_t>(fd)] = {};
    close(fd);
  }

  void broadcast() {
    signalfd_siginfo info;
    while (read(signal_fd_, &info, sizeof info) > 0) continue;
    for (std::size_t fd = 0; fd < connections_.size(); ++fd)
      if (connections_[fd].open) send_all(static_cast<int>(fd), notify_);
  }

  /// A peer that does not take its bytes at once is let go.
  void send_all(int fd, std::string_view bytes) {
    if (send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size()))
      end(fd);
  }

  void serve(int fd) {
    Connection& connection = connections_[static_cast<std::size_t>(fd)];
    if (!connection.open) return;
    const ssize_t got = recv(fd, read_.data(), read_.size(), 0);
    if (got <= 0) return end(fd);
    std::string_view bytes(read_.data(), static_cast<std::size_t>(got));
    std::string joined;
    if (!connection.partial.empty()) {
      joined = std::move(connection.partial) + std::string(bytes);
      connection.partial.clear();
      bytes = joined;
    }
    replies_.clear();
    for (std::size_t end = bytes.find('\n'); end != bytes.npos; end = bytes.find('\n')) {
      answer(connection, bytes.substr(0, end));
      bytes.remove_prefix(end + 1);
    }
    if (!bytes.empty()) connection.partial = bytes;
    if (!replies_.empty()) send_all(fd, replies_);
  }

  void answer(Connection& connection, std::string_view line) {
    const std::size_t id_at = line.find("\"id\":");
    std::uint64_t id = 0;
    if (id_at != line.npos) std::from_chars(line.data() + id_at + 5, line.data() + line.size(), id);
    if (connection.authorised) {
      adit::store_le(work_.data(), id);
      hashed_ = adit::sha256(work_)[0];
      return reply(id, "true");
    }
    if (line.find("mining.configure") != line.npos)
      return reply(id, "{\"version-rolling\":true,\"version-rolling.mask\":\"1fffe000\"}");
    if (line.find("mining.subscribe") != line.npos)
      return reply(id, "[[[\"mining.notify\",\"01\"]],\"0100000000000001\",8]");
    reply(id, "true");
    connection.authorised = true;
    replies_ += "{\"id\":null,\"method\":\"mining.set_difficulty\",\"params\":[1e-10]}\n";
    replies_ += notify_;
  }

  void reply(std::uint64_t id, std::string_view result) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), id).ptr;
    replies_ += "{\"id\":";
    replies_.append(digits.data(), end);
    replies_ += ",\"result\":";
    replies_ += result;
    replies_ += ",\"error\":null}\n";
  }

  const int epoll_;
  const std::string notify_;
  int listen_fd_ = -1, signal_fd_ = -1;
  std::uint16_t port_ = 0;
  std::vector<Connection> connections_;  // by descriptor
  std::array<char, 65536> read_;
  std::string replies_;  // to all lines of one read
  std::array<std::uint8_t, kShareCheckBytes> work_{};
  volatile std::uint8_t hashed_ = 0;  // keeps the hashes from being left out
};

}  // namespace

/// floor-server [PORT]: listens on 127.0.0.1, prints the port, and runs until it is killed or its
/// parent ends.
int main(int argc, char** argv) {
  std::uint16_t port = 0;
  if (argc > 1) {
    const std::string_view text(argv[1]);
    const auto read = std::from_chars(text.data(), text.data() + text.size(), port);
    if (argc > 2 || read.ec != std::errc{} || read.ptr != text.data() + text.size()) {
      std::fprintf(stderr, "usage: floor-server [PORT]\n");
      return 2;
    }
  }
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  FloorServer server(port);
  std::printf("%u\n", server.port());
  std::fflush(stdout);
  server.run();
}
