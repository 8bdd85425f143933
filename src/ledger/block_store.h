// SPDX-License-Identifier: MIT
// How a found block stands in family `blocks`: key u32be height || hash in display order, value
// sealed JSON.
#pragma once

#include <string>

#include "adit/ledger/records.h"
#include "adit/ledger/store.h"

namespace adit {

std::string block_key(const BlockRecord& block);
std::string block_value(const BlockRecord& block);
/// Corrupt if the seal, a field or the key does not fit.
Result<BlockRecord> block_of(std::string_view key, std::string_view value);

}  // namespace adit
