// SPDX-License-Identifier: MIT
// The best share of each tip: how near the pool came to a block, and who. Of the ledger's thread,
// which sees the accepted shares of all.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "adit/bitcoin/u256.h"
#include "app/messages.h"

namespace adit {

struct TipBest {
  U256 hash;  ///< as a number
  std::uint32_t height = 0;
  Uint128 network_work = 0;  ///< expected hashes for a block; zero: not known
  std::string account, worker;

  /// One line for the log: difficulties of the share and the network, their ratio, the worker.
  std::string text() const;
};

class BestShare {
 public:
  /// An accepted share: two comparisons, but for those that are better than all before them. When
  /// it is the first of its tip, the best of the tip that ended. What comes late for that one is
  /// passed over.
  std::optional<TipBest> see(const PostedShare& share, Uint128 network_work,
                             std::string_view account, std::string_view worker);

 private:
  BlockHash tip_, ended_;  // zero: none yet
  TipBest best_;
};

}  // namespace adit
