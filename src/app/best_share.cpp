// SPDX-License-Identifier: MIT
#include "app/best_share.h"

#include <fmt/format.h>

#include <utility>

#include "adit/bitcoin/target.h"

namespace adit {

std::optional<TipBest> BestShare::see(const PostedShare& share, Uint128 network_work,
                                      std::string_view account, std::string_view worker) {
  std::optional<TipBest> ended;
  const U256 hash = U256::from_le(share.hash.bytes.data());
  if (share.tip != tip_) {
    if (share.tip == ended_) return std::nullopt;
    ended_ = std::exchange(tip_, share.tip);
    if (ended_ != BlockHash{}) ended = std::move(best_);
  } else if (best_.hash <= hash) {
    return std::nullopt;
  }
  best_.hash = hash;
  best_.height = share.height;
  best_.network_work = network_work;
  best_.account = account;
  best_.worker = worker;
  return ended;
}

std::string TipBest::text() const {
  const double share = Difficulty::of(Target(hash)).approximate();
  const std::string who = account + (worker.empty() ? "" : ".") + worker;
  if (network_work == 0)
    return fmt::format("height {} is over; its best share: difficulty {:.4g}, {}", height, share,
                       who);
  const double one = static_cast<double>(Work::of(Target::difficulty_one()).value());
  const double network = static_cast<double>(network_work) / one;
  return fmt::format("height {} is over; its best share: difficulty {:.4g} of {:.4g} ({:.2g}%), {}",
                     height, share, network, 100 * share / network, who);
}

}  // namespace adit
