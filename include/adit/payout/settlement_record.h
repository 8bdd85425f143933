// SPDX-License-Identifier: MIT
// SettlementRecord: who earned what part of one block, written when it is found and booked when it
// has ripened. On disk (family credits): 's' + the block's key in family blocks: sealed flat JSON;
// 'p' + the same: the shares, 48 bytes each, little-endian: account u32, four zero bytes, work
// u128, entitled i64, carry i64, paid i64. The JSON holds the SHA-256 of that value.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adit/base/result.h"
#include "adit/ledger/store.h"
#include "adit/payout/plan.h"
#include "adit/payout/slice_set.h"

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
  /// The slices its weights count; zero: none. pplns: the last alone says which; prop: `slices`.
  std::uint64_t first_slice = 0, slice = 0;
  SliceSet slices;                ///< prop: its round (rounds.h); empty otherwise
  std::uint64_t plan_entry = 0;   ///< the newest journal entry its carries count; way Coinbase only
  std::uint64_t plan_weight = 0;  ///< weight units that its plan's outputs could take
  PayoutTerms terms;
  Script pool_script;  ///< of that time: its own work is the pool's
  Satoshi value;       ///< of the coinbase: entitled shares and pool_entitled sum to it
  Uint128 pool_work = 0;
  Satoshi pool_entitled, pool_paid;  ///< paid: by the coinbase, way Coinbase only
  Satoshi unknown_paid;              ///< to scripts that are nobody's in the books: must be zero
  SettlementState state = SettlementState::Pending;
  std::uint64_t first_entry = 0, last_entry = 0;  ///< of the newest booking
  /// By rising account: who has work in it or was paid in the coinbase. Not the pool's own address.
  std::vector<PlanShare> shares;
  std::uint32_t share_count = 0;  ///< of the row on disk
  Digest shares_digest{};

  /// Adds both rows (or only the JSON one, when the shares stand already).
  void put(LedgerBatch& batch, bool with_shares);
};
/// nullopt: it has none. Corrupt: a row is not what was written.
Result<std::optional<SettlementRecord>> read_settlement(LedgerStore& store,
                                                        const BlockRecord& block,
                                                        bool with_shares = true);
/// In order of height, with or without their shares, until `visit` returns false.
Status for_each_settlement(LedgerStore& store, bool with_shares,
                           const std::function<bool(const SettlementRecord&)>& visit);

}  // namespace adit
