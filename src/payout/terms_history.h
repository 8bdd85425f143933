// SPDX-License-Identifier: MIT
// Which terms held from which slice on, and how far shares are priced. In family `credits`, sealed
// JSON: 'r' + u64be slice + u32be change: terms from that slice on, the changes before it counted
// from zero; 'q': the last slice whose shares are priced.
#pragma once

#include <vector>

#include "adit/bitcoin/transaction.h"
#include "adit/ledger/slice.h"
#include "adit/ledger/store.h"
#include "adit/payout/terms.h"

namespace adit {

/// pps and fpps pay each slice at once; the others wait for a block.
bool pays_slices(SchemeKind kind);

/// What holds from a slice on, until the next one.
struct TermsInForce {
  SliceNumber from;
  PayoutTerms terms;
  Script pool_script;  ///< the pool's own: work of its address is the pool's
};

class TermsHistory {
 public:
  static Result<TermsHistory> read(LedgerStore& store);

  /// nullopt: there are none yet.
  const TermsInForce* newest() const;
  /// By which a slice is priced; nullptr: it is older than all.
  const TermsInForce* at(SliceNumber slice) const;
  /// The newest slice up to `last` whose shares were paid when they were made: no later block pays
  /// them again. 0: none.
  SliceNumber paid_at_once(SliceNumber last) const;
  /// Whether these were ever in force.
  bool knows(const PayoutTerms& terms, const Script& pool_script) const;
  /// Whether these held while this slice was being filled, or was the newest one.
  bool held(SliceNumber slice, const PayoutTerms& terms, const Script& pool_script) const;
  const std::vector<TermsInForce>& all() const { return all_; }  ///< in order
  void add(LedgerBatch& batch, const TermsInForce& terms);

 private:
  std::vector<TermsInForce> all_;
};

Result<SliceNumber> read_priced_through(LedgerStore& store);
void put_priced_through(LedgerBatch& batch, SliceNumber last);

}  // namespace adit
