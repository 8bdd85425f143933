// SPDX-License-Identifier: MIT
// What the command line of cpu-miner says.
#pragma once

#include "v1_client/conversation.h"
#include "v1_client/endpoint.h"

namespace adit::miner {

struct Options {
  client::Endpoint pool;
  client::Conversation::Login login;
  unsigned threads = 1;
  double limit_mhs = 0;  ///< of all threads together; 0: as fast as they go
  unsigned seconds = 0;  ///< 0: until a signal
  bool exit_with_parent = false;
  bool quiet = false;
};

}  // namespace adit::miner
