// SPDX-License-Identifier: MIT
// LiveWeights: the window or the round that ends with the newest slice, kept as slices close; what
// weights.h derives from disk, without reading it. Thread: the ledger writer's.
#pragma once

#include <set>

#include "payout/weights.h"

namespace adit {

class LiveWeights {
 public:
  /// `history` and `store` outlive it. Until load(), or the next slice, all comes from disk.
  Status open(LedgerStore& store, const PayoutTerms& terms, const TermsHistory& history,
              SliceNumber newest);
  /// Reads what the newest slice on disk needs.
  Status load();
  /// The next slice.
  Status add(const SliceRecord& slice);
  /// A block was settled by this slice: a round ends with it.
  Status settled(SliceNumber slice);

  SliceNumber newest() const { return newest_; }
  /// The oldest slice that counts now.
  SliceNumber first() const { return first_; }
  /// For any slice up to the newest; from memory for the newest, once loaded.
  Result<Derived> at(SliceNumber slice) const;

 private:
  Status look_back();
  SliceNumber round_first() const;

  LedgerStore* store_ = nullptr;
  const TermsHistory* history_ = nullptr;
  PayoutTerms terms_;
  bool loaded_ = false;
  SliceNumber newest_, first_;
  Window window_{0};               // pplns
  WorkByAccount round_;            // prop
  std::set<SliceNumber> settled_;  // the newest slices of settlements
};

}  // namespace adit
