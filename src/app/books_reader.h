// SPDX-License-Identifier: MIT
// Opens the books for reading, beside a running pool or without one.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "adit/base/result.h"
#include "adit/ledger/ledger.h"
#include "rocks/rocks_store.h"

namespace adit {

/// After a power loss the log may end torn. It is shown up to there, with a warning on stderr, if
/// all that the high-water mark says is on the medium stands before.
Result<std::unique_ptr<RocksStore>> open_books_reader(const std::string& data_dir);

/// Says on standard error that books without a mark cannot be checked.
Status warn_of_unmarked(LedgerStore& store, const std::optional<HighWater>& mark);

}  // namespace adit
