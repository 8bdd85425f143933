// SPDX-License-Identifier: MIT
// LiveWeights: the window or the round that ends with the newest slice, kept as slices close; what
// weights.h derives from disk, without reading it. Thread: the ledger writer's.
#pragma once

#include "payout/rounds.h"
#include "payout/weights.h"

namespace adit {

class LiveWeights {
 public:
  /// Reads what the newest slice on disk needs. `history` and `store` outlive it.
  Status open(LedgerStore& store, const PayoutTerms& terms, const TermsHistory& history,
              SliceNumber newest);
  /// Reads what the newest slice on disk needs.
  Status load();
  /// The next slice.
  Status add(const SliceRecord& slice);
  /// A settlement is new, or has changed: a round ends with it, or begins earlier.
  Status settled(const SettlementRecord& record);

  SliceNumber newest() const { return newest_; }
  /// The oldest slice that counts now.
  SliceNumber first() const { return first_; }
  /// For any slice up to the newest; from memory for the newest, once loaded.
  Result<Derived> at(SliceNumber slice) const;
  /// prop: Rounds::returns.
  Result<std::vector<Rounds::Change>> returns(const SettlementRecord& back) const;

 private:
  Status look_back();
  Status follow_round();
  Result<SliceSet> round_at(SliceNumber slice) const;

  LedgerStore* store_ = nullptr;
  const TermsHistory* history_ = nullptr;
  PayoutTerms terms_;
  bool loaded_ = false;
  SliceNumber newest_, first_;
  Window window_{0};     // pplns
  WorkByAccount round_;  // prop
  SliceSet slices_;      // of that round
  Rounds rounds_;
};

}  // namespace adit
