// SPDX-License-Identifier: MIT
// Scenario fan-out: how far apart one new tip reaches many idle miners. The times are the kernel's
// own of each packet, so that our reading, which shares the CPUs with the server, does not count.
#include <fmt/format.h>

#include <algorithm>

#include "stratum_load/process_meter.h"
#include "stratum_load/scenarios.h"
#include "stratum_load/swarm.h"
#include "stratum_load/trigger.h"

namespace adit::load {

namespace {

constexpr std::int64_t kSettleNs = 500'000'000;
constexpr std::int64_t kArriveWithinNs = 20'000'000'000;

class Arrivals final : public Scenario {
 public:
  explicit Arrivals(std::size_t miners) : stamps(miners) {}
  void begin() {
    std::ranges::fill(stamps, 0);
    arrived = 0;
  }
  void on_ready(Miner& miner) override { miner.talk->doze(); }
  void on_event(Miner& miner, const client::Event& event, std::int64_t stamp_ns) override {
    if (event.what != client::Heard::NewTip || stamps[miner.index] != 0) return;
    stamps[miner.index] = stamp_ns;
    ++arrived;
  }

  std::vector<std::int64_t> stamps;  // 0: not yet
  std::size_t arrived = 0;
};

struct Broadcast {
  double spread_us, first_us, last_us, median_us, cpu_us;
};

Result<Broadcast> one_broadcast(const Options& options, Swarm& swarm, Arrivals& arrivals,
                                Trigger& trigger) {
  arrivals.begin();
  const CpuTime cpu_before = cpu_time_of(options.server_pid);
  const auto pulled = trigger.pull();
  if (!pulled) return pulled.error();
  const std::int64_t deadline = *pulled + kArriveWithinNs;
  while (arrivals.arrived < swarm.ready() && wall_ns() < deadline) swarm.turn(100);
  if (arrivals.arrived < arrivals.stamps.size())
    return Error{ErrorCode::Unavailable, fmt::format("the job reached {} of {} connections",
                                                     arrivals.arrived, arrivals.stamps.size())};
  const double cpu_us = (cpu_time_of(options.server_pid) - cpu_before).total_us;
  if (const Status s = trigger.finish(); !s) return s.error();
  std::vector<std::int64_t> sorted = arrivals.stamps;
  std::ranges::sort(sorted);
  const auto since = [&](std::int64_t at, std::int64_t from) {
    return static_cast<double>(at - from) / 1000;
  };
  return Broadcast{since(sorted.back(), sorted.front()), since(sorted.front(), *pulled),
                   since(sorted.back(), *pulled), since(sorted[sorted.size() / 2], sorted.front()),
                   cpu_us};
}

double median_of(std::vector<Broadcast>& all, double Broadcast::*figure) {
  std::ranges::sort(all, {}, figure);
  return all[all.size() / 2].*figure;
}

}  // namespace

Status run_fan_out(const Options& options, const client::Address& pool, Report& report) {
  auto trigger = Trigger::make(options);
  if (!trigger) return trigger.error();
  Arrivals arrivals(options.connections);
  Swarm swarm(options, pool, arrivals);
  if (const Status s = swarm.open_all(); !s) return s;
  std::vector<Broadcast> all;
  for (std::uint32_t i = 0; i < std::max(options.jobs, 1u); ++i) {
    swarm.run_for(kSettleNs);
    const auto one = one_broadcast(options, swarm, arrivals, *trigger);
    if (!one) return one.error();
    all.push_back(*one);
  }
  report.count("connections", options.connections);
  report.count("jobs", all.size());
  report.number("spread_us", median_of(all, &Broadcast::spread_us));
  report.number("spread_worst_us", std::ranges::max(all, {}, &Broadcast::spread_us).spread_us);
  report.number("median_after_first_us", median_of(all, &Broadcast::median_us));
  report.number("trigger_to_first_us", median_of(all, &Broadcast::first_us));
  report.number("trigger_to_last_us", median_of(all, &Broadcast::last_us));
  if (options.server_pid != 0) report.number("cpu_per_job_us", median_of(all, &Broadcast::cpu_us));
  report.count("lost", swarm.lost());
  return {};
}

}  // namespace adit::load
