// SPDX-License-Identifier: MIT
// A settlement's two rows in family `credits`.
#pragma once

#include "adit/payout/settlement_record.h"

namespace adit {

inline constexpr char kSettlementPrefix = 's', kSharesPrefix = 'p';

/// The block's key as in family `blocks`: height, then the hash as it is shown.
std::string settled_block_key(std::uint32_t height, const BlockHash& hash);
ByteVec encode_shares(const std::vector<PlanShare>& shares);
/// nullopt: not whole records by rising account, with zero bytes where they belong.
std::optional<std::vector<PlanShare>> decode_shares(Bytes bytes);
/// The JSON row alone. Corrupt if the seal, a field or the key does not fit.
Result<SettlementRecord> settlement_of(std::string_view key, std::string_view value);

}  // namespace adit
