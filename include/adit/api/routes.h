// SPDX-License-Identifier: MIT
// What the HTTP interface answers: a request and the books in, a reply out. Read-only, JSON,
// versioned by its path. Pure; the app brings requests (uv's HTTP server) and a reader of the
// books.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

/// Slices in one answer, at most and by default.
inline constexpr std::uint64_t kApiSlices = 100;

/// GET /healthz                    "ok"
/// GET /api/v1/slices              the newest, oldest first; ?from=NUMBER&limit=COUNT
/// GET /api/v1/slices/NUMBER       one: its root is what share proofs end in, its hash what the
/// next
///                                 one names as `previous`
/// Anything else is 404; a query that is not as above 400; books that cannot be read 503. Each of
/// these as {"error": TEXT}.
ApiReply answer_api(LedgerStore& books, const ApiRequest& request);

}  // namespace adit
