// SPDX-License-Identifier: MIT
// MinerSession: receiving, replying, jobs, deadlines.
#include "stratum/v1/session.h"

#include <algorithm>

#include "adit/base/check.h"
#include "adit/stratum/v1.h"

namespace adit::v1 {

namespace {

constexpr std::uint32_t kEmptyLinesPerSecond = 200;
constexpr std::uint32_t kAnswersPerMinute = 10;
constexpr std::uint32_t kRequestsPerSecond = 200;
constexpr std::size_t kLongMethod = 64;
constexpr std::size_t kKeptEvents = 4;

/// First bytes of protocols that must not be answered: a TLS handshake, a PROXY header (v1, or the
/// CR LF NUL of v2) that nobody asked for, and zeroes.
bool is_foreign(Bytes wire) { return wire[0] == 0x16 || wire[0] == 0; }
bool is_foreign(std::string_view line) {
  return line.starts_with("PROXY ") || line.starts_with('\0') || line.starts_with('\x16');
}

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == line.npos; }

Refusal refusal_of(Decoded what) {
  switch (what) {
    case Decoded::ParseError:
      return {Code::Other, "parse error", 0};
    case Decoded::BadNumber:
      return {Code::Other, "number out of range", 5};
    case Decoded::Batch:
      return {Code::Other, "batch not supported", 5};
    case Decoded::NotAnObject:
      return {Code::Other, "not an object", 20};
    case Decoded::DuplicateKey:
      return {Code::Other, "duplicate key", 5};
    case Decoded::BadId:
      return {Code::Other, "invalid id", 5};
    case Decoded::NoMethod:
      return {Code::Other, "no method", 5};
    case Decoded::BadMethod:
      return {Code::Other, "method is not a string", 5};
    case Decoded::Request:
    case Decoded::Response:
      break;
  }
  UNREACHABLE();
}

}  // namespace

std::unique_ptr<Session> make_session(SessionContext& context, const JobPtr& newest, Instant now,
                                      const ChannelPolicy* port) {
  if (!context.v1) context.v1 = std::make_shared<ThreadState>();
  return std::make_unique<MinerSession>(context, port != nullptr ? *port : context.policy, newest,
                                        now);
}

MinerSession::MinerSession(SessionContext& context, const ChannelPolicy& policy,
                           const JobPtr& newest, Instant now)
    : context_(context), policy_(policy), newest_(newest), connected_(now), last_seen_(now) {}

MinerSession::~MinerSession() {
  // The rate of a connection with several workers is nobody's own.
  if (started_ && workers_.size() == 1)
    context_.workers->remember_rate(workers_[0], channel_->vardiff().hash_rate(last_seen_));
  for (const WorkerIndex worker : workers_) context_.workers->release(worker);
  if (!channel_) return;
  const JobPtr& last = channel_->newest_job();
  if (last) context_.v1->resume.remember(channel_->prefix(), channel_->vardiff().current());
  context_.prefixes->release(channel_->prefix(), last ? last->tip : TipNumber{});
}

void MinerSession::receive(Bytes wire, Instant now) {
  if (closed_ || wire.empty()) return;
  if (!greeted_ && !framer_.partial() && is_foreign(wire)) return close("not stratum", false);
  last_seen_ = now;
  bool fresh = !framer_.partial();  // what may remain has begun in these bytes
  // The lines behind one that closes the session may hold a block: they are read to the end.
  for (bool more = true; more;) {
    std::string_view line;
    switch (framer_.next(wire, line)) {
      case LineFramer::Step::Line:
        on_line(line, now);
        fresh = true;
        break;
      case LineFramer::Step::Need:
        more = false;
        break;
      case LineFramer::Step::TooLong:
        judge_bench(now);
        return close("line too long", true);
    }
  }
  judge_bench(now);
  if (closed_) return;
  if (fresh) partial_since_ = now;
  if (!started_) start_work(now);
  if (move_held_for_) refresh_extranonce(now);
  refresh_difficulty(now);
}

void MinerSession::on_line(std::string_view line, Instant now) {
  SubmitLine share;
  if (ready() && read_submit_line(line, share)) return submit(share.id, share.params, now);
  // Whatever else this is: the shares before it come first.
  judge_bench(now);
  Request request;
  if (closed_) {
    if (context_.v1->decoder.decode(line, request) == Decoded::Request &&
        request.method == Method::Submit)
      on_submit(request, now);
    return;
  }
  if (is_blank(line)) {
    if (!empty_lines_.allow(kEmptyLinesPerSecond, std::chrono::seconds(1), now))
      close("empty lines", true);
    return;
  }
  if (!greeted_ && is_foreign(line)) return close("not stratum", false);
  const Decoded what = context_.v1->decoder.decode(line, request);
  if (what == Decoded::Request) return on_request(request, now);
  if (what == Decoded::Response) {
    if (!answers_.allow(kAnswersPerMinute, std::chrono::minutes(1), now)) strike(1, now);
    return;
  }
  on_malformed(what, request, now);
}

void MinerSession::on_malformed(Decoded what, const Request& request, Instant now) {
  refuse(request, refusal_of(what), now);
  if (what == Decoded::ParseError) close("parse error", true);
}

void MinerSession::on_request(const Request& request, Instant now) {
  greeted_ = true;
  if (request.method == Method::Submit) return on_submit(request, now);
  if (!requests_.allow(kRequestsPerSecond, std::chrono::seconds(1), now)) strike(1, now);
  switch (request.method) {
    case Method::Subscribe:
      return on_subscribe(request, now);
    case Method::Authorize:
      return on_authorize(request, now);
    case Method::Configure:
      return on_configure(request, now);
    case Method::SuggestDifficulty:
    case Method::SuggestTarget:
      return on_suggest(request, now);
    case Method::MultiVersion:
      return on_multi_version(request, now);
    case Method::GetTransactions:
      return on_get_transactions(request, now);
    case Method::ExtranonceSubscribe:
      reply_result(request, "true");
      return follow_extranonce();
    case Method::Pong:
      return reply_result(request, "true");
    case Method::Ping:
      return reply_result(request, "\"pong\"");
    case Method::Submit:
    case Method::Unknown:
      break;
  }
  refuse(request,
         {Code::UnknownMethod, "unknown method", request.method_size > kLongMethod ? 5u : 1u}, now);
}

void MinerSession::reply(std::string_view line) {
  if (closed_) return;
  replies_.reply(line, outbox_);
  if (outbox_.overflowed() || replies_.overflowed()) close("reads too slowly", false);
}

void MinerSession::reply_result(const Request& request, std::string_view result) {
  std::string& line = context_.v1->reply;
  line.clear();
  append_result(line, request.id, result);
  reply(line);
}

void MinerSession::refuse(std::string_view id, const Refusal& refusal, Instant now,
                          std::string_view result) {
  std::string& line = context_.v1->reply;
  line.clear();
  append_error(line, id, refusal.code, refusal.text, result);
  reply(line);
  strike(refusal.points, now);
}

void MinerSession::strike(std::uint32_t points, Instant now) {
  if (points != 0 && strikes_.add(points, now)) close("too many errors", true);
}

void MinerSession::close(std::string reason, bool flush) {
  if (closed_) return;
  closed_ = true;
  events_.push_back(Close{std::move(reason), flush});
}

/// What this miner mines: everybody's job, in the size for its firmware, or its account's.
JobPtr MinerSession::own(const JobPtr& job) const {
  if (context_.own_jobs == nullptr) return job_of_size(job, coinbase_weight_);
  return context_.own_jobs->job_for(job, context_.workers->at(workers_[0]).account);
}

void MinerSession::publish(const JobPtr& everybodys, Instant now) {
  if (closed_) return;
  if (!started_) {
    newest_ = everybodys;
    return start_work(now);
  }
  const JobPtr job = own(everybodys);
  // The first job of its tip for this miner, though perhaps not for the pool: a newer job may have
  // overtaken the clean one on its way here.
  const bool clean = channel_->newest_job()->tip != job->tip;
  const IssuedJobId id = channel_->publish(job, now);
  if (channel_->vardiff().current() != sent_) send_difficulty();
  send_job(id, job, clean, job->ntime);
}

/// The first job: clean, whatever it is to others, because this miner has none.
void MinerSession::start_work(Instant now) {
  if (!ready() || !newest_) return;
  const JobPtr job = own(newest_);
  newest_.reset();
  started_ = true;
  move_extranonce();
  const IssuedJobId id = channel_->publish(job, now);
  send_difficulty();
  send_job(id, job, true, job->ntime);
}

/// cgminer takes a new difficulty with the next job, ESP-Miner ignores a job id it knows: so a
/// change of difficulty is always followed by the same work under a new id. And with another time:
/// cpuminer and ESP-Miner count their extranonce from zero again for each job. The replies to what
/// brought the change come first; those that are asked for meanwhile it need not wait for.
void MinerSession::refresh_difficulty(Instant now) {
  if (closed_ || !started_) return;
  if (channel_->vardiff().current() == sent_) return held_for_.reset();
  if (!held_for_) held_for_ = replies_.waiting();
  if (*held_for_ > 0) return;
  issue_again(false, now);
}

void MinerSession::issue_again(bool clean, Instant now) {
  const IssuedJobId id = channel_->reissue(now);
  if (channel_->vardiff().current() != sent_) send_difficulty();
  const JobPtr& job = channel_->newest_job();
  send_job(id, job, clean, reissue_time(*job, sent_ntime_, now));
}

void MinerSession::policy_changed(Instant now) {
  if (!channel_) return;
  channel_->vardiff().apply_bounds();
  refresh_extranonce(now);
  refresh_difficulty(now);
}

void MinerSession::send_difficulty() {
  held_for_.reset();
  sent_ = channel_->vardiff().current();
  std::string& line = context_.v1->reply;
  line.clear();
  append_set_difficulty(line, sent_);
  outbox_.append(line);
}

void MinerSession::send_job(IssuedJobId id, const JobPtr& job, bool clean, std::uint32_t ntime) {
  std::string& front = context_.v1->reply;
  front.clear();
  id.issue = static_cast<std::uint16_t>(id.issue + issue_salt_);
  append_notify_front(front, {context_.boot_epoch, id});
  const SharedText& rest = context_.v1->notify.rest(job, clean);
  sent_ntime_ = ntime;
  if (ntime == job->ntime) {
    outbox_.append(front);
    outbox_.append(rest);
  } else {
    append_notify_rest(front, *rest, clean, ntime);
    outbox_.append(front);
  }
  if (outbox_.overflowed()) close("reads too slowly", false);
}

void MinerSession::expire(Instant now) {
  if (closed_) return;
  if (!greeted_ && now >= connected_ + kFirstRequestWithin) return close("no request", false);
  if (!ready() && now >= connected_ + kAuthoriseWithin) return close("not authorised", false);
  if (waits_for_work() && now >= *ready_since_ + kJobWithin) return close("no work to give", true);
  if (framer_.partial() && now >= partial_since_ + kLineWithin)
    return close("line not finished", false);
  if (!started_) return;
  last_seen_ = now;
  channel_->vardiff().retarget(now);
  refresh_difficulty(now);
}

std::optional<Instant> MinerSession::deadline() const {
  if (closed_) return std::nullopt;
  std::optional<Instant> soonest;
  const auto consider = [&](Instant at) { soonest = soonest ? std::min(*soonest, at) : at; };
  if (!greeted_) consider(connected_ + kFirstRequestWithin);
  if (!ready()) consider(connected_ + kAuthoriseWithin);
  if (waits_for_work()) consider(*ready_since_ + kJobWithin);
  if (framer_.partial()) consider(partial_since_ + kLineWithin);
  if (started_ && channel_->vardiff().next_check() != Instant::max())
    consider(channel_->vardiff().next_check());
  return soonest;
}

void MinerSession::drain(std::uint32_t, Instant) {
  // Without parameters: the same host again. Firmware refuses other hosts, and we never name one.
  if (closed_ || !ready()) return;
  std::string& line = context_.v1->reply;
  line.clear();
  append_reconnect(line);
  outbox_.append(line);
}

void MinerSession::take_events(std::vector<SessionEvent>& into) {
  into.insert(into.end(), std::make_move_iterator(events_.begin()),
              std::make_move_iterator(events_.end()));
  events_.clear();
  if (events_.capacity() > kKeptEvents) std::vector<SessionEvent>().swap(events_);
}

double MinerSession::hash_rate(Instant now) const {
  return channel_ ? channel_->vardiff().hash_rate(now) : 0;
}

}  // namespace adit::v1
