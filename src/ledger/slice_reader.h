// SPDX-License-Identifier: MIT
// What opening, verifying and proving need of slices beyond reader.h.
#pragma once

#include <functional>
#include <string_view>

#include "adit/ledger/reader.h"

namespace adit {

/// Meta "slices_from": the first share of slice 1. nullopt: no pool that knows slices has opened
/// these books yet.
Result<std::optional<Sequence>> read_slices_from(LedgerStore& store);

/// Meta "slices_through": the newest slice, written with it. nullopt: none has closed yet.
inline constexpr std::string_view kSlicesThrough = "slices_through";
Result<std::optional<SliceMark>> read_slices_through(LedgerStore& store);

/// Meta "money_batches": how often Ledger::write was called.
inline constexpr std::string_view kMoneyBatches = "money_batches";
Result<std::uint64_t> read_money_batches(LedgerStore& store);

/// Shares from `first` on, in order, each with the chain value after it, until `visit` returns
/// false. `before`: the chain value after share `first` - 1, set before the first visit; zero for
/// books without shares. Corrupt: a broken record, or a hole.
Status for_each_link(LedgerStore& store, Sequence first, Digest& before,
                     const std::function<bool(const ShareRecord&, const Digest& chain)>& visit);

}  // namespace adit
