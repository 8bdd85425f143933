// SPDX-License-Identifier: MIT
// `adit run`: a pool until SIGTERM. SIGTERM drains; a second one ends at once, and safely: what was
// acknowledged is on disk.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include "adit/base/log.h"
#include "app/commands.h"
#include "app/expiry_watch.h"
#include "app/pool.h"
#include "app/version.h"

namespace adit {
namespace {

constexpr Duration kStatusEvery = std::chrono::minutes(1);
/// RocksDB has up to 256 tables open, and some logs; the rest is sockets of ours and reserve.
constexpr std::size_t kOwnFiles = 512;

void log_status(const Pool& pool, PoolTotals& before) {
  const PoolTotals now = pool.totals();
  log_info(
      "pool",
      "{} miners, {} shares accepted (+{}), {} rejected (+{}), {} jobs (+{}), {} of them clean "
      "(+{}), {} blocks, height {}",
      now.connections, now.accepted, now.accepted - before.accepted, now.rejected,
      now.rejected - before.rejected, now.jobs, now.jobs - before.jobs, now.clean_jobs,
      now.clean_jobs - before.clean_jobs, now.blocks_accepted, now.height);
  if (const std::uint64_t begun = now.begun - before.begun; begun != 0)
    log_info(
        "pool", "{} miners had their first share accepted, {:.1f} s after they came on average",
        begun,
        static_cast<double>(now.begun_ms - before.begun_ms) / 1000 / static_cast<double>(begun));
  before = now;
}

struct CertificateWatch {
  const char* name;
  const char* remedy;
  const char* consequence;  // once it has ended
  std::optional<UnixMillis> (Pool::*end)() const;
  ExpiryWatch watch{};

  void look(const Pool& pool, UnixMillis now) {
    const auto until = (pool.*end)();
    const auto alarm = until ? watch.look(*until, now) : std::nullopt;
    if (!alarm) return;
    if (alarm->over)
      log_error("config", "the {} certificate {}: {}", name, alarm->text, consequence);
    else
      log_warn("config", "the {} certificate {}; {}", name, alarm->text, remedy);
  }
};

/// Miners must not use up what the books, found blocks and the node link need.
void bound_connections(StratumV1Config& v1, std::size_t files) {
  const std::size_t for_miners = files - std::min(kOwnFiles, files / 2);
  if (v1.max_connections <= for_miners) return;
  log_warn("pool", "only {} files may be open (ulimit -n): at most {} connections, not {}", files,
           for_miners, v1.max_connections);
  v1.max_connections = static_cast<std::uint32_t>(for_miners);
}

/// All or nothing: a file with an error changes nothing.
void reload(const std::string& file, Pool& pool) {
  auto config = load_config(file);
  if (!config) return log_error("config", "not reloaded: {}", config.error().text);
  const auto waits = pool.reload(*config);
  if (!waits) return log_error("config", "not reloaded: {}", waits.error().text);
  for (const std::string& warning : config->warnings) log_warn("config", "{}", warning);
  if (waits->empty())
    log_info("config", "reloaded");
  else
    log_warn("config", "reloaded, but {} takes effect at the next start only", *waits);
}

}  // namespace

int run_command(const RunOptions& options) {
  auto config = load_config(options.common.config_file);
  if (!config) {
    fmt::print(stderr, "{}\n", config.error().text);
    return 1;
  }
  log_start({options.common.verbose ? LogLevel::Debug : LogLevel::Info, options.common.log_json});
  log_info("pool", "adit {}: \"{}\" on {}, scheme {}, SHA-256 by {}", kVersion, config->pool.name,
           network_name(config->pool.network), scheme_name(config->pool.scheme), sha256_selected());
  for (const std::string& warning : config->warnings) log_warn("config", "{}", warning);
  bound_connections(config->v1, uv::raise_fd_limit());
  uv::grow_fd_table(config->v1.max_connections + kOwnFiles);

  uv::OsClock clock;
  uv::Loop loop(clock);
  Pool pool(std::move(*config), {{}, options.accept_loss, options.short_certificate});
  PoolTotals before;
  CertificateWatch tls{"TLS", "SIGHUP reads a new one", "miners that check it stay away",
                       &Pool::tls_not_after};
  CertificateWatch v2{"Stratum V2", "issue a new one with adit keygen --issue, and restart",
                      "newcomers are turned away", &Pool::v2_not_after};
  {
    bool draining = false;
    const auto end = [&] {
      if (draining) {
        log_warn("pool", "second signal: ending at once");
        log_stop();
        _exit(0);
      }
      draining = true;
      log_info("pool", "draining");
      uv::notify_service_manager("STOPPING=1");
      loop.stop();
    };
    uv::SignalWatcher term(loop, SIGTERM, end), interrupt(loop, SIGINT, end);
    uv::SignalWatcher hangup(loop, SIGHUP, [&] { reload(options.common.config_file, pool); });
    // Signals are watched before anybody can have heard that the pool is up.
    if (const Status started = pool.start(); !started) {
      log_error("pool", "{}", started.error().text);
      log_stop();
      return 1;
    }
    uv::notify_service_manager("READY=1");
    std::unique_ptr<uv::Timer> status;
    status = std::make_unique<uv::Timer>(loop, [&] {
      log_status(pool, before);
      for (CertificateWatch* watch : {&tls, &v2}) watch->look(pool, loop.now().wall);
      status->set(loop.now().mono + kStatusEvery);
    });
    status->set(loop.now().mono + kStatusEvery);
    for (CertificateWatch* watch : {&tls, &v2}) watch->look(pool, clock.now().wall);
    loop.run();
  }
  // From here on the second signal is the kernel's business: nothing acknowledged is only in
  // memory.
  signal(SIGTERM, SIG_DFL);
  signal(SIGINT, SIG_DFL);
  signal(SIGHUP, SIG_IGN);  // nothing is left that a reload could change
  pool.stop(leave_time(pool.totals().connections));
  log_status(pool, before);
  log_info("pool", "ended");
  log_stop();
  return 0;
}

}  // namespace adit
