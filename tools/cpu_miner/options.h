// SPDX-License-Identifier: MIT
// What the command line of cpu-miner says.
#pragma once

#include "client/pool_target.h"

namespace adit::miner {

struct Options {
  client::PoolTarget pool;
  unsigned threads = 1;
  double limit_mhs = 0;  ///< of all threads together; 0: as fast as they go
  unsigned seconds = 0;  ///< 0: until a signal
  bool exit_with_parent = false;
  bool quiet = false;
};

}  // namespace adit::miner
