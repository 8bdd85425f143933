// SPDX-License-Identifier: MIT
// Ephemeral keys made ahead: half of a handshake's cost, paid while the thread is idle.
#pragma once

#include <cstddef>
#include <vector>

#include "adit/crypto/ellswift.h"

namespace adit::v2 {

/// A bounded stock; each key is used once. One thread. A key is 96 bytes.
class EphemeralKeys {
 public:
  explicit EphemeralKeys(std::size_t capacity) : capacity_(capacity) { stock_.reserve(capacity); }

  /// Makes at most `count` keys, never above the capacity; returns how many. Call it with a small
  /// count each idle turn.
  std::size_t refill(const FillRandom& random, std::size_t count);
  /// A key from the stock, or a fresh one when that is empty.
  EllSwiftKey take(const FillRandom& random);
  std::size_t size() const { return stock_.size(); }
  bool full() const { return stock_.size() >= capacity_; }

 private:
  std::size_t capacity_;
  std::vector<EllSwiftKey> stock_;
};

}  // namespace adit::v2
