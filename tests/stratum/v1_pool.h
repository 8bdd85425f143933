// SPDX-License-Identifier: MIT
// TestPool: what a worker thread gives to its V1 sessions, made by hand; and Connection: one
// session with what it said, cut into lines. Used by the unit tests, the transcripts and the
// corpus.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "adit/bitcoin/address.h"
#include "adit/stratum/v1.h"

namespace adit::test {

inline constexpr std::string_view kAlice = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
inline constexpr std::string_view kBob =
    "bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry";

inline Instant at(double seconds) {
  return Instant{} + std::chrono::hours(1) +
         std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

struct TestPool {
  static constexpr std::uint32_t kCurtime = 1'700'000'000;

  SessionContext context;
  ExtranonceAllocator prefixes{{1, 2, 3}};
  RecentHashes seen;
  WorkerTable workers;
  std::uint32_t numbers = 0, tips = 0;
  CompactTarget bits{0x1d00ffff};
  JobPtr job;
  bool promises = false;  ///< jobs carry the empty block after them (Job::next)

  TestPool() {
    context.policy.vardiff.start = *Difficulty::parse("1e-6");
    context.policy.vardiff.minimum = *Difficulty::parse("1e-9");
    context.network = Network::Regtest;
    context.boot_epoch = 0xadd1;
    context.prefixes = &prefixes;
    context.seen = &seen;
    context.workers = &workers;
  }
  TestPool(const TestPool&) = delete;

  /// The next job of the current tip.
  const JobPtr& next_job() { return make(false, 3); }
  /// The first job of a new tip.
  const JobPtr& next_tip() {
    ++tips;
    return make(true, 3);
  }
  /// The same with no transactions but the coinbase: what an earlier job's `next` promised.
  const JobPtr& next_empty_tip() {
    ++tips;
    return make(true, 0);
  }

 private:
  const JobPtr& make(bool clean, std::uint32_t transactions) {
    auto block = std::make_shared<BlockTemplate>();
    block->network = Network::Regtest;
    block->height = 100 + tips;
    for (std::size_t i = 0; i < 32; ++i)
      block->prev.bytes[i] = static_cast<std::uint8_t>(i < 28 ? tips * 7 + i * 3 : 0);
    block->version = 0x20000000;
    block->bits = bits;
    block->target = *Target::from_compact(bits);
    block->curtime = kCurtime;
    block->mintime = kCurtime - 600;
    block->coinbase_value = block_subsidy(Network::Regtest, block->height);
    block->received = at(0);
    for (std::uint32_t i = 0; i < transactions; ++i) {
      TemplateTransaction transaction;
      transaction.data = {static_cast<std::uint8_t>(i), 0xaa, static_cast<std::uint8_t>(numbers)};
      transaction.txid.bytes[0] = static_cast<std::uint8_t>(i + 1);
      transaction.weight = 400;
      block->transactions.push_back(transaction);
    }
    const auto pay = parse_address(kBob, Network::Regtest);
    JobOptions options;
    options.coinbase_tag = "/test/";
    options.outputs = {{block->coinbase_value, pay->script}};
    if (promises)
      options.next_outputs = {{block_subsidy(Network::Regtest, block->height + 1), pay->script}};
    ++numbers;
    auto made = make_job(JobNumber(numbers), TipNumber(tips), clean, block, options);
    ADIT_CHECK(made.ok());
    job = *made;
    prefixes.tip_changed(TipNumber(tips));
    return job;
  }
};

inline void replace(std::string& text, std::string_view what, const std::string& with) {
  for (std::size_t at; (at = text.find(what)) != std::string::npos;)
    text.replace(at, what.size(), with);
}

/// `*` in the pattern is any text.
inline bool matches(std::string_view pattern, std::string_view text) {
  const std::size_t star = pattern.find('*');
  if (star == pattern.npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  pattern.remove_prefix(star + 1);
  text.remove_prefix(star);
  if (pattern.empty()) return true;
  for (; !text.empty(); text.remove_prefix(1))
    if (matches(pattern, text)) return true;
  return false;
}

/// One session and its owner's chores: events are drained and the outbox is flushed after each
/// call.
class Connection {
 public:
  explicit Connection(TestPool& pool, Instant now = at(0), const ChannelPolicy* port = nullptr)
      : session_(v1::make_session(pool.context, pool.job, now, port)) {}

  void send(std::string_view text, Instant now = at(0)) {
    session_->receive(bytes_of(text), now);
    flush();
  }
  void line(std::string_view text, Instant now = at(0)) { send(std::string(text) + "\n", now); }
  void publish(const JobPtr& job, Instant now = at(0)) {
    session_->publish(job, now);
    flush();
  }
  void expire(Instant now) {
    session_->expire(now);
    flush();
  }
  /// The disk has the oldest waiting share (or refuses it).
  void settle(std::optional<RejectReason> refused = std::nullopt, Instant now = at(0)) {
    ADIT_CHECK(unsettled_ > 0);
    --unsettled_;
    session_->settle({refused, ++sequence_}, now);
    flush();
  }
  void settle_all() {
    while (unsettled_ > 0) settle();
  }
  std::size_t unsettled() const { return unsettled_; }

  /// What the session said since the last call, without LFs.
  std::vector<std::string> take() {
    std::vector<std::string> lines;
    std::size_t start = 0;
    for (std::size_t end; (end = said_.find('\n', start)) != std::string::npos; start = end + 1)
      lines.push_back(said_.substr(start, end - start));
    said_.erase(0, start);
    return lines;
  }
  /// Sends one line and returns the first line of the answer, or "".
  std::string ask(std::string_view text, Instant now = at(0)) {
    take();
    line(text, now);
    const auto lines = take();
    return lines.empty() ? std::string() : lines[0];
  }

  bool closed() const { return close_.has_value(); }
  const std::optional<Close>& close() const { return close_; }
  const std::vector<SessionEvent>& events() const { return events_; }
  template <class Event>
  std::size_t count() const {
    std::size_t n = 0;
    for (const SessionEvent& event : events_) n += std::holds_alternative<Event>(event) ? 1 : 0;
    return n;
  }
  Session& session() { return *session_; }
  std::size_t writes() const { return writes_; }

 private:
  void flush() {
    const std::size_t before = events_.size();
    session_->take_events(events_);
    for (std::size_t i = before; i < events_.size(); ++i) {
      if (std::holds_alternative<ShareAccepted>(events_[i])) ++unsettled_;
      if (const auto* close = std::get_if<Close>(&events_[i])) close_ = *close;
    }
    if (!session_->outbox().empty()) ++writes_;
    std::array<Bytes, 4> parts;
    while (const std::size_t n = session_->outbox().gather(parts)) {
      std::size_t size = 0;
      for (std::size_t i = 0; i < n; ++i) {
        said_ += text_of(parts[i]);
        size += parts[i].size();
      }
      session_->outbox().consume(size);
    }
  }

  std::unique_ptr<Session> session_;
  std::string said_;
  std::vector<SessionEvent> events_;
  std::optional<Close> close_;
  std::size_t unsettled_ = 0;
  std::uint64_t sequence_ = 0;
  std::size_t writes_ = 0;
};

}  // namespace adit::test
