// SPDX-License-Identifier: MIT
// NodeCaller: one call to a node and its answer, for commands. Blocking, on a loop of its own.
#pragma once

#include <string>

#include "app/config.h"
#include "uv/http_client.h"

namespace adit {

class NodeCaller {
 public:
  explicit NodeCaller(Clock& clock) : loop_(clock), http_(loop_) {}
  /// The raw JSON of "result". Unavailable: no answer, or the node's own error with its words.
  Result<std::string> call(const NodeConfig& node, const std::string& method,
                           const std::string& params);
  Instant now() { return loop_.now().mono; }

 private:
  uv::Loop loop_;
  uv::HttpClient http_;
  std::uint64_t token_ = 0;
};

}  // namespace adit
