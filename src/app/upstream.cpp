// SPDX-License-Identifier: MIT
// The wires between NodeLink, BlockSubmitter and the HTTP client, and jobs on their way to the
// workers. Found blocks are in upstream_blocks.cpp, what goes on beside them in upstream_watch.cpp.
#include "app/upstream.h"

#include <algorithm>

#include "adit/base/log.h"
#include "app/credentials.h"
#include "app/job_plan.h"
#include "uv/system.h"

namespace adit {
namespace {

constexpr std::size_t kFoundBox = 4'096;
constexpr Duration kTellAgain = std::chrono::milliseconds(100);

NodeOptions node_options(const Config& config) {
  NodeOptions options;
  options.network = config.pool.network;
  // A pool that is restarted again and again must not use up the nodes' RPC threads.
  if (std::all_of(config.nodes.begin(), config.nodes.end(),
                  [](const NodeConfig& node) { return !node.zmq_hashblock.empty(); }))
    options.first_long_poll = std::chrono::minutes(1);
  return options;
}

}  // namespace

Upstream::Upstream(Clock& clock, const Config& config, UpstreamLinks links)
    : config_(&config),
      links_(std::move(links)),
      loop_(clock),
      wake_(std::make_unique<uv::Async>(loop_,
                                        [this] {
                                          read_found();
                                          read_booked();
                                        })),
      timer_(std::make_unique<uv::Timer>(loop_, [] {})),
      http_(std::make_unique<uv::HttpClient>(loop_)),
      inbox_(kFoundBox, [this] { wake_->wake(); }),
      booked_inbox_(kFoundBox, [this] { wake_->wake(); }),
      link_(node_options(config), config.nodes.size()),
      submitter_(config.nodes.size()),
      ripe_(config.nodes.size()) {
  for (const NodeConfig& node : config.nodes) nodes_.push_back({node, "", nullptr});
  for (Node& node : nodes_) load_credentials(node);
}

Upstream::~Upstream() { stop(); }

void Upstream::load_credentials(Node& node) {
  auto login = node_login(node.config);
  if (!login) log_warn("node", "{}: {}", node.config.rpc, login.error().text);
  node.user_password = login ? *login : "";
}

void Upstream::start() {
  thread_ = std::thread([this] { run(); });
}

void Upstream::run() {
  uv::name_thread("adit-upstream");
  for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].config.zmq_hashblock.empty()) continue;
    auto hint = uv::ZmqHint::subscribe(loop_, nodes_[i].config.zmq_hashblock,
                                       [this, i] { link_.hint(NodeIndex(i), loop_.now().mono); });
    if (hint)
      nodes_[i].zmq = std::move(*hint);
    else
      log_error("node", "{}; going on with long poll", hint.error().text);
  }
  link_.start(loop_.now().mono);
  loop_.set_turn_end([this] { turn(); });
  loop_.run();
}

void Upstream::stop() {
  const std::lock_guard joining(join_mutex_);
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(stop_mutex_);
    stop_asked_ = true;
  }
  wake_->wake();
  thread_.join();
}

void Upstream::found(FoundBlock block) {
  const BlockHash hash = block.hash;
  const HeaderBytes header = block.header;
  if (inbox_.post(std::move(block))) return;
  log_error("block", "{}: more found blocks wait than can be kept; its header: {}", hash.hex(),
            to_hex(header));
}

bool Upstream::stop_asked() {
  const std::lock_guard lock(stop_mutex_);
  return stop_asked_;
}

void Upstream::booked(const BlockRecord& block) {
  // Not taken: its file stays, and the next start looks at it again.
  (void)booked_inbox_.post(block);
}

void Upstream::tell_again() {
  tell_again_ = true;
  wake_->wake();
}

template <class Part>
bool Upstream::pump(Part& part) {
  const Instant now = loop_.now().mono;
  if (const auto at = part.deadline(); at && *at <= now) part.expire(now);
  const auto requests = part.take_requests();
  for (const RpcRequest& request : requests)
    send(request,
         [this, &part](const RpcAnswer& answer) { part.answer(answer, loop_.now().mono); });
  return !requests.empty();
}

void Upstream::turn() {
  if (stop_asked()) read_found();  // their wake-up may come later than the one to stop
  // Answers make requests, and events make proposals: go on until nothing new comes out. Bounded,
  // since each kind of request has one open call a lane.
  for (int round = 0; round < 16; ++round) {
    bool busy = pump(link_);
    busy |= pump(submitter_);
    busy |= pump(ripe_);
    if (fees_) busy |= pump(*fees_);
    const auto events = link_.take_events();
    for (const NodeEvent& event : events) std::visit([this](const auto& e) { handle(e); }, event);
    const auto progress = submitter_.take_progress();
    for (const BlockProgress& step : progress) handle_progress(step);
    const auto news = ripe_.take_events();
    for (const RipeEvent& event : news) handle_ripe(event);
    look_at_fees();
    if (!busy && events.empty() && progress.empty() && news.empty()) break;
  }
  post_untold();
  const Instant now = loop_.now().mono;
  if (!stop_asked()) refill_vault(now);
  if (stop_asked() && may_stop(now)) {
    for (Node& node : nodes_) node.zmq.reset();
    pending_.clear();
    return loop_.stop();
  }
  std::optional<Instant> next = link_.deadline();
  const auto no_later = [&next](std::optional<Instant> at) {
    if (at && (!next || *at < *next)) next = at;
  };
  no_later(submitter_.deadline());
  no_later(ripe_.deadline());
  if (fees_) no_later(fees_->deadline());
  no_later(stop_by_);
  if (!untold_.empty()) no_later(now + kTellAgain);
  if (next) timer_->set(*next);
}

void Upstream::send(const RpcRequest& request, ToPart to_part) {
  Node& node = nodes_[request.node.value()];
  uv::HttpRequest http;
  http.url = node.config.rpc;
  http.user_password = node.user_password;
  http.body = rpc_body(request);
  http.timeout = request.timeout;
  http.max_answer = request.max_answer;
  http_->post(std::move(http), [this, token = request.token, to_part = std::move(to_part),
                                index = request.node.value()](uv::HttpAnswer answer) {
    if (answer.status == 401) load_credentials(nodes_[index]);
    to_part({token, std::move(answer.transport_error), answer.status, std::move(answer.body)});
  });
}

void Upstream::handle(const TipChanged& event) {
  counters_.tips.add();
  counters_.height.set(event.height);
  log_info("node", "new tip {} at height {}", event.tip.hex(), event.height);
  for (std::uint32_t i = 0; i < nodes_.size(); ++i)
    submitter_.node_changed(NodeIndex(i), loop_.now().mono);
  watch_tip(event.tip, event.height, std::nullopt);
  if (event.empty) publish(event.empty, true, false);
}

void Upstream::handle(const TemplateReady& event) {
  const bool new_tip = event.block_template->prev != tip_;
  if (new_tip) {
    counters_.height.set(event.block_template->height - 1);
    for (std::uint32_t i = 0; i < nodes_.size(); ++i)
      submitter_.node_changed(NodeIndex(i), loop_.now().mono);
  }
  watch_tip(event.block_template->prev, event.block_template->height - 1, event.node);
  publish(event.block_template, false, false);
  if (!event.proven && job_ && job_->block_template == event.block_template) propose(*job_);
}

void Upstream::handle(const TemplateWithheld& event) {
  if (auto job = make(event.block_template, tip_number_, false)) propose(**job);
}

void Upstream::handle(const WorkRevoked& event) {
  const bool bare = event.instead->transactions.empty();
  log_warn(
      "node", "height {}: work is revoked and goes on {}", event.instead->height,
      bare ? "coinbase-only, until a node would take our block" : "with another node's template");
  watch_tip(event.instead->prev, event.instead->height - 1, std::nullopt);
  publish(event.instead, bare, true);
  if (job_ && job_->block_template == event.instead) propose(*job_);
}

Result<JobPtr> Upstream::make(const TemplatePtr& block_template, TipNumber tip, bool clean) {
  auto job = make_job(next_job_, tip, clean, block_template,
                      job_options(*config_, *block_template, plan()));
  if (job) {
    next_job_ = JobNumber(next_job_.value() + 1);
    return job;
  }
  counters_.templates_refused.add();
  log_error("node", "template of height {} makes no job: {}", block_template->height,
            job.error().text);
  return job;
}

void Upstream::propose(const Job& job) {
  link_.propose(job.block_template, to_hex(block_for_proposal(job)), loop_.now().mono);
}

void Upstream::publish(const TemplatePtr& block_template, bool bare, bool revoke) {
  const bool clean = revoke || block_template->prev != tip_;
  const TipNumber tip(tip_number_.value() + (clean ? 1 : 0));
  tell_network(*block_template);
  const auto job = make(block_template, tip, clean);
  if (!job) return;
  tip_number_ = tip;
  tip_ = block_template->prev;
  job_ = *job;
  counters_.jobs.add();
  if (clean) counters_.clean_jobs.add();
  links_.to_workers(JobPublished{job_});
  if (clean || !job_was_logged_)
    log_info("job", "height {}: {} transactions, {} sat, difficulty {:.4g}{}",
             block_template->height, block_template->transactions.size(),
             block_template->coinbase_value.value(),
             Difficulty::of(block_template->target).approximate(), bare ? " (empty, at once)" : "");
  job_was_logged_ = !bare;
}

void Upstream::set_plan(PlanPtr plan) {
  const std::lock_guard lock(plan_mutex_);
  plan_ = std::move(plan);
}

PlanPtr Upstream::plan() {
  const std::lock_guard lock(plan_mutex_);
  return plan_;
}

void Upstream::handle(const TemplateRefused& event) {
  counters_.templates_refused.add();
  log_error("node", "{}: template refused: {}; the last good one stays",
            config_->nodes[event.node.value()].rpc, event.reason);
}

void Upstream::handle(const ProposalFailed& event) {
  counters_.proposals_failed.add();
  log_error("node", "the node would refuse our block of {} transactions at height {}: {}",
            event.block_template->transactions.size(), event.block_template->height, event.reason);
}

void Upstream::handle(const ProposalUnanswered& event) {
  log_warn("node", "no node says whether it would take our block at height {}: {}",
           event.block_template->height, event.reason);
}

void Upstream::handle(const NodeChanged& event) {
  Node& node = nodes_[event.node.value()];
  const std::string& rpc = node.config.rpc;
  const bool told = node.told == event.status.health && node.told_why == event.status.reason;
  node.told = event.status.health;
  node.told_why = event.status.reason;
  if (told) {
    log_debug("node", "{}: at height {}", rpc, event.status.height);
  } else if (event.status.health == NodeHealth::Ready) {
    // Its height follows with the first tip.
    log_info("node", "{}: ready, {}", rpc, log_escape(event.status.version));
  } else {
    log_warn("node", "{}: {}: {}", rpc, node_health_name(event.status.health),
             log_escape(event.status.reason, 200));
  }
  submitter_.node_changed(event.node, loop_.now().mono);
}

void Upstream::handle(const TemplatesMissing& event) {
  if (event.for_s == 0) return log_info("node", "templates are back");
  log_error("node", "no node has given a template for {} s", event.for_s);
  if (event.for_s >= 120) links_.to_workers(NoWork{});
}

void Upstream::handle(const TipStale& event) {
  if (event.for_min == 0) return log_info("node", "there is a new block at last");
  std::string heights;
  for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
    const NodeStatus& status = link_.status(NodeIndex(i));
    heights += fmt::format("{}{}: {} at height {}", i == 0 ? "" : ", ", nodes_[i].config.rpc,
                           node_health_name(status.health), status.height);
  }
  log_error("node", "no new block for {} minutes; mining goes on ({})", event.for_min, heights);
}

void Upstream::handle(const NodeAlone& event) {
  const std::string& rpc = nodes_[event.node.value()].config.rpc;
  if (event.alone)
    log_error("node", "{}: has no peers, so it hears of no block and tells nobody of ours", rpc);
  else
    log_info("node", "{}: has peers again", rpc);
}

}  // namespace adit
