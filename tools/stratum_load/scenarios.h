// SPDX-License-Identifier: MIT
// The loads; each runs to its end within bounded time and fills a report.
#pragma once

#include "stratum_load/options.h"
#include "stratum_load/report.h"

namespace adit::load {

/// `connections` times: connect, log in, wait for the first job, close; `in_flight` at a time. As
/// scenario handshake, V2 only: no further than the handshake.
Status run_connect(const Options& options, const client::Address& pool, Report& report);
/// `connections` miners with `in_flight` unanswered shares each, for `seconds` or `shares`.
Status run_submit(const Options& options, const client::Address& pool, Report& report);
/// `connections` idle miners; `jobs` times a new job, and how far apart it reaches them.
Status run_fan_out(const Options& options, const client::Address& pool, Report& report);
/// `connections` idle miners: the server's memory for each, at first and after `jobs` new jobs.
Status run_idle(const Options& options, const client::Address& pool, Report& report);

}  // namespace adit::load
