// SPDX-License-Identifier: MIT
// HTTP POST to bitcoind by libcurl's multi interface on the loop: keep-alive, bounded answers,
// time-outs, no redirects.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "adit/base/time.h"
#include "uv/loop.h"

namespace adit::uv {

struct HttpRequest {
  std::string url;
  std::string user_password;  ///< "user:password" for basic authentication; empty: none
  std::string body;
  Duration timeout{};
  std::size_t max_answer = 1 << 20;
};

struct HttpAnswer {
  /// Set when there is no whole answer: "connection refused", "timed out after 30 s", "answer
  /// larger than 1048576 bytes".
  std::optional<std::string> transport_error;
  int status = 0;
  std::string body;
};

class HttpClient {
 public:
  using Callback = std::function<void(HttpAnswer)>;
  explicit HttpClient(Loop& loop);
  /// Open requests are dropped without a callback.
  ~HttpClient();
  /// Any number at a time, each on a connection of its own while it runs; idle connections are
  /// reused for 20 s. The callback comes later, from the loop, exactly once.
  void post(HttpRequest request, Callback callback);
  std::size_t open_requests() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace adit::uv
