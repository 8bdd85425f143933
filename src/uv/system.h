// SPDX-License-Identifier: MIT
// The one place where the project reads a clock or the kernel's randomness.
#pragma once

#include <string>

#include "adit/base/result.h"
#include "adit/runtime/ports.h"

namespace adit::uv {

class OsClock final : public Clock {
 public:
  Now now() override;
};

class OsEntropy final : public Entropy {
 public:
  void fill(MutableBytes out) override;
};

/// Raises the soft limit of open files to the hard one; returns it.
std::size_t raise_fd_limit();
/// Makes room for so many open files, as far as the limit goes. Where a process has several
/// threads, the kernel lets the one that needs a larger table wait for all processors (RCU), 8 to
/// 24 ms at each doubling. So do it before there are miners to wait along.
void grow_fd_table(std::size_t files);
/// At most 15 characters; shows in `top -H`.
void name_thread(const char* name);
/// Cores this process may use.
unsigned cores();
/// CPU time of the whole process so far.
Duration process_cpu_time();
/// Tells systemd, when it started us: "READY=1", "STOPPING=1", "WATCHDOG=1". Silent otherwise.
void notify_service_manager(const char* state);

}  // namespace adit::uv
