// SPDX-License-Identifier: MIT
// The end of a process that found its own bug.
#include "adit/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace adit {

void check_failed(const char* expression, const char* file, int line) noexcept {
  // stdio and not the log: the log may be what is broken, and it is asynchronous.
  std::fprintf(stderr, "adit: CHECK failed: %s at %s:%d\n", expression, file, line);
  std::fflush(stderr);
  std::abort();
}

}  // namespace adit
