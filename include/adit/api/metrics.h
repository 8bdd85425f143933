// SPDX-License-Identifier: MIT
// The pool's counters as Prometheus reads them: text exposition format 0.0.4. All count from the
// start of the process. docs/api.md has the table.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace adit {

struct PoolMetrics {
  std::string version;
  std::uint64_t connections = 0;  ///< open now
  std::uint64_t connections_opened = 0, connections_closed = 0;
  std::uint64_t connections_refused =
      0;                              ///< closed at once: no place left, for all or their source
  std::uint64_t shares_accepted = 0;  ///< durable, and acknowledged
  std::vector<std::pair<std::string, std::uint64_t>> shares_rejected;  ///< by reason
  std::uint64_t blocks_found = 0, blocks_accepted = 0, blocks_refused = 0;
  std::uint64_t jobs = 0, clean_jobs = 0;  ///< clean: of these, miners dropped what they had
  std::uint64_t templates_refused = 0, proposals_failed = 0;
  std::uint64_t tip_height = 0;
  std::uint64_t first_shares = 0;    ///< connections that had a first share accepted...
  std::uint64_t first_share_ms = 0;  ///< ...and after how many milliseconds, in sum
  std::uint64_t ledger_sequence = 0;
  std::uint64_t ledger_commits = 0;
  bool storage_full = false;
};

inline constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

std::string metrics_text(const PoolMetrics& metrics);

}  // namespace adit
