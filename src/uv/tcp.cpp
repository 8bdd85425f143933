// SPDX-License-Identifier: MIT
#include "uv/tcp.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>

namespace adit::uv {
namespace {

constexpr int kBacklog = 4096;
constexpr std::size_t kSegmentsMax = 64;
/// So that a flood of newcomers does not hold up those who mine.
constexpr int kAcceptsPerTurn = 64;
constexpr auto kAcceptPause = std::chrono::milliseconds(100);

sockaddr_in* as_v4(sockaddr_storage& s) { return reinterpret_cast<sockaddr_in*>(&s); }
sockaddr_in6* as_v6(sockaddr_storage& s) { return reinterpret_cast<sockaddr_in6*>(&s); }

/// A pending write and the bytes it needs, in one allocation's lifetime.
struct PendingWrite {
  uv_write_t request{};
  std::string bytes;
};

void tune(uv_tcp_t* tcp) {
  uv_tcp_nodelay(tcp, 1);
  uv_tcp_keepalive(tcp, 1, 60);
  uv_os_fd_t fd = -1;
  if (uv_fileno(reinterpret_cast<uv_handle_t*>(tcp), &fd) != 0) return;
  // A peer that is gone without a word is noticed within two minutes: 60 s of silence, then four
  // questions. libuv sets the first number only.
  const int between_s = 15, questions = 4;
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &between_s, sizeof between_s);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &questions, sizeof questions);
  const unsigned timeout_ms = 90'000;
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
}

/// An error counts as nothing sent: the write that follows meets it again and reports it.
std::size_t sent_of(ssize_t result) { return result > 0 ? static_cast<std::size_t>(result) : 0; }

Error listen_error(const ListenAddress& address, const char* what, int error) {
  if (error == EADDRINUSE)
    return {ErrorCode::Conflict, fmt::format("port {} on {} is in use by another program",
                                             address.port(), address.host())};
  return {ErrorCode::Io,
          fmt::format("cannot listen on {}: {}: {}", address.text(), what, std::strerror(error))};
}

Result<int> open_listening(const ListenAddress& address, bool shared) {
  const bool v6 = address.address.ss_family == AF_INET6;
  const int fd = socket(address.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return listen_error(address, "socket", errno);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (shared) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (v6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  const socklen_t length = v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  const char* what = "bind";
  int result = bind(fd, reinterpret_cast<const sockaddr*>(&address.address), length);
  if (result == 0) {
    what = "listen";
    result = listen(fd, kBacklog);
  }
  if (result == 0) return fd;
  const int error = errno;
  ::close(fd);
  return listen_error(address, what, error);
}

}  // namespace

std::uint16_t ListenAddress::port() const {
  auto copy = address;
  return ntohs(copy.ss_family == AF_INET6 ? as_v6(copy)->sin6_port : as_v4(copy)->sin_port);
}

std::string ListenAddress::host() const {
  char text[INET6_ADDRSTRLEN] = "?";
  auto copy = address;
  if (copy.ss_family == AF_INET6) {
    inet_ntop(AF_INET6, &as_v6(copy)->sin6_addr, text, sizeof text);
  } else if (copy.ss_family == AF_INET) {
    inet_ntop(AF_INET, &as_v4(copy)->sin_addr, text, sizeof text);
  }
  return text;
}

std::string ListenAddress::text() const {
  return address.ss_family == AF_INET6 ? fmt::format("[{}]:{}", host(), port())
                                       : fmt::format("{}:{}", host(), port());
}

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const Error bad{
      ErrorCode::Invalid,
      fmt::format("\"{}\" is no listening address; write \"0.0.0.0:3333\" or \"[::]:3333\"", text)};
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad;
  std::string host(text.substr(0, colon));
  const std::string_view digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size() || digits.empty()) return bad;
  ListenAddress out;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    auto* v6 = as_v6(out.address);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    if (inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) != 1) return bad;
    return out;
  }
  if (host == "*") host = "0.0.0.0";
  if (host == "localhost") host = "127.0.0.1";
  auto* v4 = as_v4(out.address);
  v4->sin_family = AF_INET;
  v4->sin_port = htons(port);
  if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) != 1) return bad;
  return out;
}

TcpStream* TcpStream::adopt(Loop& loop, int fd) {
  auto* stream = new TcpStream;
  stream->loop_ = &loop;
  CHECK(uv_tcp_init(loop.raw(), &stream->tcp_) == 0);
  stream->tcp_.data = stream;
  if (uv_tcp_open(&stream->tcp_, fd) != 0) {
    ::close(fd);
    stream->close();
    return nullptr;
  }
  tune(&stream->tcp_);
  return stream;
}

void TcpStream::start_read(StreamHandler* handler) {
  handler_ = handler;
  resume_read();
}

void TcpStream::resume_read() {
  if (failed_ || handler_ == nullptr) return;
  const int error = uv_read_start(
      reinterpret_cast<uv_stream_t*>(&tcp_),
      [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
        *buffer = static_cast<TcpStream*>(handle->data)->loop_->read_buffer();
      },
      [](uv_stream_t* raw, ssize_t count, const uv_buf_t* buffer) {
        auto* self = static_cast<TcpStream*>(raw->data);
        if (self->handler_ == nullptr || count == 0) return;
        if (count > 0) {
          self->handler_->on_read({reinterpret_cast<const std::uint8_t*>(buffer->base),
                                   static_cast<std::size_t>(count)});
          return;
        }
        self->failed_ = true;
        uv_read_stop(raw);
        self->handler_->on_end(count == UV_EOF ? "peer closed"
                                               : uv_strerror(static_cast<int>(count)));
      });
  CHECK(error == 0 || error == UV_EALREADY || error == UV_ENOTCONN);
}

void TcpStream::stop_read() { uv_read_stop(reinterpret_cast<uv_stream_t*>(&tcp_)); }

std::size_t TcpStream::try_write(std::span<const Bytes> segments) {
  uv_os_fd_t fd = -1;
  if (pending_ || uv_fileno(reinterpret_cast<uv_handle_t*>(&tcp_), &fd) != 0) return 0;
  // Past libuv, which would call write(): for a socket the kernel's way through that is longer.
  constexpr int kFlags = MSG_NOSIGNAL | MSG_DONTWAIT;
  if (segments.size() == 1)
    return sent_of(::send(fd, segments[0].data(), segments[0].size(), kFlags));
  std::array<iovec, kSegmentsMax> parts;
  const std::size_t count = std::min(segments.size(), parts.size());
  for (std::size_t i = 0; i < count; ++i)
    parts[i] = {const_cast<std::uint8_t*>(segments[i].data()), segments[i].size()};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = count;
  return sent_of(::sendmsg(fd, &message, kFlags));
}

void TcpStream::write_later(std::span<const Bytes> segments) {
  CHECK(!pending_);
  auto* write = new PendingWrite;
  for (const Bytes segment : segments) write->bytes.append(text_of(segment));
  write->request.data = write;
  const uv_buf_t buffer =
      uv_buf_init(write->bytes.data(), static_cast<unsigned>(write->bytes.size()));
  pending_ = true;
  const int error = uv_write(
      &write->request, reinterpret_cast<uv_stream_t*>(&tcp_), &buffer, 1,
      [](uv_write_t* request, int status) {
        const std::unique_ptr<PendingWrite> done(static_cast<PendingWrite*>(request->data));
        auto* self = static_cast<TcpStream*>(request->handle->data);
        self->pending_ = false;
        if (self->handler_ == nullptr || status == UV_ECANCELED) return;
        if (status == 0) return self->handler_->on_drained();
        // The reading side reports the end as well; whichever comes first wins.
        if (!self->failed_) {
          self->failed_ = true;
          self->handler_->on_end(uv_strerror(status));
        }
      });
  if (error != 0) {
    pending_ = false;  // a dead socket: its read side ends the stream
    delete write;
  }
}

void TcpStream::on_close(uv_handle_t* handle) { delete static_cast<TcpStream*>(handle->data); }

void TcpStream::close() {
  handler_ = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&tcp_), &TcpStream::on_close);
}

void TcpStream::reset() {
  handler_ = nullptr;
  if (uv_tcp_close_reset(&tcp_, &TcpStream::on_close) != 0) close();
}

ListenAddress TcpStream::peer() const {
  ListenAddress out;
  int length = sizeof out.address;
  uv_tcp_getpeername(&tcp_, reinterpret_cast<sockaddr*>(&out.address), &length);
  return out;
}

Status check_port_free(const ListenAddress& address) {
  if (address.port() == 0) return {};
  const auto fd = open_listening(address, false);
  if (!fd) return fd.error();
  ::close(*fd);
  return {};
}

Result<std::unique_ptr<TcpListener>> TcpListener::listen(Loop& loop, const ListenAddress& address,
                                                         OnConnection on_connection, Gate gate) {
  const auto fd = open_listening(address, true);
  if (!fd) return fd.error();
  return std::unique_ptr<TcpListener>(
      new TcpListener(loop, *fd, std::move(on_connection), std::move(gate)));
}

TcpListener::TcpListener(Loop& loop, int fd, OnConnection on_connection, Gate gate)
    : loop_(&loop),
      fd_(fd),
      on_connection_(std::move(on_connection)),
      gate_(std::move(gate)),
      retry_(loop, [this] { watch(); }),
      poll_(new_box<uv_poll_t>(this)) {
  CHECK(uv_poll_init(loop.raw(), &poll_->handle, fd) == 0);
  watch();
}

TcpListener::~TcpListener() {
  close_box(poll_);
  ::close(fd_);
}

void TcpListener::watch() {
  uv_poll_start(&poll_->handle, UV_READABLE, [](uv_poll_t* poll, int, int) {
    if (auto* self = owner_of<TcpListener>(poll)) self->accept_waiting();
  });
}

void TcpListener::accept_waiting() {
  const HandleBox<uv_poll_t>* box = poll_;  // outlives this call even if the listener does not
  for (int i = 0; i < kAcceptsPerTurn && box->owner != nullptr; ++i) {
    if (const auto later = gate_ ? gate_() : std::nullopt) return pause(*later);
    const int fd = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      if (StreamPtr stream{TcpStream::adopt(*loop_, fd)}) on_connection_(std::move(stream));
    } else if (errno == EAGAIN) {
      return;
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      return pause(loop_->now().mono + kAcceptPause);
    }
    // Anything else is the end of the one that waited (accept(2): ECONNABORTED, EPROTO...).
  }
}

void TcpListener::pause(Instant until) {
  uv_poll_stop(&poll_->handle);
  retry_.set(until);
}

ListenAddress TcpListener::address() const {
  ListenAddress out;
  socklen_t length = sizeof out.address;
  getsockname(fd_, reinterpret_cast<sockaddr*>(&out.address), &length);
  return out;
}

}  // namespace adit::uv
