// SPDX-License-Identifier: MIT
// ExtranoncePrefix and its allocator: our part of the extranonce, never shared by two streams of
// work whose shares could still be paid. Layout, big-endian: instance u8, worker u8, boot u16,
// counter u32, then zero bytes up to the size; unique over restarts because `boot` is leased from
// the ledger at each start.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "adit/base/bytes.h"
#include "adit/mining/job.h"

namespace adit {

struct ExtranoncePrefix {
  std::array<std::uint8_t, kExtranonceSize> bytes{};
  std::uint8_t size = 8;
  Bytes view() const { return Bytes(bytes).first(size); }
  std::uint32_t counter() const { return load_be32(bytes.data() + 4); }
  bool operator==(const ExtranoncePrefix&) const = default;
};

/// One per worker thread. Thread: its worker's.
class ExtranonceAllocator {
 public:
  static constexpr std::size_t kFreedLimit = 1 << 20;
  struct Lease {
    std::uint8_t instance = 0;
    std::uint8_t worker = 0;
    std::uint16_t boot = 0;
  };
  explicit ExtranonceAllocator(Lease lease) : lease_(lease) {}
  /// `size` is 8..16 (CHECK). nullopt when 2^32 prefixes are in use.
  std::optional<ExtranoncePrefix> allocate(std::uint8_t size);
  /// `last_tip`: of the newest job issued under the prefix. Reused only after the tip has moved
  /// past it by two, when every such job is dead. At most kFreedLimit wait for that; what is freed
  /// beyond is never reused.
  void release(const ExtranoncePrefix& prefix, TipNumber last_tip);
  void tip_changed(TipNumber tip);  ///< never goes back (CHECK)
  std::size_t live() const { return live_; }

 private:
  struct Freed {
    std::uint32_t counter;
    TipNumber tip;
  };
  Lease lease_;
  TipNumber tip_;
  std::uint64_t next_ = 1;
  std::deque<Freed> freed_;
  std::size_t live_ = 0;
};

}  // namespace adit
