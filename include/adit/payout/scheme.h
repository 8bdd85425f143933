// SPDX-License-Identifier: MIT
// The schemes: who earns what, by the rule the pool announced, and what a slice is worth where
// shares are paid at once. Values in, values out. Blocks are settled by the Treasury (treasury.h);
// the journal of slices and blocks is the only input, so a settlement can be derived again at any
// time.
//
//   solo   the finder of a block takes it, less the fee
//   prop   a block is shared by the work since the pool's block before it
//   pplns  a block is shared by the work in a window of `factor` network difficulties
//   pps    each slice is paid at once at the subsidy's price; blocks belong to the pool
//   fpps   as pps, with the mean fees of the last 144 blocks in the price
#pragma once

#include <cstdint>
#include <vector>

#include "adit/ledger/slice.h"

namespace adit {

enum class SchemeKind : std::uint8_t { Solo, Pplns, Prop, Pps, Fpps };

struct SchemeOptions {
  SchemeKind kind = SchemeKind::Pplns;
  std::uint32_t fee_basis_points = 0;
  std::uint32_t factor = 2;  ///< pplns: the window in network difficulties; TIDES is 8
};

/// Money below a satoshi, for shares that are paid one slice at a time: 10^-6 satoshi.
using MicroSatoshi = Strong<std::int64_t, struct MicroSatoshiTag>;
/// Prices end here, at 46,116 coins: on a test network of next to no difficulty they know no bound.
inline constexpr MicroSatoshi kMaxPrice{INT64_MAX / 2};

struct PricedWork {
  AccountId account;
  MicroSatoshi amount;
  bool operator==(const PricedWork&) const = default;
};

/// pps and fpps (CHECK): what each account of a slice earned, by the facts of its close.
std::vector<PricedWork> price_slice(const SchemeOptions& options, const Slice& slice,
                                    const NetworkFacts& network);
/// floor(work * reward * (1 - fee) / network_work) in micro-satoshi, at most kMaxPrice.
MicroSatoshi price_of(Uint128 work, Satoshi reward, Uint128 network_work,
                      std::uint32_t fee_basis_points);

}  // namespace adit
