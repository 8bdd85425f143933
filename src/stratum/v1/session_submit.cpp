// SPDX-License-Identifier: MIT
// MinerSession: submit and settle. This is the hot path: nothing here allocates for an accepted
// share once the session is warm.
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
std::optional<Refusal> read_word(const dom::element& element, std::string_view size_text,
                                 std::uint32_t& word) {
  const std::string_view text = text_of(element);
  if (text.size() != 8) return Refusal{Code::Other, size_text, 2};
  const auto value = hex_u32(text);
  if (!value) return kNotHex;
  word = *value;
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

/// Reads the parameters; on a fault answers it and returns false.
bool MinerSession::read_submission(const Request& request, std::string_view& name,
                                   ShareSubmission& share,
                                   std::array<std::uint8_t, kExtranonceSize>& rolled, Instant now) {
  const auto fail = [&](const Refusal& refusal) {
    refuse(request, refusal, now);
    return false;
  };
  if (request.params_kind != ParamsKind::Array) return fail({Code::Other, "params", 5});
  std::array<dom::element, 6> params;
  std::size_t count = 0;
  for (const dom::element element : request.params) {
    if (count == params.size()) return fail({Code::Other, "too many params", 5});
    params[count++] = element;
  }
  if (count < 5) return fail({Code::Other, "too few params", 5});
  if (!params[0].is_string()) return fail({Code::Unauthorised, "no user name", 5});
  name = text_of(params[0]);
  if (!params[1].is_string()) return fail({Code::Other, "job id is not a string", 2});
  const auto job = parse_job_id(text_of(params[1]));
  if (!job) return fail({Code::JobNotFound, "job not found", 2});
  const std::string_view extranonce2 = text_of(params[2]);
  const std::size_t size = context_.extranonce2_size;
  if (extranonce2.size() != 2 * size)
    return fail({Code::Other, "extranonce2 size", extranonce2.size() > kLongField ? 10u : 2u});
  if (!from_hex(extranonce2, MutableBytes(rolled).first(size))) return fail(kNotHex);
  if (const auto bad = read_word(params[3], "ntime size", share.ntime)) return fail(*bad);
  if (const auto bad = read_word(params[4], "nonce size", share.nonce)) return fail(*bad);
  if (count == 6) {
    share.version_bits = hex_u32(text_of(params[5]));
    if (!share.version_bits) return fail({Code::Other, "version bits", 5});
  }
  if (job->epoch != context_.boot_epoch) return fail(refusal_of(RejectReason::UnknownJob));
  share.job = job->job;
  share.job.issue = static_cast<std::uint16_t>(share.job.issue - issue_salt());
  share.rolled = Bytes(rolled).first(size);
  return true;
}

void MinerSession::on_submit(const Request& request, Instant now) {
  if (!channel_) return refuse(request, {Code::NotSubscribed, "not subscribed", 5}, now);
  if (workers_.empty()) return refuse(request, refusal_of(RejectReason::Unauthorised), now);
  std::string_view name;
  ShareSubmission share;
  std::array<std::uint8_t, kExtranonceSize> rolled{};
  if (!read_submission(request, name, share, rolled, now)) return;
  const auto worker = authorised(name);
  share.authorised = worker.has_value();
  const ShareVerdict verdict = channel_->submit(share, now, *context_.seen);
  report(verdict, share, worker);
  if (verdict.reject) return refuse_share(request, verdict, share, now);
  if (!replies_.wait(request.id)) close("too many shares wait", false);
  channel_->vardiff().retarget(now);
}

/// Events for the owner: a block before everything else, whatever the verdict. Only a duplicate is
/// not told again: its first coming was.
void MinerSession::report(const ShareVerdict& verdict, const ShareSubmission& share,
                          std::optional<WorkerIndex> worker) {
  if (verdict.is_block && verdict.reject != RejectReason::Duplicate) {
    const JobPtr job = channel_->find_job(share.job);
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

void MinerSession::refuse_share(const Request& request, const ShareVerdict& verdict,
                                const ShareSubmission& share, Instant now) {
  Refusal refusal = refusal_of(*verdict.reject);
  std::string text;
  if (*verdict.reject == RejectReason::LowDifficulty) {
    text = low_difficulty_text(verdict.hash, verdict.difficulty);
    refusal.text = text;
  }
  const bool no_clock = share.ntime == 0 || share.ntime == 0xffffffff;
  if (*verdict.reject == RejectReason::NtimeOutOfRange && no_clock) refusal.points = 2;
  // A miner that repeats its block out of joy is not an attacker.
  if (verdict.is_block) refusal.points = 0;
  refuse(request, refusal, now);
}

void MinerSession::settle(const ShareOutcome& outcome, Instant) {
  replies_.settle(outcome.refused, context_.v1->reply, outbox_);
  if (outbox_.overflowed()) close("reads too slowly", false);
}

}  // namespace adit::v1
