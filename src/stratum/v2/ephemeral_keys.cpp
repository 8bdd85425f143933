// SPDX-License-Identifier: MIT
#include "adit/stratum/v2/ephemeral_keys.h"

#include <algorithm>

namespace adit::v2 {

std::size_t EphemeralKeys::refill(const FillRandom& random, std::size_t count) {
  count = std::min(count, capacity_ - stock_.size());
  for (std::size_t i = 0; i < count; ++i) stock_.push_back(EllSwiftKey::generate(random));
  return count;
}

EllSwiftKey EphemeralKeys::take(const FillRandom& random) {
  if (stock_.empty()) return EllSwiftKey::generate(random);
  EllSwiftKey key = std::move(stock_.back());
  stock_.pop_back();
  return key;
}

}  // namespace adit::v2
