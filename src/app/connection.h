// SPDX-License-Identifier: MIT
// Connection: the meeting of one stream and one session. Bytes go in and out here; what they mean
// is the session's business. Thread: its worker's.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "adit/stratum/session.h"
#include "app/places.h"
#include "uv/proxy_protocol.h"
#include "uv/tcp.h"
#include "uv/tls.h"

namespace adit {

class Connection;

/// What a connection needs from its worker.
class ConnectionHost {
 public:
  /// Something happened: drain its events, ask for its deadline, flush it at the end of the turn.
  virtual void touched(Connection& connection) = 0;
  /// The peer is gone; the connection may be destroyed at the end of the turn.
  virtual void ended(Connection& connection, std::string_view reason) = 0;
  virtual Instant now() = 0;

 protected:
  ~ConnectionHost() = default;
};

class Connection final : public uv::StreamHandler {
 public:
  struct Place {
    std::uint32_t slot = 0;
    std::uint32_t generation = 0;
  };
  /// What may stand before the protocol on the wire; both may be absent.
  struct Wrapping {
    std::unique_ptr<uv::ProxyParser> proxy;
    std::unique_ptr<uv::TlsCodec> tls;
    std::string source;  ///< the real peer, as the PROXY header told
  };

  Connection(ConnectionHost& host, Place place, uv::StreamPtr stream,
             std::unique_ptr<Session> session, Wrapping wrapping, const Source& from);

  void start() { stream_->start_read(this); }
  Session& session() { return *session_; }
  Place place() const { return place_; }
  /// Sends what the socket takes; the rest follows by itself. False once the peer is stuck for
  /// good.
  void flush();
  /// Ends after the outbox is sent; `deadline` bounds that.
  void close_after_flush(Instant deadline);
  bool closing() const { return closing_.has_value(); }
  /// Closing, every share on its way to the disk has its answer, and all is sent.
  bool finished() const;
  std::optional<Instant> close_deadline() const { return closing_; }
  void pause_reading() { stream_->stop_read(); }
  void resume_reading() {
    if (!closing_) stream_->resume_read();
  }
  std::string peer() const;

  void on_read(Bytes bytes) override;
  void on_end(std::string_view reason) override;
  void on_drained() override;

  bool dirty = false;  ///< in the worker's list of this turn
  bool dead = false;   ///< to be destroyed at the end of this turn
  bool paused = false;
  bool mines = false;         ///< a share of it was accepted
  std::uint32_t awaited = 0;  ///< shares whose outcome is still to come
  const Source source;        ///< the peer of the socket
  const Instant since;        ///< it came
  Instant scheduled{};        ///< the worker's heap has an entry for this instant
  bool is_scheduled = false;

 private:
  void receive(Bytes bytes);
  bool send_tls();
  ConnectionHost* host_;
  Place place_;
  uv::StreamPtr stream_;
  std::unique_ptr<Session> session_;
  std::unique_ptr<Wrapping> wrapping_;  // null for the many that have none
  std::optional<Instant> closing_;
};

}  // namespace adit
