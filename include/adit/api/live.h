// SPDX-License-Identifier: MIT
// What the running pool is asked for an answer: who is connected right now, and its counters. The
// books know only who had a share. A port: the app has threads behind it, tests have values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "adit/api/metrics.h"
#include "adit/base/result.h"
#include "adit/base/time.h"

namespace adit {

/// A worker as one thread of the pool knows it.
struct LiveWorker {
  std::string name;               ///< what follows the address's dot; may be empty
  std::uint32_t connections = 0;  ///< open now under its name; of V2 the channels
  UnixMillis since;               ///< open without a break since then; zero without connections
  UnixMillis last_share;  ///< the newest that this thread took from it; zero: it knows of none
  std::uint64_t hash_rate = 0;  ///< hashes a second by its shares of the last five minutes
};
struct LiveWorkers {
  std::vector<LiveWorker> workers;  ///< by rising name (bytes)
  bool whole = true;                ///< false: the account has more than a thread looks at
};
struct LiveQuestion {
  std::string account;    ///< canonical address
  std::string from;       ///< names from this one on
  std::size_t limit = 0;  ///< of names, for each thread
};

/// Workers that a thread looks at for one question, at most: those with connections come first.
inline constexpr std::size_t kLiveMost = 10'000;

class LivePool {
 public:
  virtual ~LivePool() = default;
  /// What each thread knows: connected workers, and others it has seen a share of. Unavailable:
  /// one of them did not answer in time, or the pool ends.
  virtual Result<std::vector<LiveWorkers>> who_mines(const LiveQuestion& question) = 0;
  virtual PoolMetrics metrics() = 0;
};

}  // namespace adit
