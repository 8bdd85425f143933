// SPDX-License-Identifier: MIT
// What the HTTP interface answers: a request, the books and the running pool in, a reply out.
// Read-only, JSON, versioned by its path; docs/api.md has the fields. Pure; the app brings requests
// (uv's HTTP server), a reader of the books and a way to ask the pool.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adit/api/live.h"
#include "adit/bitcoin/network.h"
#include "adit/ledger/book_totals.h"
#include "adit/ledger/store.h"

namespace adit {

struct ApiRequest {
  std::string path;  ///< "/api/v1/slices"; decoded
  std::vector<std::pair<std::string, std::string>> query;
};

struct ApiReply {
  int status = 200;
  std::string type = "application/json";
  std::string body;
};

/// Slices and workers in one answer, at most and by default.
inline constexpr std::uint64_t kApiSlices = 100, kApiWorkers = 1'000;

struct ApiSources {
  LedgerStore& books;
  BookTotals& totals;  ///< of `books`, refreshed when a route needs it
  LivePool& live;
  Network network = Network::Main;
};

/// GET /healthz                    "ok"
/// GET /metrics                    Prometheus (metrics.h)
/// GET /api/v1/accounts/ADDRESS    totals, connections, money; 400: no address of this network
/// GET /api/v1/accounts/ADDRESS/workers
///                                 each worker of the books and each that is connected, by name;
///                                 ?from=NAME&limit=COUNT, and `next` says where to go on
/// GET /api/v1/slices              the newest, oldest first; ?from=NUMBER&limit=COUNT
/// GET /api/v1/slices/NUMBER       one: its root is what share proofs end in, its hash what the
///                                 next one names as `previous`
/// Anything else is 404, and so is an address that nobody mines for; a query that is not as above
/// 400; books that cannot be read, or a pool that does not answer, 503. Each of these as {"error":
/// TEXT}.
ApiReply answer_api(const ApiSources& sources, const ApiRequest& request);

}  // namespace adit
