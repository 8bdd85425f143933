// SPDX-License-Identifier: MIT
// V2Pool: what a worker thread gives to its V2 sessions, made by hand, with random bytes that are
// the same in every run; and V2Link: one session with an initiator in front of it, so that tests
// send messages and read messages. V1 sessions run on the same pool.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "adit/base/check.h"
#include "adit/stratum/auto.h"
#include "adit/stratum/v2.h"
#include "adit/stratum/v2/codec.h"
#include "adit/stratum/v2/frame_cipher.h"
#include "v1_pool.h"
#include "v2_noise_support.h"

namespace adit::test {

struct V2Pool : TestPool {
  v2::test::SplitMix random;
  v2::ThreadState v2;
  XOnlyKey authority;

  explicit V2Pool(std::uint32_t version_mask = 0x1fffffe0, std::uint64_t seed = 1) : random(seed) {
    promises = true;
    context.policy.vardiff.start = *Difficulty::parse("1e-9");
    const auto keeper = v2::IdentityKeeper::self_issued(SecretKey::generate(random.source()), 1,
                                                        v2::test::kNow, random.source());
    authority = keeper.authority();
    v2.identity = keeper.identity();
    v2.random = random.source();
    use_policy(version_mask);
    context.v2 = &v2;
  }
  /// After a change of context.policy.
  void use_policy(std::uint32_t version_mask) {
    v2.policy = context.policy;
    v2.policy.version_mask = version_mask;
  }
  /// The difficulty never moves by itself.
  void fix_difficulty(std::string_view text) {
    VardiffOptions& vardiff = context.policy.vardiff;
    vardiff.start = vardiff.minimum = vardiff.maximum = *Difficulty::parse(text);
    use_policy(v2.policy.version_mask);
  }
};

/// A message from the server, decrypted.
struct Said {
  v2::FrameHeader header;
  ByteVec payload;
  template <class Message>
  bool is() const {
    return header.extension() == Message::kId.extension && header.msg_type == Message::kId.type;
  }
  /// Its views are of this object. A server sends exact lengths and the right channel bit.
  template <class Message>
  Message as() const {
    Bytes rest;
    const auto message = v2::decode<Message>(payload, &rest);
    ADIT_CHECK(is<Message>() && message.has_value() && rest.empty());
    ADIT_CHECK(header.channel_message() == Message::kId.channel);
    return *message;
  }
};

class V2Link {
 public:
  using Make = std::unique_ptr<Session> (*)(SessionContext&, const JobPtr&, Instant);

  explicit V2Link(V2Pool& pool, Instant now = at(0), Make make = v2::make_session,
                  std::optional<EllSwiftKey> key = std::nullopt)
      : session_(make(pool.context, pool.job, now)) {
    v2::Initiator initiator(key ? *std::move(key) : EllSwiftKey::generate(pool.random.source()));
    const auto hello = initiator.hello();
    wire(hello, now);
    std::array<std::uint8_t, v2::kAnswerSize> answer;
    if (said_wire_.size() != answer.size()) return;
    std::copy(said_wire_.begin(), said_wire_.end(), answer.begin());
    auto finished = std::move(initiator).finish(answer, pool.authority, v2::test::kNow);
    ADIT_CHECK(finished.ok());
    said_wire_.clear();
    cipher_.emplace(std::move(finished->ciphers.send));
    reader_.emplace(std::move(finished->ciphers.receive));
  }
  bool shaken() const { return cipher_.has_value(); }

  // -- to the server

  template <class Message>
  ByteVec seal(const Message& message, Bytes tail = {}) {
    ByteVec payload;
    v2::encode(message, payload);
    append(payload, tail);
    const auto extension = static_cast<std::uint16_t>(Message::kId.extension |
                                                      (Message::kId.channel ? v2::kChannelBit : 0));
    return seal_raw(extension, Message::kId.type, payload);
  }
  ByteVec seal_raw(std::uint16_t extension, std::uint8_t type, Bytes payload) {
    ByteVec sealed;
    ADIT_CHECK(v2::seal_frame(*cipher_, extension, type, payload, sealed));
    return sealed;
  }
  template <class Message>
  void send(const Message& message, Instant now = at(0), Bytes tail = {}) {
    wire(seal(message, tail), now);
  }
  void wire(Bytes bytes, Instant now = at(0)) {
    append(sent_, bytes);
    session_->receive(bytes, now);
    flush(now);
  }

  // -- what its owner does

  void publish(const JobPtr& job, Instant now = at(0)) {
    session_->publish(job, now);
    flush(now);
  }
  void drain(Instant now = at(0)) {
    session_->drain(0, now);
    flush(now);
  }
  void expire(Instant now) {
    session_->expire(now);
    flush(now);
  }
  /// Commits `count` of what waits, as one turn of the owner's loop.
  void settle(std::size_t count, std::optional<RejectReason> refused = std::nullopt,
              Instant now = at(0)) {
    for (; count > 0; --count) {
      ADIT_CHECK(unsettled_ > 0);
      --unsettled_;
      session_->settle({refused, ++sequence_}, now);
    }
    flush(now);
  }
  void settle_all(Instant now = at(0)) { settle(unsettled_, std::nullopt, now); }
  std::size_t unsettled() const { return unsettled_; }

  // -- from the server

  /// What came since the last call.
  std::vector<Said> take() { return std::exchange(said_, {}); }
  bool closed() const { return close_.has_value(); }
  const std::optional<Close>& close() const { return close_; }
  const std::vector<SessionEvent>& events() const { return events_; }
  template <class Event>
  std::size_t count() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        events_, [](const SessionEvent& event) { return std::holds_alternative<Event>(event); }));
  }
  template <class Event>
  const Event& last() const {
    const auto found = std::find_if(events_.rbegin(), events_.rend(), [](const auto& event) {
      return std::holds_alternative<Event>(event);
    });
    ADIT_CHECK(found != events_.rend());
    return std::get<Event>(*found);
  }
  Session& session() { return *session_; }
  /// Every byte sent and heard, for recordings.
  const ByteVec& sent() const { return sent_; }
  const ByteVec& heard() const { return heard_; }

 private:
  void flush(Instant now) {
    session_->finish_turn(now);
    const std::size_t before = events_.size();
    session_->take_events(events_);
    for (std::size_t i = before; i < events_.size(); ++i) {
      if (std::holds_alternative<ShareAccepted>(events_[i])) ++unsettled_;
      if (const auto* close = std::get_if<Close>(&events_[i])) close_ = *close;
    }
    std::array<Bytes, 4> parts;
    while (const std::size_t n = session_->outbox().gather(parts)) {
      std::size_t size = 0;
      for (std::size_t i = 0; i < n; ++i) {
        append(said_wire_, parts[i]);
        append(heard_, parts[i]);
        size += parts[i].size();
      }
      session_->outbox().consume(size);
    }
    if (reader_) decrypt();
  }
  void decrypt() {
    Bytes wire = said_wire_;
    for (;;) {
      const auto step = reader_->next(wire);
      ADIT_CHECK(step != v2::FrameReader::Step::Failed);
      if (step == v2::FrameReader::Step::NeedMore) break;
      if (step == v2::FrameReader::Step::Header) continue;
      const Bytes payload = reader_->payload();
      said_.push_back({reader_->header(), ByteVec(payload.begin(), payload.end())});
    }
    said_wire_.clear();
  }

  std::unique_ptr<Session> session_;
  std::optional<v2::CipherState> cipher_;
  std::optional<v2::FrameReader> reader_;
  ByteVec said_wire_, sent_, heard_;
  std::vector<Said> said_;
  std::vector<SessionEvent> events_;
  std::optional<Close> close_;
  std::size_t unsettled_ = 0;
  std::uint64_t sequence_ = 0;
};

}  // namespace adit::test
