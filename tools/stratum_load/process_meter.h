// SPDX-License-Identifier: MIT
// What another process has used, as /proc tells it. Linux only, as the bench is.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace adit::load {

struct CpuTime {
  double total_us = 0;   ///< on a CPU: to the nanosecond where the kernel keeps schedstat
  double user_us = 0;    ///< in clock ticks
  double system_us = 0;  ///< in clock ticks
  CpuTime operator-(const CpuTime& earlier) const {
    return {total_us - earlier.total_us, user_us - earlier.user_us, system_us - earlier.system_us};
  }
};

/// Zeroes for pid 0 or a process that is gone.
CpuTime cpu_time_of(pid_t pid);
/// Resident memory in bytes; 0 for pid 0 or a process that is gone.
std::uint64_t resident_bytes_of(pid_t pid);

}  // namespace adit::load
