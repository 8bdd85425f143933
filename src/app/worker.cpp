// SPDX-License-Identifier: MIT
// The worker's thread: connections come and go, messages arrive, and a turn ends. What happens to
// shares and blocks on their way out is in worker_shares.cpp.
#include "app/worker.h"

#include <algorithm>

#include "adit/base/log.h"
#include "uv/system.h"

namespace adit {
namespace {
constexpr std::size_t kInbox = 1 << 16;
/// Sessions that get a new job before the loop looks at its sockets again.
constexpr std::size_t kBroadcastSlice = 1'000;
constexpr Duration kCloseGrace = std::chrono::seconds(1);
}  // namespace

Worker::Worker(Clock& clock, WorkerOptions options, WorkerLinks links)
    : options_(std::move(options)),
      links_(std::move(links)),
      prefixes_(options_.lease),
      loop_(clock),
      wake_(std::make_unique<uv::Async>(loop_, [this] { read_messages(); })),
      timer_(std::make_unique<uv::Timer>(loop_, [] {})),
      inbox_(kInbox, [this] { wake_->wake(); }) {
  context_.policy = options_.policy;
  context_.agents = options_.agents;
  context_.sizes = options_.sizes;
  context_.network = options_.network;
  context_.default_account = options_.default_account;
  context_.extranonce2_size = options_.extranonce2_size;
  context_.boot_epoch = options_.boot_epoch;
  context_.prefixes = &prefixes_;
  context_.seen = &seen_;
  context_.workers = &workers_;
  if (options_.solo) {
    solo_.emplace(*options_.solo);
    context_.own_jobs = &*solo_;
  }
  batch_.thread = options_.index;
  loop_.set_turn_end([this] { end_turn(); });
}

Worker::~Worker() {
  join();
  for (const Slot& slot : slots_)
    if (slot.connection) options_.places->leave(slot.connection->source);
  slots_.clear();
}

Result<uv::ListenAddress> Worker::listen(const uv::ListenAddress& address, Protocol protocol,
                                         bool tls, std::optional<std::size_t> port) {
  const Door door{protocol, tls, port ? &options_.ports.at(*port) : nullptr};
  auto listener = uv::TcpListener::listen(
      loop_, address, [this, door](uv::StreamPtr stream) { accept(std::move(stream), door); },
      [this] { return options_.gate.shut(now()); });
  if (!listener) return listener.error();
  const uv::ListenAddress real = (*listener)->address();
  listeners_.push_back(std::move(*listener));
  return real;
}

void Worker::start() {
  thread_ = std::thread([this] { run(); });
}

void Worker::run() {
  uv::name_thread(("adit-w" + std::to_string(options_.index)).c_str());
  loop_.run();
}

bool Worker::post(WorkerMessage message) { return inbox_.post(std::move(message)); }

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

/// A refusal is counted, not logged: this is what a flood looks like. But whoever runs a farm
/// behind one address should find out why it stays outside.
bool Worker::has_place(const Source& source, bool proxied) {
  const Places::Answer answer = options_.places->enter(source);
  if (answer == Places::Answer::Welcome && proxied) options_.places->mines(source);
  if (answer == Places::Answer::SourceAtBoundFirst)
    log_warn("worker",
             "{}: more connections than stratum.v1.newcomers_per_source without an accepted share; "
             "no more of them come in until one mines",
             source.text());
  return answer == Places::Answer::Welcome;
}

void Worker::accept(uv::StreamPtr stream, const Door& door) {
  if (draining_) return;
  options_.gate.passed(now());
  const uv::ListenAddress peer = stream->peer();
  const bool proxied = !options_.proxy_from.empty() && options_.proxy_from.contains(peer.host());
  const Source source = Source::of(peer.address);
  if (!has_place(source, proxied)) return counters_.turned_away.add();  // the stream closes
  Connection::Place place;
  if (free_slots_.empty()) {
    place.slot = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    place.slot = free_slots_.back();
    free_slots_.pop_back();
  }
  place.generation = slots_[place.slot].generation;
  Connection::Wrapping wrapping;
  if (proxied) wrapping.proxy = std::make_unique<uv::ProxyParser>();
  if (door.tls) wrapping.tls = std::make_unique<uv::TlsCodec>(options_.tls);
  auto session = make_session(door);
  Slot& slot = slots_[place.slot];
  slot.hash_rate = 0;
  slot.tip = job_ ? job_->tip : TipNumber{};
  slot.connection =
      std::make_unique<Connection>(static_cast<ConnectionHost&>(*this), place, std::move(stream),
                                   std::move(session), std::move(wrapping), source);
  counters_.connects.add();
  counters_.connections.set(open() + 1);
  slot.connection->start();
  touched(*slot.connection);
}

Connection* Worker::at(Connection::Place place) {
  Slot& slot = slots_[place.slot];
  return slot.generation == place.generation ? slot.connection.get() : nullptr;
}

void Worker::read_messages() {
  inbox_.drain(messages_);
  // Jobs first: every microsecond on an old tip is lost work. An end of all work that they came
  // after is over.
  bool no_work = false;
  for (WorkerMessage& message : messages_) {
    no_work = (no_work || std::holds_alternative<NoWork>(message)) &&
              !std::holds_alternative<JobPublished>(message);
    if (auto* job = std::get_if<JobPublished>(&message)) handle(*job);
  }
  if (no_work) end_work();
  for (WorkerMessage& message : messages_) {
    if (auto* receipt = std::get_if<CommitReceipt>(&message))
      handle(*receipt);
    else if (auto* drain = std::get_if<Drain>(&message))
      handle(*drain);
    else if (auto* learned = std::get_if<RatesLearned>(&message))
      for (const LearnedRate& rate : learned->rates) workers_.learn(rate);
    else if (auto* policy = std::get_if<PolicyChanged>(&message))
      handle(*policy);
    else if (const auto* asked = std::get_if<WhoMines>(&message))
      handle(*asked);
  }
}

void Worker::handle(PolicyChanged& message) {
  context_.policy.vardiff = message.vardiff;
  context_.agents = std::move(message.agents);
  context_.extranonce2_size = message.extranonce2_size;
  if (v2_) v2_->policy.vardiff = message.vardiff;
  for (std::size_t i = 0; i < std::min(options_.ports.size(), message.ports.size()); ++i)
    if (message.ports[i]) options_.ports[i].vardiff = *message.ports[i];
  options_.tls = std::move(message.tls);
  for (const Slot& slot : slots_)
    if (slot.connection && !slot.connection->dead) {
      slot.connection->session().policy_changed(now());
      touched(*slot.connection);
    }
}

void Worker::handle(JobPublished& message) {
  job_ = std::move(message.job);
  leaving_ = draining_;  // those that are still here may stay, unless the pool ends
  prefixes_.tip_changed(job_->tip);
  broadcast_.clear();
  for (std::uint32_t i = 0; i < slots_.size(); ++i)
    if (const Slot& slot = slots_[i]; slot.connection)
      broadcast_.add({{i, slot.generation}, slot.hash_rate, slot.tip != job_->tip});
  broadcast_.sort();
  continue_broadcast();
}

void Worker::continue_broadcast() {
  for (std::size_t i = 0; i < kBroadcastSlice && broadcast_.running(); ++i) {
    const Connection::Place place = broadcast_.next();
    Connection* connection = at(place);
    if (connection == nullptr || connection->dead || connection->closing()) continue;
    connection->session().publish(job_, now());
    connection->flush();
    slots_[place.slot].tip = job_->tip;
    slots_[place.slot].hash_rate = static_cast<float>(connection->session().hash_rate(now()));
    touched(*connection);
  }
  if (broadcast_.running()) wake_->wake();
}

void Worker::end_work() {
  job_ = nullptr;
  broadcast_.clear();
  if (open() == 0 || leaving_) return;
  log_warn("worker", "no work to give: {} connections are sent to their next pool", open());
  send_away(leave_time(open()));
}

void Worker::handle(Drain& message) {
  if (draining_) {
    message.over = Duration{};
  } else {
    listeners_.clear();
    for (const Slot& slot : slots_)
      if (slot.connection && !slot.connection->dead) {
        slot.connection->session().drain(0, now());
        touched(*slot.connection);
      }
  }
  draining_ = true;
  send_away(message.over);
}

void Worker::send_away(Duration over) {
  leaving_ = true;
  drain_until_ = now() + over;
  drain_step_ = over / static_cast<Duration::rep>(std::max<std::size_t>(open(), 1));
  next_drain_ = now();
  drain_slot_ = 0;
  drain_some();
}

/// Closes one connection each step, so that a whole farm does not knock at the next pool's door at
/// once.
void Worker::drain_some() {
  const Instant at_now = now();
  while (drain_slot_ < slots_.size() && (next_drain_ <= at_now || at_now >= drain_until_)) {
    Connection* connection = slots_[drain_slot_++].connection.get();
    if (connection == nullptr || connection->dead || connection->closing()) continue;
    connection->close_after_flush(at_now + kCloseGrace);
    touched(*connection);
    next_drain_ += drain_step_;
  }
  if (drain_slot_ == slots_.size()) leaving_ = false;
}

void Worker::touched(Connection& connection) {
  if (connection.dirty || connection.dead) return;
  connection.dirty = true;
  dirty_.push_back(connection.place());
}

void Worker::ended(Connection& connection, std::string_view reason) {
  if (connection.dead) return;
  connection.dead = true;
  dead_.push_back(connection.place());
  log_debug("worker", "{}: {}", connection.peer(), reason);
}

void Worker::destroy(Connection& connection) {
  const Connection::Place place = connection.place();
  Slot& slot = slots_[place.slot];
  options_.places->leave(slot.connection->source);
  slot.connection.reset();
  ++slot.generation;
  free_slots_.push_back(place.slot);
  counters_.closes.add();
  counters_.connections.set(open() - 1);
}

void Worker::schedule(Connection& connection) {
  std::optional<Instant> at = connection.close_deadline();
  if (!at) at = connection.session().deadline();
  if (!at || (connection.is_scheduled && connection.scheduled <= *at)) return;
  connection.is_scheduled = true;
  connection.scheduled = *at;
  deadlines_.push({*at, connection.place().slot, connection.place().generation});
}

void Worker::expire_due() {
  while (const auto due = deadlines_.pop_due(now())) {
    Connection* connection = at({due->slot, due->generation});
    if (connection == nullptr || connection->dead) continue;
    if (connection->scheduled != due->at) continue;  // a later, earlier-due entry took its place
    connection->is_scheduled = false;
    if (const auto closing = connection->close_deadline()) {
      if (*closing <= now()) ended(*connection, "did not read our last words");
    } else if (const auto deadline = connection->session().deadline();
               deadline && *deadline <= now()) {
      connection->session().expire(now());
    }
    touched(*connection);
  }
}

/// A miner that comes back may be given to any thread by the kernel.
void Worker::share_rates() {
  std::vector<LearnedRate> learned = workers_.take_learned();
  if (!learned.empty() && links_.to_peers) links_.to_peers({std::move(learned)});
}

void Worker::end_turn() {
  expire_due();
  if (broadcast_.running()) continue_broadcast();
  if (leaving_) drain_some();
  // Flushing may end connections but touches none again within this pass.
  flushing_.swap(dirty_);
  for (const Connection::Place place : flushing_) {
    Connection* connection = at(place);
    if (connection == nullptr) continue;
    connection->dirty = false;
    connection->session().finish_turn(now());
    drain_events(*connection);
  }
  post_batch();
  for (const Connection::Place place : flushing_) {
    Connection* connection = at(place);
    if (connection == nullptr || connection->dead) continue;
    connection->flush();
    if (connection->finished()) ended(*connection, "closed");
    if (!connection->dead) schedule(*connection);
  }
  flushing_.clear();
  for (const Connection::Place place : dead_)
    if (Connection* connection = at(place)) {
      if (connection->dirty) drain_events(*connection);
      destroy(*connection);
    }
  dead_.clear();
  share_rates();
  if (draining_ && open() == 0 && awaiting_.empty() && batch_.shares.empty()) {
    loop_.stop();
    return;
  }
  std::optional<Instant> next = deadlines_.next();
  if (leaving_ && (!next || next_drain_ < *next)) next = next_drain_;
  if (batch_refused_) next = now() + std::chrono::milliseconds(1);
  if (next) timer_->set(*next);
}

}  // namespace adit
