// SPDX-License-Identifier: MIT
// MinerSession: handshake, frames, sending, deadlines.
#include "stratum/v2/session.h"

#include <algorithm>

#include "adit/base/check.h"
#include "adit/base/log.h"
#include "stratum/v2/foreign.h"

namespace adit::v2 {
namespace {

/// Payloads by kind, so that no header makes the reader keep more than its message can need.
constexpr std::uint32_t kSetupMax = 1300;
constexpr std::uint32_t kClientMax = 1024;
constexpr std::uint32_t kCustomJobMax = 80 * 1024;
constexpr std::uint32_t kExtensionsMax = 2 + 2 + 2 * 65'535 + 256;
constexpr std::uint32_t kUnknownMax = 16 * 1024;

bool is_submit(std::uint8_t type) {
  return type == SubmitSharesStandard::kId.type || type == SubmitSharesExtended::kId.type;
}

constexpr std::uint32_t kUnknownPerSecond = 100;
constexpr std::size_t kKeptEvents = 4;

}  // namespace

std::unique_ptr<Session> make_session(SessionContext& context, const JobPtr& newest, Instant now) {
  CHECK(context.v2 != nullptr && context.v2->identity != nullptr);
  return std::make_unique<MinerSession>(context, newest, now);
}

MinerSession::MinerSession(SessionContext& context, const JobPtr& newest, Instant now)
    : context_(context), shared_(*context.v2), newest_(newest), since_(now), last_seen_(now) {}

MinerSession::~MinerSession() {
  for (MiningChannel& channel : channels_) retire(channel);
}

void MinerSession::receive(Bytes wire, Instant now) {
  if (phase_ == Phase::Closed || wire.empty()) return;
  last_seen_ = now;
  if (phase_ == Phase::Handshake) shake_hands(wire, now);
  if (phase_ != Phase::Handshake && phase_ != Phase::Closed) read_frames(wire, now);
  judge_bench(now);
}

void MinerSession::shake_hands(Bytes& wire, Instant now) {
  const std::size_t count = std::min(wire.size(), kHelloSize - hello_.size());
  append(hello_, wire.first(count));
  wire = wire.subspan(count);
  if (const auto foreign = foreign_protocol(hello_)) {
    if (*foreign == Foreign::StratumV1) hint_at_v1(now);
    return close("not Stratum V2", false);
  }
  if (hello_.size() < kHelloSize) return;
  // The miner would refuse it anyway, and this costs no key.
  if (!shared_.certified) return close("the certificate has ended", false);
  Answered answered = Responder(*shared_.identity, shared_.keys.take(shared_.random))
                          .answer(std::span(hello_).first<kHelloSize>());
  ByteVec().swap(hello_);
  outbox_.append(text_of(answered.wire));
  reader_.emplace(std::move(answered.ciphers.receive));
  cipher_.emplace(std::move(answered.ciphers.send));
  phase_ = Phase::Setup;
  since_ = now;
}

/// Such a miner tries again and again: it is said once a minute.
void MinerSession::hint_at_v1(Instant now) {
  if (shared_.v1_hinted && now < *shared_.v1_hinted + std::chrono::minutes(1)) return;
  shared_.v1_hinted = now;
  log_info("stratum",
           "V1 on V2 port: a miner speaks the other protocol; its URL needs the V1 port");
}

/// The frames behind one that closes the session may hold a block: they are read to the end.
void MinerSession::read_frames(Bytes wire, Instant now) {
  for (;;) {
    switch (reader_->next(wire)) {
      case FrameReader::Step::NeedMore:
        // A frame may be under way: what has begun must end in time.
        if (!partial_ && reader_->partial()) partial_since_ = now;
        partial_ = reader_->partial();
        return;
      case FrameReader::Step::Header:
        if (acceptable(reader_->header())) break;
        judge_bench(now);  // what came whole still counts
        return close("a frame is too long", false);
      case FrameReader::Step::Frame:
        partial_ = false;
        on_frame(reader_->header(), reader_->payload(), now);
        break;
      case FrameReader::Step::Failed:
        judge_bench(now);
        return close("a frame does not decrypt", false);
    }
  }
}

bool MinerSession::acceptable(const FrameHeader& header) const {
  if (phase_ == Phase::Setup) return header.length <= kSetupMax;
  if (header.extension() == kNegotiation) return header.length <= kExtensionsMax;
  if (header.extension() != 0) return header.length <= kUnknownMax;
  if (header.msg_type == SetCustomMiningJob::kId.type) return header.length <= kCustomJobMax;
  return header.length <= kClientMax;
}

void MinerSession::on_frame(const FrameHeader& header, Bytes payload, Instant now) {
  if (phase_ == Phase::Setup) {
    const bool is_setup = header.extension() == 0 && header.msg_type == SetupConnection::kId.type;
    return is_setup ? on_setup(payload, now) : close("SetupConnection must come first", false);
  }
  const bool is_share = header.extension() == 0 && is_submit(header.msg_type);
  if (!is_share) judge_bench(now);  // answers leave in order, and a channel may be closed now
  if (phase_ == Phase::Closed && !is_share) return;
  if (header.extension() == 0) return on_mining_frame(header.msg_type, payload, now);
  if (header.extension() == kNegotiation && header.msg_type == RequestExtensions::kId.type)
    return on_request_extensions(payload, now);
  if (!unknown_.allow(kUnknownPerSecond, std::chrono::seconds(1), now)) strike(1, now);
}

void MinerSession::on_mining_frame(std::uint8_t type, Bytes payload, Instant now) {
  switch (type) {
    case SubmitSharesStandard::kId.type:
      return on_submit_standard(payload, now);
    case SubmitSharesExtended::kId.type:
      return on_submit_extended(payload, now);
    case OpenStandardMiningChannel::kId.type:
      return on_open_standard(payload, now);
    case OpenExtendedMiningChannel::kId.type:
      return on_open_extended(payload, now);
    case UpdateChannel::kId.type:
      return on_update(payload, now);
    case CloseChannel::kId.type:
      return on_close_channel(payload, now);
    case SetCustomMiningJob::kId.type:
      return on_custom_job(payload, now);
    case SetupConnection::kId.type:
      return close("a second SetupConnection", false);
    default:
      break;
  }
  // 0x01..0x04 and what is left of 0x10..0x25 only a server says.
  constexpr std::uint8_t kCommonLast = 0x04, kMiningFirst = 0x10, kMiningLast = 0x25;
  const bool server_only =
      type <= kCommonLast || (type >= kMiningFirst && type <= kMiningLast && type != 0x1e);
  if (server_only) return close("a message that only a server sends", false);
  strike(5, now);
}

void MinerSession::strike(std::uint32_t points, Instant now) {
  if (points != 0 && strikes_.add(points, now)) close("too many errors", true);
}

void MinerSession::close(std::string reason, bool flush) {
  if (phase_ == Phase::Closed) return;
  phase_ = Phase::Closed;
  events_.push_back(Close{std::move(reason), flush});
}

void MinerSession::expire(Instant now) {
  switch (phase_) {
    case Phase::Closed:
      return;
    case Phase::Handshake:
      if (now >= since_ + kHandshakeWithin) close("no handshake", false);
      return;
    case Phase::Setup:
      if (now >= since_ + kSetupWithin) close("no SetupConnection", false);
      return;
    case Phase::Mining:
      break;
  }
  if (partial_ && now >= partial_since_ + kFrameWithin) return close("frame not finished", false);
  if (channels_.empty() && now >= since_ + (had_channel_ ? kIdleWithin : kChannelWithin))
    return close("no channel", false);
  if (waits_for_work() && now >= opened_ + kJobWithin) return close("no work to give", true);
  for (MiningChannel& channel : channels_) {
    channel.channel.vardiff().retarget(now);
    refresh_target(channel, now);
  }
  if (promise_at_ && now >= *promise_at_) promise_next();
}

void MinerSession::policy_changed(Instant now) {
  for (MiningChannel& channel : channels_) {
    channel.channel.vardiff().apply_bounds();
    refresh_target(channel, now);
  }
}

std::optional<Instant> MinerSession::deadline() const {
  if (phase_ == Phase::Closed) return std::nullopt;
  if (phase_ == Phase::Handshake) return since_ + kHandshakeWithin;
  if (phase_ == Phase::Setup) return since_ + kSetupWithin;
  Instant soonest = Instant::max();
  if (channels_.empty()) soonest = since_ + (had_channel_ ? kIdleWithin : kChannelWithin);
  if (waits_for_work()) soonest = opened_ + kJobWithin;
  if (partial_) soonest = std::min(soonest, partial_since_ + kFrameWithin);
  if (promise_at_) soonest = std::min(soonest, *promise_at_);
  if (newest_)
    for (const MiningChannel& channel : channels_)
      soonest = std::min(soonest, channel.channel.vardiff().next_check());
  return soonest == Instant::max() ? std::nullopt : std::optional(soonest);
}

void MinerSession::drain(std::uint32_t, Instant) {
  // The same host again: a pool never sends its miners elsewhere.
  if (phase_ == Phase::Mining) send(Reconnect{});
}

void MinerSession::take_events(std::vector<SessionEvent>& into) {
  into.insert(into.end(), std::make_move_iterator(events_.begin()),
              std::make_move_iterator(events_.end()));
  events_.clear();
  if (events_.capacity() > kKeptEvents) std::vector<SessionEvent>().swap(events_);
}

double MinerSession::hash_rate(Instant now) const {
  double sum = 0;
  for (const MiningChannel& channel : channels_) sum += channel.channel.vardiff().hash_rate(now);
  return sum;
}

}  // namespace adit::v2
