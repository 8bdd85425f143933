// SPDX-License-Identifier: MIT
// MinerSession: one Stratum V2 connection, from the first key byte to the last share. Frames come
// in, events and frames go out. Thread: its worker's.
//
//   session.cpp           handshake, frames, sending, deadlines
//   session_setup.cpp     SetupConnection, extensions
//   session_channels.cpp  opening, updating, closing channels
//   session_jobs.cpp      jobs, previous hashes, targets
//   session_shares.cpp    submits, acknowledgements
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adit/stratum/v2.h"
#include "adit/stratum/v2/codec.h"
#include "adit/stratum/v2/frame_cipher.h"
#include "stratum/strikes.h"
#include "stratum/v2/mining_channel.h"
#include "stratum/v2/pending_shares.h"

namespace adit::v2 {

inline constexpr std::size_t kOutboxCap = 256 * 1024;
inline constexpr Duration kHandshakeWithin = std::chrono::seconds(10);
inline constexpr Duration kSetupWithin = std::chrono::seconds(10);
inline constexpr Duration kChannelWithin = std::chrono::seconds(30);
inline constexpr Duration kIdleWithin = std::chrono::minutes(5);  ///< after the last channel closed
inline constexpr Duration kJobWithin = std::chrono::seconds(60);  ///< of ours, with a channel open
inline constexpr Duration kFrameWithin = std::chrono::seconds(60);

class MinerSession final : public Session {
 public:
  MinerSession(SessionContext& context, const JobPtr& newest, Instant now);
  ~MinerSession() override;
  MinerSession(const MinerSession&) = delete;
  MinerSession& operator=(const MinerSession&) = delete;

  void receive(Bytes wire, Instant now) override;
  void publish(const JobPtr& job, Instant now) override;
  void settle(const ShareOutcome& outcome, Instant now) override;
  void finish_turn(Instant now) override;
  void policy_changed(Instant now) override;
  void expire(Instant now) override;
  std::optional<Instant> deadline() const override;
  void drain(std::uint32_t wait_s, Instant now) override;
  Outbox& outbox() override { return outbox_; }
  void take_events(std::vector<SessionEvent>& into) override;
  double hash_rate(Instant now) const override;
  std::string_view agent() const override { return agent_; }

 private:
  enum class Phase : std::uint8_t { Handshake, Setup, Mining, Closed };

  void shake_hands(Bytes& wire, Instant now);
  void hint_at_v1(Instant now);
  void read_frames(Bytes wire, Instant now);
  bool acceptable(const FrameHeader& header) const;
  void on_frame(const FrameHeader& header, Bytes payload, Instant now);
  void on_mining_frame(std::uint8_t type, Bytes payload, Instant now);
  void on_setup(Bytes payload, Instant now);
  void on_request_extensions(Bytes payload, Instant now);
  void on_open_standard(Bytes payload, Instant now);
  void on_open_extended(Bytes payload, Instant now);
  void on_update(Bytes payload, Instant now);
  void on_close_channel(Bytes payload, Instant now);
  void on_custom_job(Bytes payload, Instant now);
  void on_submit_standard(Bytes payload, Instant now);
  void on_submit_extended(Bytes payload, Instant now);

  struct Opening {
    std::uint32_t request_id;
    std::string_view user_identity;
    float hash_rate;
    Target max_target;
    bool standard;
    std::uint16_t min_extranonce_size;
  };
  MiningChannel* open(const Opening& wish, Instant now);
  void refuse_setup(std::uint32_t flags, std::string_view code);
  void refuse_opening(std::uint32_t request_id, std::string_view code, std::uint32_t points,
                      Instant now);
  void retire(MiningChannel& channel);
  MiningChannel* find(std::uint32_t channel_id);
  bool use_group() const;
  bool waits_for_work() const { return !newest_ && !channels_.empty(); }

  JobPtr own(const JobPtr& job) const;
  void begin_work(MiningChannel& channel, Instant now);
  void change_tip(const JobPtr& job, Instant now);
  void send_update(const JobPtr& job, Instant now);
  void promise_next();
  void promise(MiningChannel& joined);
  void promise_all();
  bool all_share_future() const;
  void refresh_target(MiningChannel& channel, Instant now);
  void send_again(MiningChannel& channel, Instant now);
  void send_target(MiningChannel& channel);
  void send_job(const MiningChannel& channel, std::uint32_t address, std::uint32_t job_id,
                const Job& job, std::optional<std::uint32_t> min_ntime);
  void send_promised(const MiningChannel& channel, std::uint32_t address, std::uint32_t job_id);
  void send_prev_hash(std::uint32_t address, std::uint32_t job_id, const Job& job);

  struct Submission {
    std::uint32_t channel_id, sequence, job_id, nonce, ntime, version;
    Bytes rolled;
  };
  void seat(MiningChannel& channel, const Submission& submit, std::optional<WorkerIndex> worker,
            Instant now);
  void judge_bench(Instant now);
  void answer_share(const ShareBench::Asker& asker, const ShareDraft& draft, Instant now);
  std::optional<WorkerIndex> named_worker(MiningChannel& channel, Bytes tlvs);
  void report_block(const ShareBench::Asker& asker, const ShareDraft& draft);
  void refuse_submit(std::string reason, Instant now);
  void refuse_channel(std::uint32_t channel_id, std::uint32_t sequence, std::uint32_t points,
                      Instant now);
  void refuse_share(std::uint32_t channel_id, std::uint32_t sequence, std::string_view code,
                    std::uint32_t points, Instant now);
  void acknowledge(MiningChannel& channel);

  template <class Message>
  void send(const Message& message);
  void strike(std::uint32_t points, Instant now);
  void close(std::string reason, bool flush);

  SessionContext& context_;
  ThreadState& shared_;
  Outbox outbox_{kOutboxCap};
  std::vector<SessionEvent> events_;
  ByteVec hello_;  // the first 64 bytes, until they are complete
  std::optional<FrameReader> reader_;
  std::optional<CipherState> cipher_;  // of what is sent
  std::vector<MiningChannel> channels_;
  PendingShares pending_;
  JobPtr newest_;
  std::shared_ptr<const NextWork> promised_;  // what the channels' `future` ids stand for
  std::string agent_;
  std::string account_;  // with own_jobs: the first channel's, and the only one
  Instant since_;        // the phase began, or the last channel closed
  Instant opened_{};     // the first channel
  Instant last_seen_;
  Instant partial_since_{};
  std::optional<Instant> promise_at_;
  Strikes strikes_;
  Pace unknown_;
  std::uint32_t flags_ = 0;
  std::uint32_t group_id_ = 0;
  std::uint32_t last_id_ = 0;      // of channels and the group
  std::uint32_t last_job_id_ = 0;  // one space for the whole connection
  Phase phase_ = Phase::Handshake;
  bool partial_ = false;
  bool had_channel_ = false;
  bool names_negotiated_ = false;
  bool unacknowledged_ = false;
};

template <class Message>
void MinerSession::send(const Message& message) {
  if (phase_ == Phase::Closed) return;
  constexpr MessageId id = Message::kId;
  encode(message, shared_.payload);
  shared_.wire.clear();
  const auto extension = static_cast<std::uint16_t>(id.extension | (id.channel ? kChannelBit : 0));
  if (!seal_frame(*cipher_, extension, id.type, shared_.payload, shared_.wire))
    return close("the cipher's nonces are used up", false);
  outbox_.append(text_of(shared_.wire));
  if (outbox_.overflowed()) close("reads too slowly", false);
}

}  // namespace adit::v2
