// SPDX-License-Identifier: MIT
// A plain value that held a secret, wiped at the end of its scope.
#pragma once

#include <type_traits>

#include "adit/crypto/secret.h"

namespace adit {

template <class T>
struct Wiped {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  ~Wiped() { wipe({reinterpret_cast<std::uint8_t*>(&value), sizeof value}); }
};

}  // namespace adit
