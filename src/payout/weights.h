// SPDX-License-Identifier: MIT
// Weights from disk: what the treasury keeps in memory, derived again from slices and settlements.
#pragma once

#include <map>

#include "adit/ledger/store.h"
#include "adit/payout/settlement_record.h"
#include "adit/payout/window.h"
#include "payout/terms_history.h"

namespace adit {

using WorkByAccount = std::map<AccountId, Uint128>;
void add_work(WorkByAccount& to, const std::vector<AccountWork>& more);
std::vector<AccountWork> as_weights(const WorkByAccount& works);

/// NotFound: it is no longer in the books.
Result<SliceRecord> slice_or_gone(LedgerStore& store, SliceNumber number);

/// factor x network work; where that does not fit, all the work there is.
Uint128 window_size(const PayoutTerms& terms, const NetworkFacts& network);

/// Slices up to this one do not count: paid at once, or (`as_it_is`) no longer on disk, like those
/// of a log that is too short.
Result<SliceNumber> slice_floor(LedgerStore& store, SliceNumber last, const TermsHistory& history,
                                bool as_it_is);
/// pplns: the slices of the window (the oldest whole) that ends with slice `last`, oldest first.
/// NotFound: one of them is gone.
Result<std::vector<SliceRecord>> needed_slices(LedgerStore& store, SliceNumber last,
                                               const PayoutTerms& terms,
                                               const TermsHistory& history, bool as_it_is);

/// What weights_at gives, and the oldest slice it looked at; prop: all of them.
struct Derived {
  SliceNumber first;
  std::vector<AccountWork> weights;
  SliceSet slices = {};
};
Result<Derived> derive_weights(LedgerStore& store, SliceNumber last, const PayoutTerms& terms,
                               const TermsHistory& history, bool as_it_is);

/// prop: the work of these slices. NotFound: one of them is gone.
Result<Derived> derive_round(LedgerStore& store, const SliceSet& slices);

/// The slice by which a block without a plan is settled: the one that its own share closed, found
/// near the block's time; nullopt: there is none (yet).
Result<std::optional<SliceNumber>> slice_closed_by(LedgerStore& store, const BlockRecord& block);
/// The newest slice that was closed when the block was found, by sequence. 0: none.
Result<SliceNumber> slice_before(LedgerStore& store, const BlockRecord& block);

}  // namespace adit
