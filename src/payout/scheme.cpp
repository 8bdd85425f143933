// SPDX-License-Identifier: MIT
#include "adit/payout/scheme.h"

#include <algorithm>

#include "adit/base/check.h"
#include "adit/payout/split.h"

namespace adit {
namespace {

constexpr std::uint32_t kBasis = 10'000;
constexpr Uint128 kMicro = 1'000'000;
/// Times the greatest reward still within 128 bits.
constexpr Uint128 kMaxBlocks = Uint128{1} << 40;

}  // namespace

std::vector<PricedWork> price_slice(const SchemeOptions& options, const Slice& slice,
                                    const NetworkFacts& network) {
  CHECK(options.kind == SchemeKind::Pps || options.kind == SchemeKind::Fpps);
  const bool with_fees = options.kind == SchemeKind::Fpps;
  const Satoshi reward = with_fees ? network.subsidy + network.mean_fees : network.subsidy;
  std::vector<PricedWork> priced;
  for (const AccountWork& entry : slice.entries())
    priced.push_back(
        {entry.account, price_of(entry.work, reward, network.work, options.fee_basis_points)});
  return priced;
}

MicroSatoshi price_of(Uint128 work, Satoshi reward, Uint128 network_work,
                      std::uint32_t fee_basis_points) {
  CHECK(reward >= Satoshi{} && fee_basis_points <= kBasis && network_work > 0);
  const Uint128 kept = kBasis - fee_basis_points;
  const Uint128 per_block = static_cast<Uint128>(reward.value()) * kMicro * kept;
  if (work / network_work >= kMaxBlocks) return kMaxPrice;
  const Uint128 price = multiply_divide(work, per_block, network_work) / kBasis;
  return MicroSatoshi(
      static_cast<std::int64_t>(std::min(price, static_cast<Uint128>(kMaxPrice.value()))));
}

}  // namespace adit
