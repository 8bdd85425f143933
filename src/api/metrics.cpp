// SPDX-License-Identifier: MIT
#include "adit/api/metrics.h"

#include <fmt/format.h>

namespace adit {
namespace {

/// Backslash, quote and line feed, as the format wants them in a label's value.
std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

class Text {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    fmt::format_to(std::back_inserter(out_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name,
                   type);
  }
  void sample(std::string_view name, std::string_view value) {
    fmt::format_to(std::back_inserter(out_), "{} {}\n", name, value);
  }
  void sample(std::string_view name, std::uint64_t value) { sample(name, std::to_string(value)); }
  void sample(std::string_view name, std::string_view label, std::string_view of,
              std::uint64_t value) {
    fmt::format_to(std::back_inserter(out_), "{}{{{}=\"{}\"}} {}\n", name, label, escaped(of),
                   value);
  }
  void counter(std::string_view name, std::uint64_t value, std::string_view help) {
    family(name, "counter", help);
    sample(name, value);
  }
  void gauge(std::string_view name, std::uint64_t value, std::string_view help) {
    family(name, "gauge", help);
    sample(name, value);
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

void miners(Text& text, const PoolMetrics& m) {
  text.gauge("adit_connections", m.connections, "Miners' connections that are open now.");
  text.counter("adit_connections_opened_total", m.connections_opened, "Connections that came in.");
  text.counter("adit_connections_closed_total", m.connections_closed,
               "Connections of these that ended.");
  text.counter("adit_connections_refused_total", m.connections_refused,
               "Connections closed at once for want of a place.");
  text.counter("adit_shares_accepted_total", m.shares_accepted,
               "Shares that are durable and acknowledged.");
  text.family("adit_shares_rejected_total", "counter", "Shares that were refused, by reason.");
  for (const auto& [reason, count] : m.shares_rejected)
    text.sample("adit_shares_rejected_total", "reason", reason, count);
  text.family("adit_first_share_seconds", "summary",
              "Time from a connection's begin to its first accepted share.");
  text.sample("adit_first_share_seconds_sum",
              fmt::format("{}.{:03}", m.first_share_ms / 1000, m.first_share_ms % 1000));
  text.sample("adit_first_share_seconds_count", m.first_shares);
}

void work(Text& text, const PoolMetrics& m) {
  text.counter("adit_jobs_total", m.jobs, "Jobs sent to all miners.");
  text.counter("adit_clean_jobs_total", m.clean_jobs,
               "Jobs of these with clean_jobs: miners dropped the work they had.");
  text.counter("adit_templates_refused_total", m.templates_refused,
               "Templates of nodes that made no job.");
  text.counter("adit_proposals_failed_total", m.proposals_failed,
               "Jobs whose block a node would not take.");
  text.gauge("adit_tip_height", m.tip_height, "Height of the block that miners build on.");
  text.counter("adit_blocks_found_total", m.blocks_found, "Blocks found by miners.");
  text.counter("adit_blocks_accepted_total", m.blocks_accepted,
               "Found blocks that a node connected.");
  text.counter("adit_blocks_refused_total", m.blocks_refused, "Found blocks that were refused.");
}

}  // namespace

std::string metrics_text(const PoolMetrics& m) {
  Text text;
  text.family("adit_build_info", "gauge", "The pool's version; always 1.");
  text.sample("adit_build_info", "version", m.version, 1);
  miners(text, m);
  work(text, m);
  text.gauge("adit_ledger_sequence", m.ledger_sequence, "Number of the newest share in the books.");
  text.counter("adit_ledger_commits_total", m.ledger_commits, "Batches of shares written.");
  text.gauge("adit_storage_full", m.storage_full ? 1 : 0,
             "1 while shares are refused for want of room on the disk.");
  return text.take();
}

}  // namespace adit
