// SPDX-License-Identifier: MIT
// Secret bytes that do not outlive their use, and the shape in which random bytes come in. This
// room draws none itself.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <span>

#include "adit/base/bytes.h"

namespace adit {

/// Fills `out` with unpredictable bytes; never fails. Production hands in the port Entropy.
using FillRandom = std::function<void(MutableBytes out)>;

/// Overwrites with zeros; the compiler may not leave it out. Any thread.
void wipe(MutableBytes bytes);

/// N bytes that are wiped when they are dropped or moved from. A copy has to be asked for.
template <std::size_t N>
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::span<const std::uint8_t, N> bytes) {
    std::copy(bytes.begin(), bytes.end(), bytes_.begin());
  }
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { wipe(other.bytes_); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      wipe(other.bytes_);
    }
    return *this;
  }
  ~Secret() { wipe(bytes_); }

  Secret clone() const { return Secret(bytes_); }
  const std::array<std::uint8_t, N>& bytes() const { return bytes_; }
  std::array<std::uint8_t, N>& bytes() { return bytes_; }

 private:
  std::array<std::uint8_t, N> bytes_{};
};

}  // namespace adit
