// SPDX-License-Identifier: MIT
// SettlementRecord: who earned what part of one block, written when it is found and booked when it
// has ripened. On disk (family credits): 's' + block key: sealed flat JSON; 'p' + block key: the
// shares, 48 bytes each, little-endian: account u32, four zero bytes, work u128, entitled i64,
// carry i64, paid i64. The JSON holds the SHA-256 of that value.
#pragma once

#include <string>
#include <vector>

#include "adit/payout/plan.h"

namespace adit {

enum class SettlementState : std::uint8_t {
  Pending,   ///< nothing booked yet
  Booked,    ///< in the journal, entries first_entry..last_entry
  Reversed,  ///< was booked, and undone by entries after its block left the chain
  Dropped,   ///< never booked: its block lost
};
std::string_view settlement_state_name(SettlementState state);
std::optional<SettlementState> settlement_state_from(std::string_view name);

struct SettlementRecord {
  BlockHash block;
  std::uint32_t height = 0;
  std::uint64_t slice = 0;  ///< the newest slice its weights count
  std::uint64_t plan_entry = 0;
  PayoutTerms terms;
  Satoshi value;  ///< of the coinbase: entitled shares and pool_entitled sum to it
  Satoshi pool_entitled, pool_paid;
  SettlementState state = SettlementState::Pending;
  std::uint64_t first_entry = 0, last_entry = 0;  ///< of the newest booking
  std::string taken_by;  ///< prop: the block whose round the work of this lost one joined
  std::vector<PlanShare> shares;

  /// Adds both rows (or only the JSON one, when the shares stand already).
  void put(LedgerBatch& batch, bool with_shares) const;
};
Result<std::optional<SettlementRecord>> read_settlement(LedgerStore& store,
                                                        const BlockRecord& block);
/// In order of height, with or without their shares.
Status for_each_settlement(LedgerStore& store, bool with_shares,
                           const std::function<bool(const SettlementRecord&)>& visit);

}  // namespace adit
