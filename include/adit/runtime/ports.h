// SPDX-License-Identifier: MIT
// The ports through which the world comes in: time, randomness, one-shot wake-ups. Production has
// them in `uv`; tests drive them by hand.
#pragma once

#include <functional>

#include "adit/base/bytes.h"
#include "adit/base/time.h"

namespace adit {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Now now() = 0;
};

class Entropy {
 public:
  virtual ~Entropy() = default;
  virtual void fill(MutableBytes out) = 0;  ///< from the kernel; never fails (CHECK)
};

}  // namespace adit
