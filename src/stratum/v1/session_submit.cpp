// SPDX-License-Identifier: MIT
// MinerSession: submit and settle. This is the hot path: nothing here allocates for an accepted
// share once the session is warm. The shares of one receive() are hashed together: see ShareBench.
#include <algorithm>

#include "adit/base/check.h"
#include "stratum/names.h"
#include "stratum/v1/session.h"

namespace adit::v1 {

namespace {

namespace dom = simdjson::dom;

constexpr Refusal kNotHex{Code::Other, "not hex", 10};
constexpr std::size_t kLongField = 64;

/// A string parameter, or a view without data.
std::string_view text_of(const dom::element& element) {
  std::string_view text;
  if (element.get_string().get(text) != simdjson::SUCCESS) return {};
  return text;
}

/// Eight hex digits; else why not.
std::optional<Refusal> read_word(std::string_view text, std::string_view size_text,
                                 std::uint32_t& word) {
  if (text.size() != 8) return Refusal{Code::Other, size_text, 2};
  const auto value = hex_u32(text);
  if (!value) return kNotHex;
  word = *value;
  return std::nullopt;
}

SubmitParams read_params(const dom::array& array) {
  SubmitParams params;
  for (const dom::element element : array) {
    if (params.count < params.text.size()) params.text[params.count] = text_of(element);
    ++params.count;
  }
  return params;
}

}  // namespace

std::optional<WorkerIndex> MinerSession::authorised(std::string_view name) const {
  if (name.data() == nullptr) return std::nullopt;
  const auto known = [&](std::string_view spelt) -> std::optional<WorkerIndex> {
    for (const WorkerIndex index : workers_) {
      const WorkerEntry& worker = context_.workers->at(index);
      const bool is_default = worker.account == context_.default_account;
      if (spells(spelt, worker.account, worker.name) || (is_default && spelt == worker.name))
        return index;
    }
    return std::nullopt;
  };
  if (const auto index = known(name)) return index;
  const std::string_view before_wish = name_before_wish(name);
  if (before_wish.size() != name.size())
    if (const auto index = known(before_wish)) return index;
  // Another spelling: upper-case bech32, percent escapes, a lone dot at the end.
  const auto parsed = parse_worker_name(before_wish, context_.network, context_.default_account);
  if (!parsed) return std::nullopt;
  for (const WorkerIndex index : workers_) {
    const WorkerEntry& worker = context_.workers->at(index);
    if (worker.account == parsed->account && worker.name == parsed->worker) return index;
  }
  return std::nullopt;
}

/// Reads the parameters into `share` and the bytes behind its view, in the order in which faults
/// are told. A fault does not end the reading: where the header is known it may be a block's.
std::optional<FormFault> MinerSession::read_submission(const SubmitParams& params,
                                                       ShareSubmission& share,
                                                       Extranonce& rolled) const {
  std::optional<FormFault> fault;
  const auto note = [&](const Refusal& refusal, RejectReason rank) {
    if (!fault) fault = {refusal, rank};
  };
  const auto& text = params.text;
  if (params.count > text.size()) note({Code::Other, "too many params", 5}, {});
  if (text[1].data() == nullptr) note({Code::Other, "job id is not a string", 2}, {});
  if (const auto job = parse_job_id(text[1]); !job) {
    note({Code::JobNotFound, "job not found", 2}, RejectReason::UnknownJob);
  } else if (job->epoch == context_.boot_epoch) {
    share.job = job->job;
    share.job.issue = static_cast<std::uint16_t>(share.job.issue - issue_salt_);
  }
  const auto bad_ntime = read_word(text[3], "ntime size", share.ntime);
  if (bad_ntime) note(*bad_ntime, RejectReason::NtimeOutOfRange);
  if (params.count >= text.size()) {
    const auto bits = hex_u32(text[5]);
    if (!bits) note({Code::Other, "version bits", 5}, RejectReason::VersionNotAllowed);
    share.version_bits = bits.value_or(0);
  }
  const std::size_t size = channel_->rolled_size(share.job);
  const bool sized = text[2].size() == 2 * size;
  if (!sized)
    note({Code::Other, "extranonce2 size", text[2].size() > kLongField ? 10u : 2u},
         RejectReason::BadExtranonceSize);
  const bool hex = sized && from_hex(text[2], MutableBytes(rolled).first(size));
  if (sized && !hex) note(kNotHex, RejectReason::LowDifficulty);
  const auto bad_nonce = read_word(text[4], "nonce size", share.nonce);
  if (bad_nonce) note(*bad_nonce, RejectReason::LowDifficulty);
  if (hex && !bad_ntime && !bad_nonce) share.rolled = Bytes(rolled).first(size);
  return fault;
}

/// A submit that is not as firmware writes it: it came through the JSON reader.
void MinerSession::on_submit(const Request& request, Instant now) {
  if (!channel_) return refuse(request, {Code::NotSubscribed, "not subscribed", 5}, now);
  if (workers_.empty()) return refuse(request, refusal_of(RejectReason::Unauthorised), now);
  if (request.params_kind != ParamsKind::Array)
    return refuse(request, {Code::Other, "params", 5}, now);
  const SubmitParams params = read_params(request.params);
  if (params.count < 5) return refuse(request, {Code::Other, "too few params", 5}, now);
  submit(request.id, params, now);
}

/// A share takes a seat on the bench, where it waits for company until the bytes of this receive()
/// end, the bench is full, or something comes that is no share.
void MinerSession::submit(std::string_view id, const SubmitParams& params, Instant now) {
  ShareSubmission share;
  Extranonce rolled{};
  ShareBench& bench = context_.v1->bench;
  ShareBench::Asker& asker = bench.askers[bench.taken];
  asker.id = id;
  asker.fault = read_submission(params, share, rolled);
  asker.worker = authorised(params.text[0]);
  share.authorised = asker.worker.has_value();
  channel_->draft(share, bench.drafts[bench.taken++]);
  if (bench.taken == ShareBench::kSeats) judge_bench(now);
}

void MinerSession::judge_bench(Instant now) {
  ShareBench& bench = context_.v1->bench;
  if (bench.taken == 0) return;
  const auto drafts = std::span(bench.drafts).first(bench.taken);
  hash_shares(drafts);
  for (const ShareDraft& draft : drafts) context_.seen->prefetch(draft.verdict.hash);
  events_.reserve(events_.size() + bench.taken);
  for (std::size_t i = 0; i < bench.taken; ++i) {
    ShareDraft& draft = bench.drafts[i];
    const ShareBench::Asker& asker = bench.askers[i];
    // Behind what closed the session nothing is answered or credited, but a block is a block.
    if (closed_ || asker.fault)
      draft.verdict.reject = channel_->judge_terms(draft, now);
    else
      channel_->judge(draft, now, *context_.seen);
    report_block(draft, asker.worker);
    if (!closed_) answer_share(draft, asker, now);
  }
  bench.taken = 0;
}

/// Whatever the verdict. Only a share that is known already is not told again: its first coming
/// was.
void MinerSession::report_block(const ShareDraft& draft, std::optional<WorkerIndex> worker) {
  const ShareVerdict& verdict = draft.verdict;
  if (!verdict.is_block || verdict.reject == RejectReason::Duplicate) return;
  const JobPtr job = channel_->find_job(draft.share.job);
  CHECK(job != nullptr);
  events_.push_back(BlockFound{job, verdict.header, verdict.extranonce, verdict.hash, worker});
}

void MinerSession::answer_share(const ShareDraft& draft, const ShareBench::Asker& asker,
                                Instant now) {
  const ShareVerdict& verdict = draft.verdict;
  if (asker.fault && !(verdict.reject && *verdict.reject < asker.fault->rank))
    return refuse_share(asker.id, asker.fault->refusal, draft, now);
  if (verdict.reject) return reject_share(asker.id, draft, now);
  const BlockTemplate& block = *verdict.job->block_template;
  events_.push_back(ShareAccepted{*asker.worker, verdict.hash, block.prev, verdict.work,
                                  verdict.difficulty, block.height, verdict.is_block});
  if (!replies_.wait(asker.id)) close("too many shares wait", false);
  channel_->vardiff().retarget(now);
}

void MinerSession::reject_share(std::string_view id, const ShareDraft& draft, Instant now) {
  const ShareVerdict& verdict = draft.verdict;
  events_.push_back(ShareRejected{*verdict.reject});
  Refusal refusal = refusal_of(*verdict.reject);
  std::string text;
  if (*verdict.reject == RejectReason::LowDifficulty) {
    text = low_difficulty_text(verdict.hash, verdict.difficulty);
    refusal.text = text;
  }
  const bool no_clock = draft.share.ntime == 0 || draft.share.ntime == 0xffffffff;
  if (*verdict.reject == RejectReason::NtimeOutOfRange && no_clock) refusal.points = 2;
  // Nobody negotiated: firmware that sends bits all the same does not know better.
  if (*verdict.reject == RejectReason::VersionNotAllowed && channel_->version_mask() == 0)
    refusal.points = 2;
  if (*verdict.reject == RejectReason::TooFast && channel_->is_lenient(now)) refusal.points = 0;
  refuse_share(id, refusal, draft, now);
}

void MinerSession::refuse_share(std::string_view id, Refusal refusal, const ShareDraft& draft,
                                Instant now) {
  // A miner that repeats its block out of joy is not an attacker.
  if (draft.verdict.is_block) refusal.points = 0;
  refuse(id, refusal, now);
}

/// A share that the ledger refuses costs what it would have cost here: the thread remembers only
/// the latest hashes.
void MinerSession::settle(const ShareOutcome& outcome, Instant now) {
  replies_.settle(outcome.refused, context_.v1->reply, outbox_);
  if (outbox_.overflowed()) close("reads too slowly", false);
  if (outcome.refused == RejectReason::Duplicate) strike(1, now);
  if (move_held_for_ && *move_held_for_ > 0 && --*move_held_for_ == 0) refresh_extranonce(now);
  if (held_for_ && *held_for_ > 0 && --*held_for_ == 0) refresh_difficulty(now);
}

}  // namespace adit::v1
