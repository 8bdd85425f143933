// SPDX-License-Identifier: MIT
// The share chain with its values, for those who need the leaves of a slice.
#pragma once

#include <functional>

#include "adit/ledger/reader.h"

namespace adit {

/// Shares from `first` on, in order, each with the chain value after it, until `visit` returns
/// false. `before`: the chain value after share `first` - 1, set before the first visit; zero for
/// books without shares. Corrupt: a broken record, or a hole.
Status for_each_link(LedgerStore& store, Sequence first, Digest& before,
                     const std::function<bool(const ShareRecord&, const Digest& chain)>& visit);

}  // namespace adit
