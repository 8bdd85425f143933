// SPDX-License-Identifier: MIT
// Trigger: makes the server send a new job, by a signal to it or by a call to its node.
#pragma once

#include <optional>
#include <string>

#include "stratum_load/options.h"

namespace adit::load {

/// Wall clock in nanoseconds: the one that the kernel stamps packets with.
std::int64_t wall_ns();

class Trigger {
 public:
  /// Checks the options; an error when none, or a foreign host, is named.
  static Result<Trigger> make(const Options& options);
  /// Pulls it and returns the moment before. Does not wait for the node's answer.
  Result<std::int64_t> pull();
  /// Reads the node's answer to the last pull, at most 10 s.
  Status finish();

 private:
  pid_t pid_ = 0;
  client::Endpoint node_;
  std::string request_;
  int fd_ = -1;
};

}  // namespace adit::load
