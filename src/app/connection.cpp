// SPDX-License-Identifier: MIT
#include "app/connection.h"

#include <array>

namespace adit {
namespace {
constexpr std::size_t kSegments = 16;
/// One pending write carries at most this; the outbox keeps the rest and its cap.
constexpr std::size_t kPendingBytes = 64 * 1024;
}  // namespace

Connection::Connection(ConnectionHost& host, Place place, uv::StreamPtr stream,
                       std::unique_ptr<Session> session, Wrapping wrapping, const Source& from)
    : source(from),
      since(host.now()),
      host_(&host),
      place_(place),
      stream_(std::move(stream)),
      session_(std::move(session)) {
  if (wrapping.proxy || wrapping.tls) wrapping_ = std::make_unique<Wrapping>(std::move(wrapping));
}

std::string Connection::peer() const {
  if (wrapping_ && !wrapping_->source.empty()) return wrapping_->source;
  return stream_->peer().text();
}

void Connection::on_read(Bytes bytes) {
  if (wrapping_ && wrapping_->proxy) {
    std::size_t consumed = 0;
    switch (wrapping_->proxy->feed(bytes, consumed)) {
      case uv::ProxyParser::State::NeedMore:
        return;
      case uv::ProxyParser::State::Invalid:
        return host_->ended(*this, "invalid PROXY header");
      case uv::ProxyParser::State::Done:
        break;
    }
    bytes = bytes.subspan(consumed);
    wrapping_->source = wrapping_->proxy->source();
    wrapping_->proxy.reset();
    if (!wrapping_->tls && wrapping_->source.empty()) wrapping_.reset();
    if (bytes.empty()) return;
  }
  if (!wrapping_ || !wrapping_->tls) return receive(bytes);
  ByteVec plain;
  const Status status = wrapping_->tls->receive(bytes, plain);
  if (!plain.empty()) receive(plain);
  // The alert that says why should still reach the peer.
  if (!send_tls() || !status) host_->ended(*this, status ? "write failed" : status.error().text);
}

void Connection::receive(Bytes bytes) {
  if (closing_ || dead) return;
  session_->receive(bytes, host_->now());
  host_->touched(*this);
}

void Connection::on_end(std::string_view reason) { host_->ended(*this, reason); }

void Connection::on_drained() {
  flush();
  if (finished()) host_->ended(*this, "closed");
}

bool Connection::send_tls() {
  if (stream_->pending()) return true;
  const ByteVec wire = wrapping_->tls->take_wire();
  if (wire.empty()) return true;
  const Bytes all[] = {wire};
  const std::size_t sent = stream_->try_write(all);
  if (sent == wire.size()) return true;
  const Bytes rest[] = {Bytes(wire).subspan(sent)};
  stream_->write_later(rest);
  return true;
}

void Connection::flush() {
  Outbox& outbox = session_->outbox();
  std::array<Bytes, kSegments> segments;
  while (!outbox.empty() && !stream_->pending()) {
    std::size_t count = outbox.gather(segments);
    if (wrapping_ && wrapping_->tls) {
      const std::size_t size = segments[0].size();
      if (!wrapping_->tls->send(segments[0])) return host_->ended(*this, "TLS write failed");
      outbox.consume(size);
      send_tls();
      continue;
    }
    std::size_t offered = 0;
    for (std::size_t i = 0; i < count; ++i) offered += segments[i].size();
    const std::size_t sent = stream_->try_write(std::span(segments).first(count));
    outbox.consume(sent);
    if (sent == offered) continue;
    count = outbox.gather(segments);
    std::size_t pending = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (pending + segments[i].size() > kPendingBytes)
        segments[i] = segments[i].first(kPendingBytes - pending);
      pending += segments[i].size();
    }
    stream_->write_later(std::span(segments).first(count));
    outbox.consume(pending);
  }
  if (wrapping_ && wrapping_->tls) send_tls();
}

void Connection::close_after_flush(Instant deadline) {
  if (closing_) return;
  closing_ = deadline;
  stream_->stop_read();
}

bool Connection::finished() const {
  return closing_ && awaited == 0 && session_->outbox().empty() && !stream_->pending();
}

}  // namespace adit
