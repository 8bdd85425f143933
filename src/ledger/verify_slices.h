// SPDX-License-Identifier: MIT
// The part of `adit ledger verify` that looks at slices: first the rows by themselves and as a
// chain, then each again from the shares that are still there.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "adit/ledger/slice.h"
#include "adit/ledger/store.h"

namespace adit {

class SliceChecker {
 public:
  /// Told of each problem, with the key of the row.
  using Problem = std::function<void(std::string_view key, std::string_view text)>;
  SliceChecker(LedgerStore& store, Problem problem) : store_(store), problem_(std::move(problem)) {}

  /// All rows. `from`: the first share of slice 1; nullopt: the books do not say.
  Status read_rows(std::optional<Sequence> from);
  /// The shares on disk in order; a hole spoils only the slice it is in. An error: a read failed.
  Status share(const ShareRecord& share, const Digest& chain) {
    if (share.sequence.value() > end_) next_slice(share.sequence.value());
    if (at_ == bounds_.size() || share.sequence.value() < begin_) return {};
    return count(share, chain);
  }
  /// `last`: the newest share; `through`: what meta says of the newest slice.
  void finish(Sequence last, const SliceMark& through);

  std::uint64_t rows() const { return rows_; }

 private:
  struct Bounds {
    SliceNumber number;
    std::uint64_t first, last;
  };
  void check_row(std::string_view key, const SliceRecord& slice, std::optional<Sequence> from);
  void next_slice(std::uint64_t sequence);
  Status count(const ShareRecord& share, const Digest& chain);
  Status compare(const ShareRecord& last, const Digest& chain);
  Slice take_sums();

  LedgerStore& store_;
  Problem problem_;
  std::uint64_t rows_ = 0;
  std::vector<Bounds> bounds_;  // of readable rows, rising
  Digest previous_{};
  bool broken_ = false;  // the row before could not be read

  std::size_t at_ = 0;                 // the next slice is bounds_[at_]
  std::uint64_t begin_ = 1, end_ = 0;  // of the slice being counted
  std::uint64_t expected_ = 0;         // its next share, while none is missing
  bool whole_ = false;                 // every share so far was there and made sense
  UnixMillis opened_;
  Uint128 total_ = 0;
  ShareTree tree_;
  std::vector<Uint128> works_;  // by account id
  std::vector<std::uint32_t> touched_;
};

}  // namespace adit
