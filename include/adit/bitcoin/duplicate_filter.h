// SPDX-License-Identifier: MIT
// DuplicateFilter: which header hashes were already paid on which tip. The ledger's door asks it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "adit/base/zeroed_table.h"
#include "adit/bitcoin/hash.h"

namespace adit {

/// An insert-only set of hashes with open addressing, keyed by the hash's first 16 bytes (internal
/// order: the random end). Up to `limit` entries; then it refuses, never evicts. It is cut into
/// parts that double each for itself, so that no single insert moves more than a part.
class HashSet {
 public:
  explicit HashSet(std::size_t limit) : limit_(limit) {}
  enum class Insert { Added, Present, Full };
  Insert insert(const BlockHash& hash);
  bool contains(const BlockHash& hash) const;
  /// Asks the CPU to fetch the place of a hash that will be inserted soon: a large set is never in
  /// its cache.
  void prefetch(const BlockHash& hash) const;
  std::size_t size() const { return size_; }
  void clear();  ///< gives the memory back

 private:
  struct Key {
    std::uint64_t low = 0, high = 0;
    bool operator==(const Key&) const = default;
  };
  using Slots = ZeroedTable<Key>;
  struct Part {
    Slots slots;  // the all-zero key is "empty"; a real hash of it is stored as {1, 0}
    std::size_t size = 0;
    std::size_t slot(const Key& key) const;  // where the key is, or the gap where it would go
    void grow();
  };
  static constexpr unsigned kPartBits = 3;
  static Key key_of(const BlockHash& hash);
  // The low half of the key says where in its part a hash is, so this takes from the high one.
  static std::size_t part_of(const Key& key) { return key.high >> (64 - kPartBits); }
  std::array<Part, std::size_t{1} << kPartBits> parts_;
  std::size_t size_ = 0;
  std::size_t limit_;
};

/// One HashSet for each of the last `kTips` tips by use, so that a reorg back to an earlier tip
/// finds its hashes again. A tip is named by its block hash (a share's prev).
class DuplicateFilter {
 public:
  static constexpr std::size_t kTips = 4;
  explicit DuplicateFilter(std::size_t limit_per_tip) : limit_(limit_per_tip) {}
  HashSet::Insert insert(const BlockHash& tip, const BlockHash& header_hash);
  bool contains(const BlockHash& tip, const BlockHash& header_hash) const;
  void prefetch(const BlockHash& tip, const BlockHash& header_hash) const;
  std::size_t size() const;

 private:
  struct Entry {
    BlockHash tip;
    HashSet hashes;
    std::uint64_t used;
  };
  std::vector<Entry> entries_;
  Entry& entry_for(const BlockHash& tip);
  std::size_t last_ = 0;  // the entry used last: nearly always the one asked for next
  std::uint64_t clock_ = 0;
  std::size_t limit_;
};

}  // namespace adit
