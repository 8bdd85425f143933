// SPDX-License-Identifier: MIT
// SchemeRule: who earns what, by the rule the pool announced. Values in, values out; the journal of
// slices and blocks is the only input, so a settlement can be derived again at any time.
//
//   solo   the finder of a block takes it, less the fee
//   prop   a block is shared by the work since the pool's block before it
//   pplns  a block is shared by the work in a window of `factor` network difficulties
//   pps    each slice is paid at once at the subsidy's price; blocks belong to the pool
//   fpps   as pps, with the mean fees of the last 144 blocks in the price
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "adit/ledger/slice.h"
#include "adit/payout/window.h"

namespace adit {

enum class SchemeKind : std::uint8_t { Solo, Pplns, Prop, Pps, Fpps };

struct SchemeOptions {
  SchemeKind kind = SchemeKind::Pplns;
  std::uint32_t fee_basis_points = 0;
  std::uint32_t factor = 2;  ///< pplns: the window in network difficulties; TIDES is 8
  bool operator==(const SchemeOptions&) const = default;
};

/// Money below a satoshi, for shares that are paid one slice at a time: 10^-6 satoshi.
using MicroSatoshi = Strong<std::int64_t, struct MicroSatoshiTag>;

/// What a closed slice was worth when it closed.
struct SlicePrice {
  Uint128 network_work = 0;  ///< expected hashes for a block, above zero
  Satoshi subsidy;
  Satoshi mean_fees;  ///< fpps: of the last 144 blocks of the chain
};
struct PricedWork {
  AccountId account;
  MicroSatoshi amount;
  bool operator==(const PricedWork&) const = default;
};

struct FoundReward {
  Satoshi value;             ///< subsidy and fees: the whole coinbase
  AccountId finder;          ///< 0: the pool itself
  Uint128 network_work = 0;  ///< expected hashes for a block
};
struct Part {
  AccountId account;
  Satoshi amount;
  bool operator==(const Part&) const = default;
};
/// parts and fee sum to the reward's value, to the satoshi.
struct Settlement {
  std::vector<Part> parts;  ///< by rising account, above zero
  Satoshi fee;              ///< the pool's: its fee, and what nobody has earned
  bool operator==(const Settlement&) const = default;
};

/// Fed with slices and blocks in their order. One thread.
class SchemeRule {
 public:
  virtual ~SchemeRule() = default;
  /// What the slice earns at once; nothing in schemes that wait for a block.
  virtual std::vector<PricedWork> slice_closed(const Slice& slice, const SlicePrice& price) = 0;
  /// A found block; its own share is in the slice closed just before.
  virtual Settlement block_found(const FoundReward& reward) = 0;
};
std::unique_ptr<SchemeRule> make_scheme(const SchemeOptions& options);

/// value less fee, split by the weights; all of it is fee when there are none.
Settlement settle_by_weights(Satoshi value, std::uint32_t fee_basis_points,
                             const std::vector<AccountWork>& weights);
/// floor(work * reward * (1 - fee) / network_work) in micro-satoshi.
MicroSatoshi price_of(Uint128 work, Satoshi reward, Uint128 network_work,
                      std::uint32_t fee_basis_points);

}  // namespace adit
