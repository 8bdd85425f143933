// SPDX-License-Identifier: MIT
// ZMQ's `hashblock` of bitcoind as a hint that the tip may have changed. Nothing is believed from
// it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "adit/base/result.h"
#include "uv/loop.h"

namespace adit::uv {

class ZmqHint {
 public:
  /// Subscribes to "hashblock" at `endpoint` ("tcp://127.0.0.1:28332"); reconnects by itself. The
  /// callback runs on the loop, once for any number of messages that wait; it must not destroy the
  /// hint.
  static Result<std::unique_ptr<ZmqHint>> subscribe(Loop& loop, const std::string& endpoint,
                                                    std::function<void()> on_hint);
  ~ZmqHint();

 private:
  struct State;
  explicit ZmqHint(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace adit::uv
