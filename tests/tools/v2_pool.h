// SPDX-License-Identifier: MIT
// V2Pool: what a worker thread gives to its V2 sessions, made by hand; and V2Wire: one session and
// one V2Talk joined, with all that was said.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "adit/bitcoin/address.h"
#include "adit/stratum/v2.h"
#include "v2_client/v2_talk.h"

namespace adit::test {

inline constexpr UnixSeconds kCertified{1'800'000'000};

/// Not random at all, and the same in every run.
inline FillRandom counting_bytes() {
  return [next = std::uint8_t{1}](MutableBytes out) mutable {
    for (std::uint8_t& byte : out) byte = next += 5;
  };
}

class V2Pool {
 public:
  explicit V2Pool(std::string_view difficulty = "1e-6")
      : keeper(
            v2::IdentityKeeper::self_issued(SecretKey::generate(random), 1, kCertified, random)) {
    context.policy.vardiff.minimum = *Difficulty::parse("1e-9");
    context.policy.vardiff.start = *Difficulty::parse(difficulty);
    context.network = Network::Regtest;
    context.prefixes = &prefixes_;
    context.seen = &seen_;
    context.workers = &workers_;
    context.v2 = &state;
    state.policy = context.policy;
    state.identity = keeper.identity();
    state.random = random;
  }
  V2Pool(const V2Pool&) = delete;

  /// The empty first job of a new tip, as it was promised; and the full one after it.
  const JobPtr& new_tip() {
    ++tips_;
    return make(true);
  }
  const JobPtr& refresh() { return make(false); }

  FillRandom random = counting_bytes();
  v2::IdentityKeeper keeper;
  v2::ThreadState state;
  SessionContext context;
  JobPtr job;

 private:
  const JobPtr& make(bool empty) {
    auto block = std::make_shared<BlockTemplate>();
    block->network = Network::Regtest;
    block->height = 100 + tips_;
    block->prev.bytes[0] = static_cast<std::uint8_t>(tips_);
    block->version = 0x20000000;
    block->bits = CompactTarget(0x1d00ffff);
    block->target = *Target::from_compact(block->bits);
    block->curtime = 1'700'000'000 + tips_;
    block->mintime = block->curtime - 600;
    block->coinbase_value = Satoshi(50 * kCoin);
    for (std::uint32_t i = 0; !empty && i < 3; ++i) {
      TemplateTransaction transaction;
      transaction.data = {static_cast<std::uint8_t>(i), 0xaa};
      transaction.txid.bytes[0] = static_cast<std::uint8_t>(i + 1);
      transaction.weight = 400;
      block->transactions.push_back(transaction);
    }
    const auto pay =
        parse_address("bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", Network::Regtest);
    JobOptions options;
    options.outputs = {{block->coinbase_value, pay->script}};
    options.next_outputs = options.outputs;
    auto made = make_job(JobNumber(++numbers_), TipNumber(tips_), empty, block, options);
    ADIT_CHECK(made.ok());
    prefixes_.tip_changed(TipNumber(tips_));
    return job = *made;
  }

  ExtranonceAllocator prefixes_{{1, 2, 3}};
  RecentHashes seen_;
  WorkerTable workers_;
  std::uint32_t numbers_ = 0, tips_ = 0;
};

/// Every call ends when neither side has more to say. Bytes cross in pieces of `piece`.
class V2Wire {
 public:
  static client::Login login(double hash_rate = 0) {
    return {.user = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080.rig", .hash_rate = hash_rate};
  }

  V2Wire(V2Pool& pool, const client::Login& login, const client::V2Options& options,
         std::size_t piece = 4096)
      : session_(v2::make_session(pool.context, pool.job, {})),
        talk(login, options, EllSwiftKey::generate(pool.random),
             client::V2Talk::Scratch{payload_, wire_}),
        piece_(piece) {
    talk.begin(out_);
    settle_down();
  }

  void publish(const JobPtr& job) {
    session_->publish(job, now);
    settle_down();
  }
  void expire(Instant at) {
    now = at;
    session_->expire(now);
    settle_down();
  }
  /// The server hears it at once.
  std::uint64_t submit(const client::MinerWork& work, Bytes extranonce2, std::uint32_t nonce,
                       std::uint32_t version_bits = 0) {
    const auto id = talk.append_submit(out_, work, extranonce2, nonce, version_bits);
    settle_down();
    return id;
  }
  /// The disk has all shares that wait for it.
  void settle_all() {
    for (; unsettled > 0; --unsettled) session_->settle({std::nullopt, ++sequence_}, now);
    session_->finish_turn(now);
    settle_down();
  }
  /// What the client heard since the last call.
  std::vector<client::Event> take() { return std::exchange(heard_, {}); }
  std::size_t count(client::Heard what) const {
    return static_cast<std::size_t>(
        std::count_if(heard_.begin(), heard_.end(), [&](const auto& e) { return e.what == what; }));
  }
  bool closed() const { return closed_; }

 private:
  std::vector<std::uint8_t> payload_, wire_;
  std::unique_ptr<Session> session_;

 public:
  client::V2Talk talk;
  Instant now{};
  std::size_t unsettled = 0;
  std::vector<SessionEvent> events;

 private:
  void settle_down() {
    do {
      const std::string said = std::exchange(out_, {});
      if (!said.empty()) session_->receive(bytes_of(said), now);
      read_server();
    } while (!out_.empty());
  }
  void read_server() {
    const std::size_t before = events.size();
    session_->take_events(events);
    for (std::size_t i = before; i < events.size(); ++i) {
      if (std::holds_alternative<ShareAccepted>(events[i])) ++unsettled;
      if (std::holds_alternative<Close>(events[i])) closed_ = true;
    }
    ByteVec all;
    std::array<Bytes, 4> parts;
    while (const std::size_t n = session_->outbox().gather(parts)) {
      std::size_t size = 0;
      for (std::size_t i = 0; i < n; ++i) {
        append(all, parts[i]);
        size += parts[i].size();
      }
      session_->outbox().consume(size);
    }
    for (std::size_t at = 0; at < all.size(); at += piece_) {
      Bytes wire = Bytes(all).subspan(at, std::min(piece_, all.size() - at));
      while (auto event = talk.hear(wire, kCertified, out_)) heard_.push_back(std::move(*event));
      ADIT_CHECK(wire.empty());
    }
  }

  std::size_t piece_;
  std::string out_;
  std::vector<client::Event> heard_;
  std::uint64_t sequence_ = 0;
  bool closed_ = false;
};

}  // namespace adit::test
