// SPDX-License-Identifier: MIT
// The metrics, to the byte.
#include "adit/api/metrics.h"

#include <doctest/doctest.h>

#include "live_values.h"
#include "support/memory_store.h"

using namespace adit;

namespace {

PoolMetrics sample() {
  PoolMetrics m;
  m.version = "0.1.0";
  m.connections = 3;
  m.connections_opened = 10;
  m.connections_closed = 7;
  m.connections_refused = 2;
  m.shares_accepted = 18'446'744'073'709'551'615u;
  m.shares_rejected = {{"stale_job", 4}, {"duplicate", 0}};
  m.blocks_found = 5;
  m.blocks_accepted = 3;
  m.blocks_refused = 1;
  m.jobs = 40;
  m.clean_jobs = 6;
  m.templates_refused = 8;
  m.proposals_failed = 9;
  m.tip_height = 870'000;
  m.first_shares = 2;
  m.first_share_ms = 61'007;
  m.ledger_sequence = 123;
  m.ledger_commits = 100;
  m.storage_full = true;
  return m;
}

constexpr std::string_view kGolden =
    R"(# HELP adit_build_info The pool's version; always 1.
# TYPE adit_build_info gauge
adit_build_info{version="0.1.0"} 1
# HELP adit_connections Miners' connections that are open now.
# TYPE adit_connections gauge
adit_connections 3
# HELP adit_connections_opened_total Connections that came in.
# TYPE adit_connections_opened_total counter
adit_connections_opened_total 10
# HELP adit_connections_closed_total Connections of these that ended.
# TYPE adit_connections_closed_total counter
adit_connections_closed_total 7
# HELP adit_connections_refused_total Connections closed at once for want of a place.
# TYPE adit_connections_refused_total counter
adit_connections_refused_total 2
# HELP adit_shares_accepted_total Shares that are durable and acknowledged.
# TYPE adit_shares_accepted_total counter
adit_shares_accepted_total 18446744073709551615
# HELP adit_shares_rejected_total Shares that were refused, by reason.
# TYPE adit_shares_rejected_total counter
adit_shares_rejected_total{reason="stale_job"} 4
adit_shares_rejected_total{reason="duplicate"} 0
# HELP adit_first_share_seconds Time from a connection's begin to its first accepted share.
# TYPE adit_first_share_seconds summary
adit_first_share_seconds_sum 61.007
adit_first_share_seconds_count 2
# HELP adit_jobs_total Jobs sent to all miners.
# TYPE adit_jobs_total counter
adit_jobs_total 40
# HELP adit_clean_jobs_total Jobs of these with clean_jobs: miners dropped the work they had.
# TYPE adit_clean_jobs_total counter
adit_clean_jobs_total 6
# HELP adit_templates_refused_total Templates of nodes that made no job.
# TYPE adit_templates_refused_total counter
adit_templates_refused_total 8
# HELP adit_proposals_failed_total Jobs whose block a node would not take.
# TYPE adit_proposals_failed_total counter
adit_proposals_failed_total 9
# HELP adit_tip_height Height of the block that miners build on.
# TYPE adit_tip_height gauge
adit_tip_height 870000
# HELP adit_blocks_found_total Blocks found by miners.
# TYPE adit_blocks_found_total counter
adit_blocks_found_total 5
# HELP adit_blocks_accepted_total Found blocks that a node connected.
# TYPE adit_blocks_accepted_total counter
adit_blocks_accepted_total 3
# HELP adit_blocks_refused_total Found blocks that were refused.
# TYPE adit_blocks_refused_total counter
adit_blocks_refused_total 1
# HELP adit_ledger_sequence Number of the newest share in the books.
# TYPE adit_ledger_sequence gauge
adit_ledger_sequence 123
# HELP adit_ledger_commits_total Batches of shares written.
# TYPE adit_ledger_commits_total counter
adit_ledger_commits_total 100
# HELP adit_storage_full 1 while shares are refused for want of room on the disk.
# TYPE adit_storage_full gauge
adit_storage_full 1
)";

}  // namespace

TEST_CASE("metrics: each with help and type, numbers as they are") {
  CHECK(metrics_text(sample()) == kGolden);
}

TEST_CASE("metrics: a label's value is escaped") {
  PoolMetrics m = sample();
  m.version = "a\"b\\c\nd{}é";
  CHECK(metrics_text(m).find("adit_build_info{version=\"a\\\"b\\\\c\\nd{}é\"} 1\n") !=
        std::string::npos);
}

TEST_CASE("metrics: seconds are whole milliseconds, written with all three digits") {
  PoolMetrics m = sample();
  const auto shows = [&](std::uint64_t ms, std::string_view text) {
    m.first_share_ms = ms;
    return metrics_text(m).find("adit_first_share_seconds_sum " + std::string(text) + "\n") !=
           std::string::npos;
  };
  CHECK(shows(0, "0.000"));
  CHECK(shows(5, "0.005"));
  CHECK(shows(999, "0.999"));
  CHECK(shows(1'000, "1.000"));
  CHECK(shows(18'446'744'073'709'551'615u, "18446744073709551.615"));
}

TEST_CASE("metrics: a route that needs no books and takes no parameters") {
  test::MemoryStore store;
  store.fail_read_at = 1;
  BookTotals totals;
  test::LiveValues live;
  live.counters = sample();
  const ApiSources sources{store, totals, live, Network::Regtest};
  const ApiReply reply = answer_api(sources, {"/metrics", {}});
  CHECK(reply.status == 200);
  CHECK(reply.type == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(reply.body == kGolden);
  CHECK(answer_api(sources, {"/metrics", {{"x", "1"}}}).status == 404);
  CHECK(answer_api(sources, {"/metrics/", {}}).status == 404);
}
