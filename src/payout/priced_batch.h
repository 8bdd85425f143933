// SPDX-License-Identifier: MIT
// What was left of each account's priced shares below a satoshi when a batch of slices was paid, so
// that every payment of shares can be derived again. In family `credits`, 'f' + u64be last slice,
// little-endian: first u64, last u64; for each account by rising number: account u32, four zero
// bytes, millionths of a satoshi i64; then the SHA-256 of all that.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "adit/ledger/slice.h"
#include "adit/ledger/store.h"
#include "adit/payout/scheme.h"

namespace adit {

struct PricedBatch {
  SliceNumber first, last;
  std::vector<std::pair<AccountId, MicroSatoshi>> left;  ///< of all with work in it, the pool's not
  /// "slices:61-120": the ref of its entries.
  std::string ref() const;
};
void put_priced_batch(LedgerBatch& batch, const PricedBatch& priced);
/// The first one that ends with slice `from` or later; nullopt: there is none. Corrupt: it is not
/// what was written.
Result<std::optional<PricedBatch>> next_priced_batch(LedgerStore& store, SliceNumber from);

}  // namespace adit
