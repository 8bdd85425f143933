// SPDX-License-Identifier: MIT
// Which terms held from which slice on, and how far shares are priced. In family `credits`, sealed
// JSON: 'r' + u64be slice: terms from that slice on; 'q': the last slice whose shares are priced.
#pragma once

#include <map>
#include <optional>

#include "adit/ledger/slice.h"
#include "adit/ledger/store.h"
#include "adit/payout/terms.h"

namespace adit {

/// pps and fpps pay each slice at once; the others wait for a block.
bool pays_slices(SchemeKind kind);

class TermsHistory {
 public:
  static Result<TermsHistory> read(LedgerStore& store);

  /// nullopt: there are none yet.
  const PayoutTerms* newest() const;
  /// The newest slice up to `last` whose shares were paid when they were made: no later block pays
  /// them again. 0: none.
  SliceNumber paid_at_once(SliceNumber last) const;
  /// Whether these held at any time.
  bool knows(const PayoutTerms& terms) const;
  void add(LedgerBatch& batch, SliceNumber from, const PayoutTerms& terms);

 private:
  std::map<SliceNumber, PayoutTerms> from_;
};

Result<SliceNumber> read_priced_through(LedgerStore& store);
void put_priced_through(LedgerBatch& batch, SliceNumber last);

}  // namespace adit
