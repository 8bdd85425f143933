// SPDX-License-Identifier: MIT
// AutoSession: holds the first bytes until they tell V1 from V2, then is that session.
#include <algorithm>

#include "adit/stratum/auto.h"
#include "adit/stratum/v1.h"
#include "adit/stratum/v2.h"
#include "stratum/v2/foreign.h"

namespace adit {
namespace {

constexpr Duration kFirstBytesWithin = std::chrono::seconds(10);
/// What the guess looks at; more never has to be kept.
constexpr std::size_t kLookAhead = v2::kHelloSize;

class AutoSession final : public Session {
 public:
  AutoSession(SessionContext& context, const JobPtr& newest, Instant now)
      : context_(context), newest_(newest), connected_(now) {}

  void receive(Bytes wire, Instant now) override {
    if (inner_) return inner_->receive(wire, now);
    if (closed_) return;
    // Bytes beyond the look-ahead go straight to the session that comes out of it.
    const Bytes front = wire.first(std::min(wire.size(), kLookAhead - start_.size()));
    append(start_, front);
    const v2::Guess guess = v2::guess_protocol(start_);
    if (guess == v2::Guess::Unknown) return;
    inner_ = guess == v2::Guess::V1 ? v1::make_session(context_, newest_, now)
                                    : v2::make_session(context_, newest_, now);
    newest_.reset();
    const ByteVec start = std::move(start_);
    inner_->receive(start, now);
    if (front.size() < wire.size()) inner_->receive(wire.subspan(front.size()), now);
  }
  void publish(const JobPtr& job, Instant now) override {
    if (inner_) return inner_->publish(job, now);
    newest_ = job;
  }
  void settle(const ShareOutcome& outcome, Instant now) override { inner_->settle(outcome, now); }
  void finish_turn(Instant now) override {
    if (inner_) inner_->finish_turn(now);
  }
  void policy_changed(Instant now) override {
    if (inner_) inner_->policy_changed(now);
  }
  void expire(Instant now) override {
    if (inner_) return inner_->expire(now);
    if (now >= connected_ + kFirstBytesWithin) closed_ = true;
  }
  std::optional<Instant> deadline() const override {
    if (inner_) return inner_->deadline();
    return closed_ ? std::nullopt : std::optional(connected_ + kFirstBytesWithin);
  }
  void drain(std::uint32_t wait_s, Instant now) override {
    if (inner_) inner_->drain(wait_s, now);
  }
  Outbox& outbox() override { return inner_ ? inner_->outbox() : silence_; }
  void take_events(std::vector<SessionEvent>& into) override {
    if (inner_) return inner_->take_events(into);
    if (closed_ && !told_) into.push_back(Close{"no request", false});
    told_ = closed_;
  }
  double hash_rate(Instant now) const override { return inner_ ? inner_->hash_rate(now) : 0; }
  std::string_view agent() const override { return inner_ ? inner_->agent() : std::string_view(); }

 private:
  SessionContext& context_;
  std::unique_ptr<Session> inner_;  // once known
  JobPtr newest_;
  ByteVec start_;
  Outbox silence_{0};
  Instant connected_;
  bool closed_ = false;
  bool told_ = false;
};

}  // namespace

std::unique_ptr<Session> make_auto_session(SessionContext& context, const JobPtr& newest,
                                           Instant now) {
  return std::make_unique<AutoSession>(context, newest, now);
}

}  // namespace adit
