// SPDX-License-Identifier: MIT
// The threads' counters, as the HTTP interface shows them. Each is read without a lock: sums may
// be a moment apart from each other.
#include <algorithm>

#include "app/pool.h"
#include "app/version.h"

namespace adit {
namespace {

/// As labels are written: "stale_job".
std::string snake_case(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '-', '_');
  return out;
}

}  // namespace

PoolMetrics Pool::metrics() const {
  PoolMetrics sum;
  sum.version = kVersion;
  for (std::size_t i = 0; i < kRejectReasons; ++i)
    sum.shares_rejected.emplace_back(snake_case(reject_reason_name(static_cast<RejectReason>(i))),
                                     0);
  for (const auto& worker : workers_) {
    const WorkerCounters& counters = worker->counters();
    sum.connections += counters.connections.get();
    sum.connections_opened += counters.connects.get();
    sum.connections_closed += counters.closes.get();
    sum.connections_refused += counters.turned_away.get();
    sum.shares_accepted += counters.accepted.get();
    for (std::size_t i = 0; i < kRejectReasons; ++i)
      sum.shares_rejected[i].second += counters.rejected[i].get();
    sum.first_shares += counters.begun.get();
    sum.first_share_ms += counters.begun_ms.get();
  }
  const UpstreamCounters& upstream = upstream_->counters();
  sum.blocks_found = upstream.blocks_found.get();
  sum.blocks_accepted = upstream.blocks_accepted.get();
  sum.blocks_refused = upstream.blocks_refused.get();
  sum.jobs = upstream.jobs.get();
  sum.clean_jobs = upstream.clean_jobs.get();
  sum.templates_refused = upstream.templates_refused.get();
  sum.proposals_failed = upstream.proposals_failed.get();
  sum.tip_height = upstream.height.get();
  const LedgerCounters& ledger = ledger_->counters();
  sum.ledger_sequence = ledger.last_sequence.get();
  sum.ledger_commits = ledger.commits.get();
  sum.storage_full = ledger.storage_full.get() != 0;
  return sum;
}

}  // namespace adit
