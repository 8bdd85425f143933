// SPDX-License-Identifier: MIT
// Handing out extranonce prefixes.
#include "adit/mining/extranonce.h"

#include "adit/base/check.h"

namespace adit {
namespace {

constexpr std::uint8_t kMinSize = 8;  // up to the counter's last byte
constexpr std::uint8_t kMaxSize = kExtranonceSize;
constexpr std::uint64_t kCounterEnd = std::uint64_t{1} << 32;
constexpr std::uint64_t kTipsAlive = 2;

}  // namespace

std::optional<ExtranoncePrefix> ExtranonceAllocator::allocate(std::uint8_t size) {
  CHECK(size >= kMinSize && size <= kMaxSize);
  std::uint32_t counter = 0;
  if (!freed_.empty() && tip_.value() >= std::uint64_t{freed_.front().tip.value()} + kTipsAlive) {
    counter = freed_.front().counter;
    freed_.pop_front();
  } else if (next_ < kCounterEnd) {
    counter = static_cast<std::uint32_t>(next_++);
  } else {
    return std::nullopt;
  }
  ++live_;
  ExtranoncePrefix prefix;
  prefix.size = size;
  prefix.bytes[0] = lease_.instance;
  prefix.bytes[1] = lease_.worker;
  store_be16(prefix.bytes.data() + 2, lease_.boot);
  store_be32(prefix.bytes.data() + 4, counter);
  return prefix;
}

void ExtranonceAllocator::release(const ExtranoncePrefix& prefix, TipNumber last_tip) {
  CHECK(live_ > 0 && prefix.bytes[0] == lease_.instance && prefix.bytes[1] == lease_.worker &&
        load_be16(prefix.bytes.data() + 2) == lease_.boot && prefix.counter() < next_);
  --live_;
  // A storm of reconnects within one tip leaks counters rather than memory: 2^32 is plenty.
  if (freed_.size() < kFreedLimit) freed_.push_back({prefix.counter(), last_tip});
}

void ExtranonceAllocator::tip_changed(TipNumber tip) {
  CHECK(tip >= tip_);
  tip_ = tip;
}

}  // namespace adit
