// SPDX-License-Identifier: MIT
// MinerSession: submits and what is said about them. The hot path: nothing here allocates for an
// accepted share once the session is warm. The shares of one receive() are hashed together: see
// ShareBench.
#include <algorithm>
#include <utility>

#include "adit/base/check.h"
#include "stratum/names.h"
#include "stratum/v2/session.h"
#include "stratum/v2/tlv.h"

namespace adit::v2 {
namespace {

constexpr std::uint8_t kUserIdentity = 0x01;  // the field of extension 0x0002
/// Names one channel may bring before the oldest are forgotten.
constexpr std::size_t kNames = 64;
constexpr std::size_t kIdentityMax = 32;  // of extension 0x0002

/// What a proxy may forward as the name of a device, whatever its alphabet.
bool is_plain_text(std::string_view name) {
  return name.size() <= kIdentityMax && std::ranges::none_of(name, [](char c) {
           return static_cast<unsigned char>(c) < ' ' || c == 0x7f;
         });
}

struct Refusal {
  std::string_view code;
  std::uint32_t points;
};

/// The codes are those of the reference implementation; peers act on them.
Refusal refusal_of(RejectReason reason, bool rolling_allowed) {
  switch (reason) {
    case RejectReason::UnknownJob:
      return {"invalid-job-id", 1};
    case RejectReason::StaleJob:
      return {"stale-share", 0};
    case RejectReason::NtimeOutOfRange:
      return {"invalid-share", 1};
    case RejectReason::VersionNotAllowed:
    case RejectReason::VersionMissing:
      if (rolling_allowed) return {"invalid-non-rollable-version-bit", 2};
      return {"version-rolling-not-allowed", 2};
    case RejectReason::BadExtranonceSize:
      return {"bad-extranonce-size", 2};
    case RejectReason::LowDifficulty:
      return {"difficulty-too-low", 1};
    case RejectReason::Duplicate:
      return {"duplicate-share", 1};
    case RejectReason::Unauthorised:
      return {"invalid-share", 5};
    case RejectReason::StorageFull:
      return {"storage-full", 0};
    case RejectReason::TooFast:
      return {"too-fast", 1};
  }
  UNREACHABLE();
}

}  // namespace

void MinerSession::on_submit_standard(Bytes payload, Instant now) {
  const auto m = decode<SubmitSharesStandard>(payload);
  if (!m) return refuse_submit("malformed SubmitSharesStandard", now);
  MiningChannel* channel = find(m->channel_id);
  if (channel == nullptr || !channel->standard)
    return refuse_channel(m->channel_id, m->sequence_number, channel == nullptr ? 1 : 5, now);
  seat(*channel, {m->channel_id, m->sequence_number, m->job_id, m->nonce, m->ntime, m->version, {}},
       channel->worker, now);
}

void MinerSession::on_submit_extended(Bytes payload, Instant now) {
  Bytes tlvs;
  const auto m = decode<SubmitSharesExtended>(payload, &tlvs);
  if (!m) return refuse_submit("malformed SubmitSharesExtended", now);
  MiningChannel* channel = find(m->channel_id);
  if (channel == nullptr || channel->standard)
    return refuse_channel(m->channel_id, m->sequence_number, channel == nullptr ? 1 : 5, now);
  seat(*channel,
       {m->channel_id, m->sequence_number, m->job_id, m->nonce, m->ntime, m->version,
        m->extranonce.bytes},
       names_negotiated_ ? named_worker(*channel, tlvs) : channel->worker, now);
}

/// The worker that a share names; the channel's own when it names none, or one in letters that no
/// label of ours has; absent when the name is unusable.
std::optional<WorkerIndex> MinerSession::named_worker(MiningChannel& channel, Bytes tlvs) {
  Bytes value;
  switch (find_tlv(tlvs, kWorkerHashrate, kUserIdentity, value)) {
    case TlvSearch::Malformed:
      return std::nullopt;
    case TlvSearch::Absent:
      return channel.worker;
    case TlvSearch::Found:
      break;
  }
  if (value.empty()) return channel.worker;
  const std::string_view name = text_of(value);
  for (const auto& [known, worker] : channel.names)
    if (known == name) return worker;
  if (!is_worker_label(name))
    return is_plain_text(name) ? std::optional(channel.worker) : std::nullopt;
  if (channel.names.size() == kNames) {
    context_.workers->release(channel.names.front().second);
    channel.names.erase(channel.names.begin());
  }
  const std::string account = context_.workers->at(channel.worker).account;
  const WorkerIndex worker = context_.workers->acquire(account, name, last_seen_);
  channel.names.emplace_back(name, worker);
  return worker;
}

/// A share takes a seat on the bench, where it waits for company until the bytes of this receive()
/// end, the bench is full, or something comes that is no share.
void MinerSession::seat(MiningChannel& channel, const Submission& submit,
                        std::optional<WorkerIndex> worker, Instant now) {
  const WireJob* job = channel.find(submit.job_id);
  if (job == nullptr) {
    judge_bench(now);
    if (phase_ == Phase::Closed) return;
    const Refusal refusal = refusal_of(RejectReason::UnknownJob, true);
    events_.push_back(ShareRejected{RejectReason::UnknownJob});
    return refuse_share(submit.channel_id, submit.sequence, refusal.code, refusal.points, now);
  }
  ShareSubmission share;
  share.job = job->issued;
  share.rolled = submit.rolled;
  share.ntime = submit.ntime;
  share.nonce = submit.nonce;
  share.version = submit.version;
  share.earliest = job->min_ntime;
  share.authorised = worker.has_value();
  ShareBench& bench = shared_.bench;
  bench.askers[bench.taken] = {&channel, submit.sequence, worker};
  channel.channel.draft(share, bench.drafts[bench.taken++]);
  if (bench.taken == ShareBench::kSeats) judge_bench(now);
}

void MinerSession::judge_bench(Instant now) {
  ShareBench& bench = shared_.bench;
  const std::size_t taken = std::exchange(bench.taken, 0);
  if (taken == 0) return;
  const auto drafts = std::span(bench.drafts).first(taken);
  hash_shares(drafts);
  for (const ShareDraft& draft : drafts) context_.seen->prefetch(draft.verdict.hash);
  events_.reserve(events_.size() + taken);
  for (std::size_t i = 0; i < taken; ++i) {
    const ShareBench::Asker& asker = bench.askers[i];
    // Behind what closed the session nothing is answered or credited, but a block is a block.
    if (phase_ != Phase::Closed) asker.channel->channel.judge(drafts[i], now, *context_.seen);
    report_block(asker, drafts[i]);
    if (phase_ != Phase::Closed) answer_share(asker, drafts[i], now);
  }
  // Not before all are judged: a new job would move those that the drafts are of.
  for (std::size_t i = 0; i < taken; ++i) refresh_target(*bench.askers[i].channel, now);
}

void MinerSession::answer_share(const ShareBench::Asker& asker, const ShareDraft& draft,
                                Instant now) {
  const ShareVerdict& verdict = draft.verdict;
  MiningChannel& channel = *asker.channel;
  if (verdict.reject) {
    events_.push_back(ShareRejected{*verdict.reject});
    const Refusal refusal = refusal_of(*verdict.reject, channel.channel.version_mask() != 0);
    // A miner that repeats its block out of joy is not an attacker, nor is one that has not heard
    // of a harder target yet.
    const bool forgiven = verdict.is_block || (*verdict.reject == RejectReason::TooFast &&
                                               channel.channel.is_lenient(now));
    return refuse_share(channel.id, asker.sequence, refusal.code, forgiven ? 0 : refusal.points,
                        now);
  }
  const BlockTemplate& block = *verdict.job->block_template;
  events_.push_back(ShareAccepted{*asker.worker, verdict.hash, block.prev, verdict.work,
                                  verdict.difficulty, block.height, verdict.is_block});
  if (!pending_.push({channel.id, asker.sequence, verdict.work}))
    return close("too many shares wait", false);
  channel.channel.vardiff().retarget(now);
}

/// Whatever the verdict. Only a share that is known already is not told again: its first coming
/// was.
void MinerSession::report_block(const ShareBench::Asker& asker, const ShareDraft& draft) {
  const ShareVerdict& verdict = draft.verdict;
  if (!verdict.is_block || verdict.reject == RejectReason::Duplicate) return;
  const JobPtr job = asker.channel->channel.find_job(draft.share.job);
  CHECK(job != nullptr);
  events_.push_back(
      BlockFound{job, verdict.header, verdict.extranonce, verdict.hash, asker.worker});
}

/// At once, one for each bad share. What is already durable is said first, so that a miner reads
/// its shares in order.
void MinerSession::refuse_share(std::uint32_t channel_id, std::uint32_t sequence,
                                std::string_view code, std::uint32_t points, Instant now) {
  if (MiningChannel* channel = find(channel_id)) acknowledge(*channel);
  send(SubmitSharesError{channel_id, sequence, code});
  strike(points, now);
}

/// What came whole before it still counts.
void MinerSession::refuse_submit(std::string reason, Instant now) {
  judge_bench(now);
  close(std::move(reason), false);
}

/// A share for no channel, or for one of the other kind.
void MinerSession::refuse_channel(std::uint32_t channel_id, std::uint32_t sequence,
                                  std::uint32_t points, Instant now) {
  judge_bench(now);
  refuse_share(channel_id, sequence, "invalid-channel-id", points, now);
}

void MinerSession::settle(const ShareOutcome& outcome, Instant now) {
  const PendingShare share = pending_.pop();
  if (outcome.refused) {
    const Refusal refusal = refusal_of(*outcome.refused, true);
    // The thread remembers only the latest hashes: a repetition costs what it would have cost here.
    const std::uint32_t points = *outcome.refused == RejectReason::Duplicate ? refusal.points : 0;
    return refuse_share(share.channel_id, share.sequence, refusal.code, points, now);
  }
  MiningChannel* channel = find(share.channel_id);
  if (channel == nullptr) return;  // closed meanwhile
  Acknowledgement& ack = channel->acknowledgement;
  ack.last_sequence = share.sequence;
  ++ack.count;
  ack.work += share.work;
  unacknowledged_ = true;
}

/// One commit settles many shares; they are acknowledged together.
void MinerSession::finish_turn(Instant) {
  if (!unacknowledged_) return;
  unacknowledged_ = false;
  for (MiningChannel& channel : channels_) acknowledge(channel);
}

void MinerSession::acknowledge(MiningChannel& channel) {
  Acknowledgement& ack = channel.acknowledgement;
  if (ack.count == 0) return;
  const std::uint64_t sum = take_difficulty(ack.work);
  send(SubmitSharesSuccess{channel.id, ack.last_sequence, ack.count, sum});
  ack.count = 0;
}

}  // namespace adit::v2
