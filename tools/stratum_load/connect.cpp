// SPDX-License-Identifier: MIT
// Scenarios connect and handshake: how fast miners come in, as after a power cut.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "stratum_load/process_meter.h"
#include "stratum_load/scenarios.h"
#include "stratum_load/swarm.h"
#include "stratum_load/trigger.h"

namespace adit::load {

namespace {

class Comings final : public Scenario {
 public:
  explicit Comings(bool handshake_only) : handshake_only_(handshake_only) {}
  void on_secured(Miner& miner) override {
    if (handshake_only_) finish(miner);
  }
  void on_ready(Miner& miner) override {
    if (!handshake_only_) finish(miner);
  }

  Samples latency;
  std::vector<Miner*> finished;  // closed outside the callback

 private:
  void finish(Miner& miner) {
    latency.add(wall_ns() - miner.began_ns);
    finished.push_back(&miner);
  }

  const bool handshake_only_;
};

}  // namespace

Status run_connect(const Options& options, const client::Address& pool, Report& report) {
  Comings comings(options.scenario == "handshake");
  Options few = options;
  few.connections = std::min(options.in_flight, options.connections);
  Swarm swarm(few, pool, comings, options.connections);
  const CpuTime cpu_before = cpu_time_of(options.server_pid);
  const std::int64_t start = wall_ns();
  const std::int64_t deadline = start + static_cast<std::int64_t>(options.seconds * 1e9);
  std::uint32_t begun = 0;
  for (const auto& miner : swarm.miners()) {
    if (const Status s = swarm.open(*miner); !s) return s;
    ++begun;
  }
  while (comings.latency.size() < options.connections && swarm.lost() == 0 &&
         wall_ns() < deadline) {
    swarm.turn(100);
    for (Miner* miner : std::exchange(comings.finished, {})) {
      swarm.close(*miner);
      if (begun == options.connections) continue;
      if (const Status s = swarm.open(*miner); !s) return s;
      ++begun;
    }
  }
  const double seconds = static_cast<double>(wall_ns() - start) / 1e9;
  const auto done = static_cast<double>(comings.latency.size());
  const CpuTime cpu = cpu_time_of(options.server_pid) - cpu_before;
  report.count("connections", comings.latency.size());
  report.count("lost", swarm.lost());
  if (swarm.lost() > 0) report.text("why_lost", swarm.why_lost());
  report.number("connects_per_s", done / seconds);
  comings.latency.report(report, options.scenario == "handshake" ? "handshake" : "first_job");
  if (options.server_pid != 0) report.number("cpu_per_connect_us", cpu.total_us / done);
  if (comings.latency.size() < options.connections)
    return Error{ErrorCode::Unavailable, fmt::format("{} of {} connections came up",
                                                     comings.latency.size(), options.connections)};
  return {};
}

}  // namespace adit::load
