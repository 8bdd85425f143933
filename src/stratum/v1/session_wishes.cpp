// SPDX-License-Identifier: MIT
// MinerSession: suggest_difficulty, suggest_target, and the small methods.
#include "stratum/v1/session.h"
#include "stratum/v1/wishes.h"

namespace adit::v1 {

namespace {
constexpr std::size_t kTransactionsText = 32 * 1024;  // half of what may wait to be sent
}

/// Small miners repeat their suggestion as a keep-alive: the same value again changes nothing.
/// Before authorise the last of a few counts; from then on one change in ten seconds.
void MinerSession::on_suggest(const Request& request, Instant now) {
  simdjson::dom::element value;
  std::optional<Difficulty> wish;
  if (request.params_kind == ParamsKind::Array &&
      request.params.at(0).get(value) == simdjson::SUCCESS)
    wish = request.method == Method::SuggestTarget ? target_wish(value) : difficulty_wish(value);
  if (!wish) return refuse(request, {Code::Other, "not a difficulty", 2}, now);
  if (!may_wish(now)) return refuse(request, {Code::Other, "slow down", 1}, now);
  reply_result(request, "true");
  if (fixed_ || wish_ == wish) return;
  wish_ = wish;
  if (ready()) channel_->vardiff().suggest(*wish, now);
}

/// How many version variants the miner wants of each job: we send one, the miner rolls.
void MinerSession::on_multi_version(const Request& request, Instant) {
  std::uint64_t wanted = 0;
  const bool one = request.params_kind == ParamsKind::Array &&
                   request.params.at(0).get_uint64().get(wanted) == simdjson::SUCCESS &&
                   wanted == 1;
  reply_result(request, one ? "true" : "false");
}

/// The newest job's transactions, where they are few. A full block is a hundred times what may wait
/// to be sent to one miner.
void MinerSession::on_get_transactions(const Request& request, Instant now) {
  std::string_view text;
  std::optional<WireJobId> id;
  if (started_ && request.params_kind == ParamsKind::Array &&
      request.params.at(0).get_string().get(text) == simdjson::SUCCESS)
    id = parse_job_id(text);
  const JobPtr job = id ? channel_->newest_job() : nullptr;
  if (!job || id->job.number != job->number || job->empty)
    return refuse(request, {Code::UnknownMethod, "no transactions to show", 0}, now);
  std::string list = "[";
  for (const TemplateTransaction& transaction : job->block_template->transactions) {
    if (list.size() + 2 * transaction.data.size() > kTransactionsText)
      return refuse(request, {Code::UnknownMethod, "too many transactions to show", 0}, now);
    list += list.size() == 1 ? "\"" : ",\"";
    append_hex(list, transaction.data);
    list += '"';
  }
  list += ']';
  reply_result(request, list);
}

}  // namespace adit::v1
