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

/// Up to six parameters; else why not.
std::optional<Refusal> read_params(const Request& request, SubmitParams& params) {
  if (request.params_kind != ParamsKind::Array) return Refusal{Code::Other, "params", 5};
  for (const dom::element element : request.params) {
    if (params.count == params.text.size()) return Refusal{Code::Other, "too many params", 5};
    params.text[params.count++] = text_of(element);
  }
  if (params.count < 5) return Refusal{Code::Other, "too few params", 5};
  return std::nullopt;
}

}  // namespace

std::optional<WorkerIndex> MinerSession::authorised(std::string_view name) const {
  for (const WorkerIndex index : workers_) {
    const WorkerEntry& worker = context_.workers->at(index);
    const bool is_default = worker.account == context_.default_account;
    if (spells(name, worker.account, worker.name) || (is_default && name == worker.name))
      return index;
  }
  // Another spelling: upper-case bech32, percent escapes, a lone dot at the end.
  const auto parsed = parse_worker_name(name, context_.network, context_.default_account);
  if (!parsed) return std::nullopt;
  for (const WorkerIndex index : workers_) {
    const WorkerEntry& worker = context_.workers->at(index);
    if (worker.account == parsed->account && worker.name == parsed->worker) return index;
  }
  return std::nullopt;
}

/// Reads the parameters into `share` and the bytes behind its view; else why not.
std::optional<Refusal> MinerSession::read_submission(const SubmitParams& params,
                                                     ShareSubmission& share,
                                                     Extranonce& rolled) const {
  const auto& text = params.text;
  if (text[0].data() == nullptr) return Refusal{Code::Unauthorised, "no user name", 5};
  if (text[1].data() == nullptr) return Refusal{Code::Other, "job id is not a string", 2};
  const auto job = parse_job_id(text[1]);
  if (!job) return Refusal{Code::JobNotFound, "job not found", 2};
  const std::size_t size = context_.extranonce2_size;
  if (text[2].size() != 2 * size)
    return Refusal{Code::Other, "extranonce2 size", text[2].size() > kLongField ? 10u : 2u};
  if (!from_hex(text[2], MutableBytes(rolled).first(size))) return kNotHex;
  if (const auto bad = read_word(text[3], "ntime size", share.ntime)) return bad;
  if (const auto bad = read_word(text[4], "nonce size", share.nonce)) return bad;
  if (params.count == 6) {
    share.version_bits = hex_u32(text[5]);
    if (!share.version_bits) return Refusal{Code::Other, "version bits", 5};
  }
  if (job->epoch != context_.boot_epoch) return refusal_of(RejectReason::UnknownJob);
  share.job = job->job;
  share.job.issue = static_cast<std::uint16_t>(share.job.issue - issue_salt());
  share.rolled = Bytes(rolled).first(size);
  return std::nullopt;
}

/// A submit that is not as firmware writes it: it came through the JSON reader.
void MinerSession::on_submit(const Request& request, Instant now) {
  if (!channel_) return refuse(request, {Code::NotSubscribed, "not subscribed", 5}, now);
  if (workers_.empty()) return refuse(request, refusal_of(RejectReason::Unauthorised), now);
  SubmitParams params;
  if (const auto bad = read_params(request, params)) return refuse(request, *bad, now);
  submit(request.id, params, now);
}

/// A share takes a seat on the bench, where it waits for company until the bytes of this receive()
/// end, the bench is full, or something comes that is no share.
void MinerSession::submit(std::string_view id, const SubmitParams& params, Instant now) {
  ShareSubmission share;
  Extranonce rolled{};
  if (const auto bad = read_submission(params, share, rolled)) {
    judge_bench(now);
    return refuse(id, *bad, now);
  }
  const auto worker = authorised(params.text[0]);
  share.authorised = worker.has_value();
  ShareBench& bench = context_.v1->bench;
  bench.askers[bench.taken].id = id;
  bench.askers[bench.taken].worker = worker;
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
  for (std::size_t i = 0; i < bench.taken && !closed_; ++i) {
    channel_->judge(bench.drafts[i], now, *context_.seen);
    answer_share(bench.drafts[i], bench.askers[i].id, bench.askers[i].worker, now);
  }
  bench.taken = 0;
}

void MinerSession::answer_share(const ShareDraft& draft, std::string_view id,
                                std::optional<WorkerIndex> worker, Instant now) {
  report(draft, worker);
  if (draft.verdict.reject) return refuse_share(id, draft, now);
  if (!replies_.wait(id)) close("too many shares wait", false);
  channel_->vardiff().retarget(now);
}

/// Events for the owner: a block before everything else, whatever the verdict. Only a duplicate is
/// not told again: its first coming was.
void MinerSession::report(const ShareDraft& draft, std::optional<WorkerIndex> worker) {
  const ShareVerdict& verdict = draft.verdict;
  if (verdict.is_block && verdict.reject != RejectReason::Duplicate) {
    const JobPtr job = channel_->find_job(draft.share.job);
    CHECK(job != nullptr);
    events_.push_back(BlockFound{job, verdict.header, verdict.extranonce, verdict.hash, worker});
  }
  if (verdict.reject) {
    events_.push_back(ShareRejected{*verdict.reject});
    return;
  }
  const BlockTemplate& block = *verdict.job->block_template;
  events_.push_back(ShareAccepted{*worker, verdict.hash, block.prev, verdict.work,
                                  verdict.difficulty, block.height, verdict.is_block});
}

void MinerSession::refuse_share(std::string_view id, const ShareDraft& draft, Instant now) {
  const ShareVerdict& verdict = draft.verdict;
  Refusal refusal = refusal_of(*verdict.reject);
  std::string text;
  if (*verdict.reject == RejectReason::LowDifficulty) {
    text = low_difficulty_text(verdict.hash, verdict.difficulty);
    refusal.text = text;
  }
  const bool no_clock = draft.share.ntime == 0 || draft.share.ntime == 0xffffffff;
  if (*verdict.reject == RejectReason::NtimeOutOfRange && no_clock) refusal.points = 2;
  // A miner that repeats its block out of joy is not an attacker.
  if (verdict.is_block) refusal.points = 0;
  refuse(id, refusal, now);
}

/// A share that the ledger refuses costs what it would have cost here: the thread remembers only
/// the latest hashes.
void MinerSession::settle(const ShareOutcome& outcome, Instant now) {
  replies_.settle(outcome.refused, context_.v1->reply, outbox_);
  if (outbox_.overflowed()) close("reads too slowly", false);
  if (outcome.refused == RejectReason::Duplicate) strike(1, now);
}

}  // namespace adit::v1
