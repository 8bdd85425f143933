// SPDX-License-Identifier: MIT
// Scenario idle: what a connection costs the server in memory when it does nothing.
#include "stratum_load/process_meter.h"
#include "stratum_load/scenarios.h"
#include "stratum_load/swarm.h"
#include "stratum_load/trigger.h"

namespace adit::load {

namespace {

class Quiet final : public Scenario {
 public:
  void on_ready(Miner& miner) override { miner.talk->doze(); }
};

constexpr std::int64_t kSettleNs = 1'000'000'000;

}  // namespace

Status run_idle(const Options& options, const client::Address& pool, Report& report) {
  if (options.server_pid == 0) return Error{ErrorCode::Invalid, "idle needs --pid of the server"};
  const bool with_jobs = options.signal_pid != 0 || !options.rpc_url.empty();
  Quiet quiet;
  Swarm swarm(options, pool, quiet);
  const std::uint64_t before = resident_bytes_of(options.server_pid);
  if (const Status s = swarm.open_all(); !s) return s;
  swarm.run_for(kSettleNs);
  const auto per_connection = [&] {
    const double now = static_cast<double>(resident_bytes_of(options.server_pid));
    return (now - static_cast<double>(before)) / options.connections;
  };
  report.count("connections", options.connections);
  report.count("rss_before_bytes", before);
  report.number("rss_per_connection_bytes", per_connection());
  if (!with_jobs) return {};
  auto trigger = Trigger::make(options);
  if (!trigger) return trigger.error();
  for (std::uint32_t i = 0; i < options.jobs; ++i) {
    if (const auto at = trigger->pull(); !at) return at.error();
    swarm.run_for(kSettleNs);
    if (const Status s = trigger->finish(); !s) return s;
  }
  report.count("jobs", options.jobs);
  report.number("rss_per_connection_after_jobs_bytes", per_connection());
  report.count("lost", swarm.lost());
  return {};
}

}  // namespace adit::load
