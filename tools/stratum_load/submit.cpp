// SPDX-License-Identifier: MIT
// Scenario submit: real shares as fast as the server answers them, with a fixed number unanswered
// on each connection. Answers must come in the order that the protocol promises.
#include <fmt/format.h>

#include <map>

#include "client/open_shares.h"
#include "stratum_load/process_meter.h"
#include "stratum_load/scenarios.h"
#include "stratum_load/share_maker.h"
#include "stratum_load/swarm.h"
#include "stratum_load/trigger.h"

namespace adit::load {

namespace {

constexpr std::int64_t kWarmUpNs = 500'000'000;
constexpr std::int64_t kDrainNs = 10'000'000'000;
constexpr std::size_t kReasonsKept = 32;

/// What one connection has sent and not heard of.
struct Line {
  ShareMaker shares;
  client::OpenShares<std::int64_t> open;
};

class Submits final : public Scenario {
 public:
  explicit Submits(const Options& options)
      : options_(options),
        lines_(options.connections,
               Line{{}, client::OpenShares<std::int64_t>(options.pool.is_v2())}) {}

  void attach(Swarm& swarm) { swarm_ = &swarm; }
  /// All connections begin to submit.
  void start() {
    sending = true;
    for (const auto& miner : swarm_->miners()) fill(*miner);
  }
  void forget_counts() {
    accepted = rejected = out_of_order = 0;
    reasons.clear();
    latency = {};
  }
  std::size_t open() const {
    std::size_t sum = 0;
    for (const Line& line : lines_) sum += line.open.size();
    return sum;
  }

  void on_ready(Miner& miner) override { lines_[miner.index].shares.set_work(miner.talk->work()); }
  void on_event(Miner& miner, const client::Event& event, std::int64_t) override;
  void on_read_done(Miner& miner) override { fill(miner); }

  bool sending = false;
  bool too_hard = false;
  std::uint64_t accepted = 0, rejected = 0, out_of_order = 0;
  std::map<std::string, std::uint64_t> reasons;
  Samples latency;

 private:
  void fill(Miner& miner);
  void on_answer(Line& line, const client::Event& event);

  const Options& options_;
  std::vector<Line> lines_;
  Swarm* swarm_ = nullptr;
};

void Submits::on_event(Miner& miner, const client::Event& event, std::int64_t) {
  Line& line = lines_[miner.index];
  if (event.what == client::Heard::NewWork) line.shares.set_work(miner.talk->work());
  if (event.what == client::Heard::Accepted || event.what == client::Heard::Rejected)
    on_answer(line, event);
}

void Submits::on_answer(Line& line, const client::Event& event) {
  const std::int64_t now = wall_ns();
  std::uint64_t count = 0;
  const bool in_order = line.open.settle(event, [&](const auto& sent) {
    latency.add(now - sent.at);
    ++count;
  });
  if (!in_order) ++out_of_order;
  if (event.what == client::Heard::Accepted) {
    accepted += count;
    return;
  }
  rejected += count;
  if (reasons.contains(event.text) || reasons.size() < kReasonsKept) ++reasons[event.text];
}

void Submits::fill(Miner& miner) {
  Line& line = lines_[miner.index];
  if (!sending || line.open.size() >= options_.in_flight) return;
  const std::int64_t now = wall_ns();
  while (line.open.size() < options_.in_flight) {
    const auto nonce = line.shares.next();
    if (!nonce) {
      too_hard = true;
      return;
    }
    const std::uint64_t id =
        miner.talk->append_submit(miner.out, line.shares.work(), line.shares.extranonce2(), *nonce,
                                  line.shares.version_bits());
    line.open.push(id, now);
  }
  swarm_->flush(miner);
}

void report_submits(const Options& options, Submits& submits, const Swarm& swarm, double seconds,
                    const CpuTime& cpu, Report& report) {
  const auto accepted = static_cast<double>(submits.accepted);
  report.count("connections", options.connections);
  report.count("in_flight", options.in_flight);
  report.count("accepted", submits.accepted);
  report.count("rejected", submits.rejected);
  for (const auto& [reason, count] : submits.reasons) report.count("rejected: " + reason, count);
  report.count("out_of_order", submits.out_of_order);
  report.count("lost", swarm.lost());
  if (swarm.lost() > 0) report.text("why_lost", swarm.why_lost());
  report.number("accepted_per_s", accepted / seconds);
  submits.latency.report(report, "latency");
  if (options.server_pid == 0) return;
  report.number("cpu_per_accepted_us", cpu.total_us / accepted);
  report.number("cpu_user_per_accepted_us", cpu.user_us / accepted);
  report.number("cpu_system_per_accepted_us", cpu.system_us / accepted);
}

}  // namespace

Status run_submit(const Options& options, const client::Address& pool, Report& report) {
  Submits submits(options);
  Swarm swarm(options, pool, submits);
  submits.attach(swarm);
  if (const Status s = swarm.open_all(); !s) return s;
  submits.start();
  swarm.run_for(kWarmUpNs);
  submits.forget_counts();
  const CpuTime cpu_before = cpu_time_of(options.server_pid);
  const std::int64_t start = wall_ns();
  const std::int64_t deadline = start + static_cast<std::int64_t>(options.seconds * 1e9);
  const auto enough = [&] { return options.shares != 0 && submits.accepted >= options.shares; };
  while (!submits.too_hard && swarm.ready() > 0 && !enough() && wall_ns() < deadline)
    swarm.turn(50);
  const CpuTime cpu = cpu_time_of(options.server_pid) - cpu_before;
  const double seconds = static_cast<double>(wall_ns() - start) / 1e9;
  report_submits(options, submits, swarm, seconds, cpu, report);
  submits.sending = false;
  const std::int64_t patience = wall_ns() + kDrainNs;
  while (submits.open() > 0 && swarm.lost() == 0 && wall_ns() < patience) swarm.turn(50);
  report.count("unanswered", submits.open());
  if (submits.too_hard)
    return Error{ErrorCode::Limit, "the pool's difficulty is too high for this"};
  if (submits.accepted == 0) return Error{ErrorCode::Refused, "no share was accepted"};
  if (submits.out_of_order > 0 || submits.open() > 0)
    return Error{ErrorCode::Refused, "answers are missing or out of order"};
  return {};
}

}  // namespace adit::load
