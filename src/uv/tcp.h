// SPDX-License-Identifier: MIT
// Listeners and streams. A stream keeps no buffer of its own: bytes come in through the loop's one
// read buffer, and what the kernel does not take at once is copied for exactly one pending write.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "adit/base/bytes.h"
#include "adit/base/result.h"
#include "uv/loop.h"

namespace adit::uv {

struct ListenAddress {
  sockaddr_storage address{};
  std::string text() const;  ///< "127.0.0.1:3333", "[::]:3333"
  std::uint16_t port() const;
  std::string host() const;
};
/// "127.0.0.1:3333", "[::1]:3333", "*:3333" (IPv4 any). Numbers only: a name would need a resolver.
Result<ListenAddress> parse_listen_address(std::string_view text);
/// Whether nobody listens there yet. Listeners share their port (SO_REUSEPORT), so they would not
/// notice a second pool of the same user: ask once, before the first of them. Port 0 is free.
Status check_port_free(const ListenAddress& address);

/// What a stream tells its owner. Called on the loop's thread; the stream may be closed within a
/// call.
class StreamHandler {
 public:
  virtual void on_read(Bytes bytes) = 0;
  /// The peer ended or reset the connection; nothing more will be read. The owner closes the
  /// stream.
  virtual void on_end(std::string_view reason) = 0;
  /// The pending write is done: more may be written.
  virtual void on_drained() = 0;

 protected:
  ~StreamHandler() = default;
};

class TcpStream {
 public:
  /// Takes over a connected socket, also when it fails: null then.
  static TcpStream* adopt(Loop& loop, int fd);
  /// The handler must live until close(). No call to it comes after close().
  void start_read(StreamHandler* handler);
  void stop_read();
  void resume_read();
  /// Gives the kernel as much as it takes now; returns how many bytes that was. The rest:
  /// write_later().
  std::size_t try_write(std::span<const Bytes> segments);
  /// Copies `segments` (the caller bounds them) into one pending write; on_drained() follows.
  /// CHECKs that none is pending.
  void write_later(std::span<const Bytes> segments);
  bool pending() const { return pending_; }
  /// Closes and frees; idempotent is the owner's job (the pointer is dead afterwards).
  void close();
  /// Resets instead of a clean end: the peer hears at once, no TIME_WAIT.
  void reset();
  ListenAddress peer() const;
  void* owner() const { return handler_; }

 private:
  TcpStream() = default;
  ~TcpStream() = default;
  static void on_close(uv_handle_t* handle);
  uv_tcp_t tcp_{};
  Loop* loop_ = nullptr;
  StreamHandler* handler_ = nullptr;
  bool pending_ = false;
  bool failed_ = false;
};

struct StreamCloser {
  void operator()(TcpStream* stream) const { stream->close(); }
};
using StreamPtr = std::unique_ptr<TcpStream, StreamCloser>;

/// Accepts by itself instead of uv_listen: when descriptors run out, libuv 1.44 drops whoever waits
/// or, without its spare descriptor, spins for good. Here they wait in the kernel's queue.
class TcpListener {
 public:
  using OnConnection = std::function<void(StreamPtr)>;
  /// Asked before each newcomer. nullopt: come in; else when to ask again: until then they wait in
  /// the kernel's queue. Empty: all may come in.
  using Gate = std::function<std::optional<Instant>()>;
  /// SO_REUSEPORT: each worker thread has its own listener on the same port. Port 0 takes a free
  /// one.
  static Result<std::unique_ptr<TcpListener>> listen(Loop& loop, const ListenAddress& address,
                                                     OnConnection on_connection, Gate gate = {});
  ~TcpListener();
  TcpListener(const TcpListener&) = delete;
  TcpListener& operator=(const TcpListener&) = delete;
  /// Where it really listens.
  ListenAddress address() const;

 private:
  TcpListener(Loop& loop, int fd, OnConnection on_connection, Gate gate);
  void watch();
  void accept_waiting();
  void pause(Instant until);
  Loop* loop_;
  int fd_;
  OnConnection on_connection_;
  Gate gate_;
  Timer retry_;
  HandleBox<uv_poll_t>* poll_;
};

}  // namespace adit::uv
