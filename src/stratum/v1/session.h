// SPDX-License-Identifier: MIT
// MinerSession: one V1 connection. Requests come in as lines, replies leave in their order, and
// what the pool says by itself (difficulty, jobs) follows the replies of the same receive(). V1 is
// one Channel; this class translates. Thread: its worker's.
//
//   session.cpp         receiving, replying, jobs, deadlines
//   session_hello.cpp   configure, subscribe, authorize
//   session_wishes.cpp  suggest_difficulty, suggest_target, and the small methods
//   session_submit.cpp  submit and settle
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "adit/stratum/session.h"
#include "stratum/strikes.h"
#include "stratum/v1/decode.h"
#include "stratum/v1/encode.h"
#include "stratum/v1/framer.h"
#include "stratum/v1/reply_queue.h"
#include "stratum/v1/submit_line.h"
#include "stratum/v1/thread_state.h"
#include "stratum/v1/wishes.h"

namespace adit::v1 {

inline constexpr std::size_t kOutboxCap = 64 * 1024;
inline constexpr std::size_t kWorkersMax = 32;
inline constexpr Duration kFirstRequestWithin = std::chrono::seconds(10);
inline constexpr Duration kAuthoriseWithin = std::chrono::seconds(30);
inline constexpr Duration kJobWithin = std::chrono::seconds(60);  ///< of ours, once authorised
inline constexpr Duration kLineWithin = std::chrono::seconds(60);
inline constexpr Duration kWishEvery = std::chrono::seconds(10);

class MinerSession final : public Session {
 public:
  /// `context` with its `v1` set outlives the session, and so does `policy`.
  MinerSession(SessionContext& context, const ChannelPolicy& policy, const JobPtr& newest,
               Instant now);
  ~MinerSession() override;
  MinerSession(const MinerSession&) = delete;
  MinerSession& operator=(const MinerSession&) = delete;

  void receive(Bytes wire, Instant now) override;
  void publish(const JobPtr& job, Instant now) override;
  void settle(const ShareOutcome& outcome, Instant now) override;
  void policy_changed(Instant now) override;
  void expire(Instant now) override;
  std::optional<Instant> deadline() const override;
  void drain(std::uint32_t wait_s, Instant now) override;
  Outbox& outbox() override { return outbox_; }
  void take_events(std::vector<SessionEvent>& into) override;
  double hash_rate(Instant now) const override;
  std::string_view agent() const override { return agent_; }
  /// Points for wrong input in the current window.
  std::uint32_t strike_points() const { return strikes_.points(); }

 private:
  void on_line(std::string_view line, Instant now);
  void on_malformed(Decoded what, const Request& request, Instant now);
  void on_request(const Request& request, Instant now);
  void on_configure(const Request& request, Instant now);
  void on_subscribe(const Request& request, Instant now);
  void on_authorize(const Request& request, Instant now);
  void on_suggest(const Request& request, Instant now);
  void on_multi_version(const Request& request, Instant now);
  void on_get_transactions(const Request& request, Instant now);
  void on_submit(const Request& request, Instant now);

  void configure_rolling(const simdjson::dom::element* options, std::string& result);
  void set_version_mask(std::uint32_t mask);
  bool configure_minimum(const simdjson::dom::element* options, Instant now);
  bool choose_size(const Request& request, Instant now);
  bool open_channel(Instant now);
  void follow_extranonce();
  bool move_extranonce();
  void refresh_extranonce(Instant now);
  std::optional<ExtranoncePrefix> new_prefix() const;
  bool may_wish(Instant now);
  PasswordWishes new_wishes(PasswordWishes wishes) const;
  void begin_difficulty(const PasswordWishes& wishes, Instant now);
  std::optional<WorkerIndex> authorised(std::string_view name) const;

  void submit(std::string_view id, const SubmitParams& params, Instant now);
  std::optional<FormFault> read_submission(const SubmitParams& params, ShareSubmission& share,
                                           Extranonce& rolled) const;
  void judge_bench(Instant now);
  void report_block(const ShareDraft& draft, std::optional<WorkerIndex> worker);
  void answer_share(const ShareDraft& draft, const ShareBench::Asker& asker, Instant now);
  void reject_share(std::string_view id, const ShareDraft& draft, Instant now);
  void refuse_share(std::string_view id, Refusal refusal, const ShareDraft& draft, Instant now);

  void reply(std::string_view line);
  void reply_result(const Request& request, std::string_view result);
  void refuse(std::string_view id, const Refusal& refusal, Instant now,
              std::string_view result = "null");
  void refuse(const Request& request, const Refusal& refusal, Instant now,
              std::string_view result = "null") {
    refuse(request.id, refusal, now, result);
  }
  void strike(std::uint32_t points, Instant now);
  void close(std::string reason, bool flush);

  bool ready() const { return channel_ && !workers_.empty(); }
  bool waits_for_work() const { return ready() && !started_; }
  JobPtr own(const JobPtr& job) const;
  void start_work(Instant now);
  void refresh_difficulty(Instant now);
  void issue_again(bool clean, Instant now);
  void send_difficulty();
  void send_job(IssuedJobId id, const JobPtr& job, bool clean, std::uint32_t ntime);

  SessionContext& context_;
  const ChannelPolicy& policy_;  // of the port
  LineFramer framer_;
  Outbox outbox_{kOutboxCap};
  ReplyQueue replies_;
  std::vector<SessionEvent> events_;
  std::vector<WorkerIndex> workers_;  // authorised here, in order
  std::optional<Channel> channel_;    // from subscribe on
  JobPtr newest_;                     // until work has started
  std::string agent_;
  std::optional<Difficulty> wish_;     // the last suggestion
  std::optional<Difficulty> minimum_;  // by configure or md=
  std::optional<Difficulty> resumed_;  // of the session that was named at subscribe
  Difficulty sent_;                    // what the miner was told last
  // Replies that a new difficulty, or a new extranonce1, still has to wait for.
  std::optional<std::size_t> held_for_, move_held_for_;
  std::uint64_t coinbase_weight_ = 0;  // the size of its jobs, from subscribe on
  std::uint32_t version_mask_ = 0;     // as negotiated, for the channel to come
  std::uint32_t sent_ntime_ = 0;       // of the last job
  std::uint16_t issue_salt_ = 0;       // of the channel's first prefix
  Instant connected_;
  Instant last_seen_;
  Instant partial_since_{};
  std::optional<Instant> ready_since_;
  std::optional<Instant> wished_;  // since authorised
  Strikes strikes_;
  Pace empty_lines_, answers_, requests_;
  bool greeted_ = false;  // a well-formed request has come
  bool started_ = false;  // jobs are being sent
  bool fixed_ = false;    // fd= rules
  bool follows_ = false;  // mining.set_extranonce, as it asked to
  bool closed_ = false;
};

}  // namespace adit::v1
