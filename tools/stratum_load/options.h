// SPDX-License-Identifier: MIT
// What the command line of stratum-load says.
#pragma once

#include <sys/types.h>

#include <string>

#include "client/pool_target.h"

namespace adit::load {

struct Options {
  std::string scenario;
  client::PoolTarget pool;
  std::uint32_t connections = 100;
  std::uint32_t in_flight = 8;
  std::uint64_t shares = 0;  ///< 0: until the seconds are over
  double seconds = 5;
  std::uint32_t jobs = 5;
  pid_t server_pid = 0;  ///< 0: its CPU and memory are not measured
  std::string rpc_url, rpc_method;
  pid_t signal_pid = 0;
  bool json = false;
};

}  // namespace adit::load
