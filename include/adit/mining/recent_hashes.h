// SPDX-License-Identifier: MIT
// RecentHashes: the shares a worker thread accepted lately, for a quick answer to a miner that
// repeats itself. It stays in the CPU's cache and may forget: that no hash is paid twice is the
// ledger's promise. Thread: its worker's.
#pragma once

#include <cstddef>
#include <vector>

#include "adit/bitcoin/hash.h"

namespace adit {

class RecentHashes {
 public:
  static constexpr std::size_t kPlaces = std::size_t{1} << 14;
  /// `places` is a power of two (CHECK). A hash is forgotten when another takes its place: one of
  /// the last n is still known with a chance of about 1 - n / places.
  explicit RecentHashes(std::size_t places = kPlaces);
  /// False: it is known already.
  bool insert(const BlockHash& hash) {
    std::uint64_t& place = places_[place_of(hash)];
    if (place == tag_of(hash)) return false;
    place = tag_of(hash);
    return true;
  }
  bool contains(const BlockHash& hash) const { return places_[place_of(hash)] == tag_of(hash); }
  /// Asks the CPU to fetch the place of a hash that will be inserted soon.
  void prefetch(const BlockHash& hash) const { __builtin_prefetch(&places_[place_of(hash)], 1); }

 private:
  // Bytes of the random end. Two hashes that agree in place and tag would cost 2^78 hashes to find.
  std::size_t place_of(const BlockHash& hash) const {
    return load_le<std::uint64_t>(hash.bytes.data()) & (places_.size() - 1);
  }
  static std::uint64_t tag_of(const BlockHash& hash) {
    const auto tag = load_le<std::uint64_t>(hash.bytes.data() + 8);
    return tag == 0 ? 1 : tag;  // 0 is an empty place
  }
  std::vector<std::uint64_t> places_;
};

}  // namespace adit
