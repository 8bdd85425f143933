// SPDX-License-Identifier: MIT
// Connections by the thousand: see swarm.h.
#include "stratum_load/swarm.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "adit/base/check.h"
#include "stratum_load/trigger.h"

namespace adit::load {

namespace {

constexpr std::uint32_t kOpeningAtOnce = 64;
constexpr std::int64_t kOpenWithinNs = 60'000'000'000;
constexpr std::size_t kReadSize = 256 * 1024;

/// Reads with the kernel's receive time of the last byte; our own clock where there is none.
ssize_t read_stamped(int fd, std::vector<char>& buffer, std::int64_t& stamp_ns) {
  alignas(cmsghdr) std::array<char, 64> control;
  iovec part{buffer.data(), buffer.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t got = recvmsg(fd, &message, 0);
  stamp_ns = 0;
  if (got <= 0) return got;
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) continue;
    timespec at;
    std::memcpy(&at, CMSG_DATA(c), sizeof at);
    stamp_ns = at.tv_sec * 1'000'000'000 + at.tv_nsec;
  }
  if (stamp_ns == 0) stamp_ns = wall_ns();
  return got;
}

}  // namespace

Swarm::Swarm(const Options& options, const client::Address& pool, Scenario& scenario,
             std::size_t keys_ahead)
    : options_(options),
      pool_(pool),
      scenario_(scenario),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      shared_(options.pool.is_v2() ? keys_ahead : 0),
      buffer_(kReadSize) {
  CHECK(epoll_ >= 0);
  for (std::uint32_t i = 0; i < options.connections; ++i)
    miners_.push_back(std::make_unique<Miner>(i));
  shared_.keys.refill(client::fill_random, keys_ahead);
}

Swarm::~Swarm() {
  for (const auto& miner : miners_) close(*miner);
  ::close(epoll_);
}

void Swarm::watch(Miner& miner, bool room, int operation) {
  epoll_event event{};
  event.events = EPOLLIN | (room ? EPOLLOUT : 0u);
  event.data.ptr = &miner;
  epoll_ctl(epoll_, operation, miner.fd, &event);
  miner.waits_for_room = room;
}

Status Swarm::open(Miner& miner) {
  miner.began_ns = wall_ns();
  const auto fd = client::begin_connect(pool_);
  if (!fd) return fd.error();
  const int on = 1;
  setsockopt(*fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  miner.fd = *fd;
  miner.ready = false;
  miner.talk = client::make_talk(options_.pool, shared_);
  miner.out.clear();
  miner.talk->begin(miner.out);
  ++opening_;
  watch(miner, true, EPOLL_CTL_ADD);
  return {};
}

void Swarm::close(Miner& miner) {
  if (miner.fd < 0) return;
  const linger reset{1, 0};
  setsockopt(miner.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  ::close(miner.fd);
  miner.fd = -1;
  --(miner.ready ? ready_ : opening_);
}

void Swarm::lose(Miner& miner, const std::string& why) {
  if (lost_++ == 0) why_lost_ = why;
  close(miner);
}

Status Swarm::open_all() {
  const std::int64_t deadline = wall_ns() + kOpenWithinNs;
  for (const auto& miner : miners_) {
    if (const Status s = open(*miner); !s) return s;
    while (opening_ >= kOpeningAtOnce && lost_ == 0 && wall_ns() < deadline) turn(100);
    if (lost_ != 0) break;
  }
  while (opening_ > 0 && lost_ == 0 && wall_ns() < deadline) turn(100);
  if (ready_ == miners_.size()) return {};
  return Error{ErrorCode::Unavailable,
               fmt::format("{} of {} connections have work: {}", ready_, miners_.size(),
                           lost_ != 0 ? why_lost_ : "time is up")};
}

void Swarm::turn(int milliseconds) {
  std::array<epoll_event, 256> events;
  const int count =
      epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), milliseconds);
  for (int i = 0; i < count; ++i) {
    Miner& miner = *static_cast<Miner*>(events[static_cast<std::size_t>(i)].data.ptr);
    const std::uint32_t what = events[static_cast<std::size_t>(i)].events;
    if ((what & EPOLLOUT) != 0) flush(miner);
    if (miner.fd >= 0 && (what & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) on_readable(miner);
  }
}

void Swarm::run_for(std::int64_t nanoseconds) {
  const std::int64_t end = wall_ns() + nanoseconds;
  while (wall_ns() < end) turn(20);
}

void Swarm::flush(Miner& miner) {
  if (miner.fd < 0) return;
  if (!miner.out.empty()) {
    const ssize_t sent = send(miner.fd, miner.out.data(), miner.out.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return lose(miner, std::strerror(errno));
    if (sent > 0) miner.out.erase(0, static_cast<std::size_t>(sent));
  }
  if (miner.waits_for_room != !miner.out.empty()) watch(miner, !miner.out.empty(), EPOLL_CTL_MOD);
}

void Swarm::on_readable(Miner& miner) {
  std::int64_t stamp_ns = 0;
  const ssize_t got = read_stamped(miner.fd, buffer_, stamp_ns);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) return lose(miner, got == 0 ? "the server closed" : std::strerror(errno));
  Bytes wire(reinterpret_cast<const std::uint8_t*>(buffer_.data()), static_cast<std::size_t>(got));
  const UnixSeconds now(static_cast<std::uint32_t>(stamp_ns / 1'000'000'000));
  while (const auto event = miner.talk->hear(wire, now, miner.out)) {
    on_event(miner, *event, stamp_ns);
    if (miner.fd < 0) return;
  }
  if (!miner.out.empty()) flush(miner);
  if (miner.fd >= 0 && miner.ready) scenario_.on_read_done(miner);
}

void Swarm::on_event(Miner& miner, const client::Event& event, std::int64_t stamp_ns) {
  if (event.what == client::Heard::Broken || event.what == client::Heard::Malformed)
    return lose(miner, event.text);
  if (miner.ready) return scenario_.on_event(miner, event, stamp_ns);
  on_hello(miner, event);
}

void Swarm::on_hello(Miner& miner, const client::Event& event) {
  if (event.what == client::Heard::Refused) return lose(miner, event.text);
  if (event.what == client::Heard::Secured) scenario_.on_secured(miner);
  if (!miner.talk->ready()) return;
  miner.ready = true;
  --opening_;
  ++ready_;
  scenario_.on_ready(miner);
}

}  // namespace adit::load
