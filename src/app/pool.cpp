// SPDX-License-Identifier: MIT
// Wiring that reads as a table of contents.
#include "app/pool.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "adit/base/log.h"
#include "adit/stratum/v2/key_text.h"
#include "app/key_files.h"
#include "rocks/durable_file.h"

namespace adit {
namespace {

/// Makes the folder (and its parents) for the pool's user alone. What is synced in it later is lost
/// all the same if its own name is.
Status make_data_dir(const std::string& path) {
  for (std::size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
    const std::string part = path.substr(0, at);
    if (mkdir(part.c_str(), 0700) == 0) {
      const std::size_t slash = part.rfind('/');
      const std::string parent = slash == std::string::npos ? "." : part.substr(0, slash);
      if (Status s = sync_folder(parent.empty() ? "/" : parent); !s) return s;
    } else if (errno != EEXIST) {
      return Error{ErrorCode::Io,
                   fmt::format("data_dir: cannot make {}: {}", part, std::strerror(errno))};
    }
    if (at == std::string::npos) return {};
  }
}

/// But for what a reload may change of them.
bool stand_alike(const std::vector<PortConfig>& a, const std::vector<PortConfig>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const PortConfig& one, const PortConfig& other) {
                      return one.name == other.name && one.listen == other.listen &&
                             one.tls_listen == other.tls_listen &&
                             one.version_mask == other.version_mask && one.size == other.size;
                    });
}

ChannelPolicy policy_of(const VardiffOptions& vardiff, std::uint32_t mask,
                        const CoinbaseSize& size) {
  ChannelPolicy policy;
  policy.vardiff = vardiff;
  policy.version_mask = mask;
  policy.coinbase_weight = size.coinbase_weight;
  policy.small_coinbases = size.small_coinbases;
  return policy;
}

/// Nothing for a port that is gone: its miners keep what they have.
std::optional<VardiffOptions> vardiff_of(const std::vector<PortConfig>& ports,
                                         std::string_view name) {
  const auto found = std::find_if(ports.begin(), ports.end(),
                                  [&](const PortConfig& port) { return port.name == name; });
  return found == ports.end() ? std::nullopt : std::optional(found->vardiff);
}

}  // namespace

Pool::Pool(Config config, PoolHooks hooks) : config_(std::move(config)), hooks_(std::move(hooks)) {}

Pool::~Pool() {
  if (running_) stop(Duration{});
  api_.reset();  // asks the threads, which go before it
  if (lock_fd_ >= 0) close(lock_fd_);
}

Status Pool::start() {
  if (const Status s = open_books(); !s) return s;
  if (const Status s = make_workers(); !s) return s;
  if (const Status s = serve_v2(); !s) return s;
  if (const Status s = listen_all(); !s) return s;
  make_upstream();
  const auto blocks = ledger_->blocks();
  if (!blocks) return blocks.error();
  const auto mean_fees = ledger_->mean_fees();
  if (!mean_fees) return mean_fees.error();
  if (const Status s = upstream_->open(*blocks, *mean_fees); !s) return s;
  control_ = std::make_unique<ControlServer>(
      clock_, [this](BooksRequest&& request) { return ledger_->post(std::move(request)); });
  if (const Status s = control_->start(config_.data_dir); !s) return s;

  if (const Status s = start_api(); !s) return s;
  ledger_->start();
  for (const auto& worker : workers_) worker->start();
  upstream_->start();
  running_ = true;
  return {};
}

Status Pool::open_books() {
  if (const Status s = make_data_dir(config_.data_dir); !s) return s;
  // One pool at a time on one data_dir: two would give out the same extranonces.
  const std::string lock = config_.data_dir + "/lock";
  lock_fd_ = open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_fd_ < 0) return Error{ErrorCode::Io, fmt::format("{}: {}", lock, std::strerror(errno))};
  if (flock(lock_fd_, LOCK_EX | LOCK_NB) != 0)
    return Error{ErrorCode::Conflict,
                 fmt::format("data_dir {} is in use by another adit", config_.data_dir)};
  LedgerWriterOptions options;
  options.data_dir = config_.data_dir;
  options.ledger.network = config_.pool.network;
  options.ledger.instance = config_.pool.instance;
  options.ledger.sync = config_.ledger.sync;
  options.ledger.accept_loss = hooks_.accept_loss;
  options.retention_days = config_.ledger.share_retention_days;
  options.kept = &kept_;
  options.treasury = {terms_of(config_), config_.pool.network, config_.pool.payout.script};
  options.on_plan = [this](PlanPtr plan) {
    if (upstream_)
      upstream_->set_plan(std::move(plan));
    else
      first_plan_ = std::move(plan);
  };
  options.on_booked = [this](const BlockRecord& block) { upstream_->booked(block); };
  options.on_forgotten = [this] { upstream_->tell_again(); };
  ledger_ = std::make_unique<LedgerWriter>(
      clock_, options,
      [this](std::uint32_t thread, CommitReceipt receipt) {
        CHECK(workers_[thread]->post(std::move(receipt)));
      },
      [this](const std::string& text) {
        // Fail-stop: whatever is in flight is unanswered, and the next start reads what the disk
        // really has. A found block may be nowhere but here: it goes out first.
        log_error("ledger", "{}; the books are closed and the pool ends", text);
        if (upstream_) upstream_->stop();
        log_stop();
        _exit(kExitLedgerFailed);
      });
  return ledger_->open();
}

Status Pool::make_workers() {
  WorkerOptions options;
  options.policy = policy_of(config_.vardiff, config_.v1.version_mask, config_.v1.size);
  options.agents = config_.agents;
  options.sizes = config_.payout.agents;
  for (const PortConfig& port : config_.ports)
    options.ports.push_back(policy_of(port.vardiff, port.version_mask, port.size));
  options.network = config_.pool.network;
  if (config_.pool.accept_names) options.default_account = config_.pool.payout.text;
  options.extranonce2_size = config_.v1.extranonce2_size;
  options.solo = solo_terms(config_);
  options.boot_epoch = ledger_->boot();
  auto proxies = uv::NetworkList::parse(config_.v1.proxy_from);
  if (!proxies) return Error{ErrorCode::Invalid, "stratum.v1.proxy_from: " + proxies.error().text};
  options.proxy_from = *proxies;
  if (serves_tls(config_)) {
    auto tls = uv::TlsContext::load(config_.v1.tls_certificate, config_.v1.tls_key);
    if (!tls) return tls.error();
    options.tls = tls_ = *tls;
  }
  const std::uint32_t count =
      config_.workers != 0 ? config_.workers : std::max(1u, uv::cores() - 1);
  options.places =
      std::make_shared<Places>(config_.v1.max_connections, config_.v1.newcomers_per_source);
  options.gate = AcceptGate(config_.v1.accepts_per_second, count);
  for (std::uint32_t i = 0; i < count; ++i) {
    options.index = i;
    options.lease = {config_.pool.instance, static_cast<std::uint8_t>(i), ledger_->boot()};
    WorkerLinks links;
    links.to_ledger = [this](ShareBatch&& batch) { return ledger_->post(std::move(batch)); };
    links.to_upstream = [this](FoundBlock block) { upstream_->found(std::move(block)); };
    if (count > 1)
      links.to_peers = [this, i](const RatesLearned& learned) {
        for (std::uint32_t peer = 0; peer < workers_.size(); ++peer)
          if (peer != i)
            (void)workers_[peer]->post(learned);  // only a hint: a full inbox may drop it
      };
    workers_.push_back(std::make_unique<Worker>(clock_, options, std::move(links)));
  }
  return {};
}

Status Pool::serve_v2() {
  if (!serves_v2(config_)) return {};
  const FillRandom random = [this](MutableBytes out) { entropy_.fill(out); };
  const UnixSeconds now(static_cast<std::uint32_t>(clock_.now().wall.value() / 1000));
  for (const auto& worker : workers_) {
    auto identity = open_identity(config_.v2, config_.pool.network, now, random);
    if (!identity) return identity.error();
    authority_ = identity->authority();
    const v2::Certificate& certificate = identity->identity()->certificate;
    if (const Status s = refuse_short_certificate(config_.v2, certificate, now);
        !s && !hooks_.short_certificate)
      return s;
    if (!config_.v2.certificate_file.empty())
      v2_not_after_ = UnixMillis(std::int64_t{certificate.not_valid_after.value()} * 1000);
    worker->serve_v2({*std::move(identity), random, config_.v2.version_mask,
                      config_.v2.channels_per_connection});
  }
  return {};
}

Status Pool::listen_all() {
  if (const Status s = listen(config_.v1.listen, {Protocol::V1}, v1_addresses_); !s) return s;
  if (const Status s = listen(config_.v1.tls_listen, {Protocol::V1, true}, v1_addresses_); !s)
    return s;
  if (const Status s = listen_ports(); !s) return s;
  if (const Status s = listen(config_.v2.listen, {Protocol::V2}, v2_addresses_); !s) return s;
  return listen(config_.both.listen, {Protocol::Auto}, auto_addresses_);
}

Status Pool::listen_ports() {
  for (std::size_t i = 0; i < config_.ports.size(); ++i) {
    const PortConfig& port = config_.ports[i];
    if (const Status s = listen(port.listen, {Protocol::V1, false, i}, port_addresses_); !s)
      return s;
    if (const Status s = listen(port.tls_listen, {Protocol::V1, true, i}, port_addresses_); !s)
      return s;
  }
  return {};
}

Status Pool::listen(const std::vector<std::string>& texts, const Entrance& entrance,
                    std::vector<uv::ListenAddress>& listening) {
  for (const std::string& text : texts)
    if (const Status s = listen(text, entrance, listening); !s) return s;
  return {};
}

Status Pool::listen(const std::string& text, const Entrance& entrance,
                    std::vector<uv::ListenAddress>& listening) {
  constexpr std::string_view kNames[] = {"V1", "V2", "V1 and V2"};
  constexpr std::string_view kKeys[] = {"stratum.v1", "stratum.v2", "stratum.auto"};
  const auto kind = static_cast<std::size_t>(entrance.protocol);
  auto address = uv::parse_listen_address(text);
  if (!address)
    return Error{ErrorCode::Invalid,
                 fmt::format("{}.listen: {}", kKeys[kind], address.error().text)};
  if (const Status free = uv::check_port_free(*address); !free) return free;
  for (const auto& worker : workers_) {
    auto real = worker->listen(*address, entrance.protocol, entrance.tls, entrance.port);
    if (!real) return real.error();
    address = real;  // port 0: the others share the port the first one got
  }
  listening.push_back(*address);
  const std::string profile =
      entrance.port ? fmt::format(" (port \"{}\")", config_.ports[*entrance.port].name) : "";
  log_info("stratum", "{} on {}{}{}", kNames[kind], address->text(), entrance.tls ? " (TLS)" : "",
           profile);
  if (entrance.protocol != Protocol::V1)
    log_info("stratum", "V2 miners use {}", v2::pool_url(address->text(), authority_));
  return {};
}

void Pool::make_upstream() {
  UpstreamLinks links;
  links.to_workers = [this](const WorkerMessage& message) {
    for (const auto& worker : workers_)
      if (!worker->post(message)) log_error("pool", "a worker takes no more messages");
  };
  links.to_ledger = [this](LedgerMessage message) { return ledger_->post(std::move(message)); };
  links.on_kept = [this](const BlockHash& hash) { kept_.kept(hash); };
  links.on_block = hooks_.on_block;
  upstream_ = std::make_unique<Upstream>(clock_, config_, std::move(links));
  upstream_->set_plan(first_plan_);
}

Status Pool::start_api() {
  if (config_.api.listen.empty()) return {};
  ApiLinks links;
  links.threads = workers_.size();
  links.ask = [this](std::size_t thread, WhoMines&& asked) {
    return workers_[thread]->post(std::move(asked));
  };
  links.metrics = [this] { return metrics(); };
  auto api = ApiServer::start(clock_, {config_.data_dir, config_.api.listen, config_.pool.network},
                              std::move(links));
  if (!api) return api.error();
  api_ = *std::move(api);
  return {};
}

void Pool::stop(Duration over) {
  if (!running_) return;
  running_ = false;
  if (api_) api_->no_more_live();
  for (const auto& worker : workers_) CHECK(worker->post(Drain{over}));
  for (const auto& worker : workers_) worker->join();
  upstream_->stop();
  api_.reset();
  control_->stop();
  ledger_->stop();
}

Result<std::string> Pool::reload(const Config& config) {
  std::string waits;
  const auto differs = [&](bool different, std::string_view name) {
    if (different) waits += fmt::format("{}{}", waits.empty() ? "" : ", ", name);
  };
  differs(config.data_dir != config_.data_dir, "data_dir");
  differs(config.workers != config_.workers, "workers");
  differs(config.pool != config_.pool, "[pool]");
  differs(config.nodes != config_.nodes, "[[node]]");
  StratumV1Config v1 = config.v1;
  v1.tls_certificate = config_.v1.tls_certificate;
  v1.tls_key = config_.v1.tls_key;
  v1.extranonce2_size = config_.v1.extranonce2_size;
  differs(v1 != config_.v1, "[stratum.v1]");
  differs(!stand_alike(config.ports, config_.ports), "[[stratum.v1.port]]");
  differs(config.v2 != config_.v2, "[stratum.v2]");
  differs(config.both != config_.both, "[stratum.auto]");
  differs(config.payout != config_.payout, "[payout]");
  differs(config.ledger != config_.ledger, "[ledger]");
  differs(config.api != config_.api, "[api]");
  PolicyChanged change{config.vardiff, config.agents, {}, nullptr, config.v1.extranonce2_size};
  for (const PortConfig& port : config_.ports)
    change.ports.push_back(vardiff_of(config.ports, port.name));
  if (serves_tls(config_)) {
    auto tls = uv::TlsContext::load(config.v1.tls_certificate, config.v1.tls_key);
    if (!tls) return Error{tls.error().code, "stratum.v1.tls_certificate: " + tls.error().text};
    change.tls = tls_ = *tls;
  }
  for (const auto& worker : workers_) CHECK(worker->post(change));
  return waits;
}

std::optional<UnixMillis> Pool::tls_not_after() const {
  if (!tls_) return std::nullopt;
  return tls_->not_after();
}

PoolTotals Pool::totals() const {
  PoolTotals sum;
  for (const auto& worker : workers_) {
    const WorkerCounters& counters = worker->counters();
    sum.connections += counters.connections.get();
    sum.accepted += counters.accepted.get();
    sum.begun += counters.begun.get();
    sum.begun_ms += counters.begun_ms.get();
    sum.rejected += counters.rejected_sum();
    sum.duplicates += counters.rejected[static_cast<std::size_t>(RejectReason::Duplicate)].get();
  }
  sum.blocks_found = upstream_->counters().blocks_found.get();
  sum.blocks_accepted = upstream_->counters().blocks_accepted.get();
  sum.jobs = upstream_->counters().jobs.get();
  sum.clean_jobs = upstream_->counters().clean_jobs.get();
  sum.height = upstream_->counters().height.get();
  sum.sequence = ledger_->counters().last_sequence.get();
  return sum;
}

}  // namespace adit
