// SPDX-License-Identifier: MIT
// Slices: the share log cut into stretches of 60 s, or up to a found block. A closed slice says how
// much work each account did in it, and never changes. Slices are the unit of every payout window;
// each names the hash of the one before it, the chain value of its last share and the Merkle root
// over its shares, so that a miner can prove a share's place with few hashes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adit/base/bytes.h"
#include "adit/bitcoin/u256.h"
#include "adit/ledger/records.h"

namespace adit {

using SliceNumber = Strong<std::uint64_t, struct SliceNumberTag>;  ///< from 1, without holes

struct AccountWork {
  AccountId account;
  Uint128 work = 0;
  bool operator==(const AccountWork&) const = default;
};

/// Packed: windows hold millions of entries. An entry is the step from the previous account and the
/// work, both as base-128 numbers (least significant 7 bits first, the high bit says "more"), so a
/// usual one takes 8 bytes.
class Slice {
 public:
  Slice() = default;
  /// `entries` by rising account, each with work above zero (CHECK).
  explicit Slice(const std::vector<AccountWork>& entries);
  /// What packed() gave. Corrupt: not `count` entries by rising account with work above zero in
  /// shortest form, or a sum beyond 128 bits.
  static Result<Slice> parse(Bytes packed, std::uint32_t count);

  /// By rising account.
  std::vector<AccountWork> entries() const;
  std::uint32_t count() const { return count_; }  ///< of entries
  Uint128 total() const { return total_; }
  Bytes packed() const { return packed_; }
  std::size_t bytes() const { return packed_.size(); }
  bool operator==(const Slice&) const = default;

 private:
  ByteVec packed_;
  std::uint32_t count_ = 0;
  Uint128 total_ = 0;
};

/// What a share was worth when it came. A slice has one value of it.
struct NetworkFacts {
  Uint128 work = 0;   ///< expected hashes for a block; zero: not known yet
  Satoshi subsidy;    ///< of the block being mined
  Satoshi mean_fees;  ///< of the last 144 blocks; zero where no scheme asks for it
  bool operator==(const NetworkFacts&) const = default;
};

/// One closed slice. On disk (family slices, key u64be number), little-endian: version u8 = 1,
/// three zero bytes, entries u32, number u64, first u64, last u64, opened_ms i64, closed_ms i64,
/// network work u128, subsidy i64, mean fees i64, block 32, chain 32, root 32, previous 32, then
/// the packed entries, then hash() 32.
struct SliceRecord {
  static constexpr std::size_t kHeaderSize = 208;
  static constexpr std::uint8_t kVersion = 1;
  SliceNumber number;
  Sequence first, last;       ///< its shares
  UnixMillis opened, closed;  ///< times of its first share and of its end
  NetworkFacts network;       ///< of its shares; work is never zero
  BlockHash block;            ///< the found block that its last share made; zero: closed by time,
                              ///< or by news of a block whose share had not come
  Digest chain{};             ///< the share chain's value after `last`
  Digest root{};              ///< ShareTree's over its shares
  Digest previous{};          ///< hash() of slice number - 1; zero for the first
  Slice slice;

  ByteVec encode() const;
  /// Total and strict: what it accepts, encode() gives back. Corrupt: size, version, a reserved
  /// byte, no shares or no accounts, more accounts than shares, entries that Slice refuses, zero
  /// network work, amounts that are no money, or another hash than the rest has.
  static Result<SliceRecord> decode(Bytes bytes);
  /// The first kHeaderSize bytes of encode().
  ByteVec header() const;
  /// Reads only the header, into `record`, whose slice stays as it is; gives the number of entries.
  /// Bytes after the header are not looked at.
  static Result<std::uint32_t> decode_header(Bytes bytes, SliceRecord& record);
  /// slice_hash of header() and the SHA-256 of the packed entries: what the next slice names.
  Digest hash() const;
  bool operator==(const SliceRecord&) const = default;
};

/// Names one closed slice. As text "<number> <hash in hex>".
struct SliceMark {
  SliceNumber number;
  Digest hash{};
  std::string text() const;
  static std::optional<SliceMark> parse(std::string_view text);
  bool operator==(const SliceMark&) const = default;
};

/// SHA-256(header || entries_hash). The entries enter by their hash, so that a proof about a share
/// stays small however many accounts its slice has.
Digest slice_hash(Bytes header, const Digest& entries_hash);

/// The Merkle tree over a slice's shares. A share's leaf is the chain value after it (chain_next:
/// it commits to the record); a parent is SHA-256(0x01 || left || right); where a level's count is
/// odd, its last node goes up unchanged (RFC 6962's shape). Leaves are hashes of 144 bytes, parents
/// of 65: neither can stand for the other. Holds log2(n) hashes.
class ShareTree {
 public:
  void add(const Digest& leaf);
  void clear() { peaks_.clear(), size_ = 0; }
  std::uint64_t size() const { return size_; }
  /// Of all leaves so far; zero when there are none.
  Digest root() const;

 private:
  std::vector<Digest> peaks_;  // of full subtrees, largest first: one a set bit of size_
  std::uint64_t size_ = 0;
};

/// A sibling on the way from a leaf to the root, lowest first.
struct TreeStep {
  Digest sibling{};
  bool on_left = false;
  bool operator==(const TreeStep&) const = default;
};
inline constexpr std::size_t kMaxTreeSteps = 32;
/// The way of leaf `index` to the root over `leaves`. CHECKs index < size and size <= 2^32.
std::vector<TreeStep> tree_path(const std::vector<Digest>& leaves, std::uint64_t index);
/// `on_left` of each step of such a way, from index and size alone; same CHECKs.
std::vector<bool> tree_sides(std::uint64_t index, std::uint64_t size);
Digest tree_root(const Digest& leaf, const std::vector<TreeStep>& path);

}  // namespace adit
