// SPDX-License-Identifier: MIT
// FeeWatch: the mean of all fees of a block, over the last 144 blocks of the chain, for the scheme
// that pays fees before they are earned (fpps). Sans-I/O like BlockSubmitter; one getblockstats
// height ["height","totalfee"] (Bitcoin Core 0.17 to 28) is under way at most. Blocks are named by
// height: a reorg deeper than 6 leaves sums of the old branch in the mean, for at most 144 blocks.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adit/bitcoin/amount.h"
#include "adit/node/node_link.h"

namespace adit {

class FeeWatch {
 public:
  static constexpr std::uint32_t kBlocks = 144;

  FeeWatch();
  /// A node stands on a new tip: it is asked from now on, the newest unknown block first, and again
  /// for the last 6. The genesis block is not counted.
  void tip(NodeIndex node, std::uint32_t height, Instant now);
  void answer(const RpcAnswer& answer, Instant now);
  void expire(Instant now);
  std::optional<Instant> deadline() const;
  std::vector<RpcRequest> take_requests();
  /// For operators, once: some block's fees cannot be had (a pruned node, one without
  /// getblockstats). A block is given up after three errors, a minute apart; silence never counts.
  std::optional<std::string> take_warning();

  /// Satoshi, rounded down, of those that are known; nullopt: none is. A block that is asked for
  /// again counts with its last sum.
  std::optional<Satoshi> mean() const;
  /// All of the last 144 are known (of a shorter chain, all).
  bool complete() const;
  /// Nothing is to be asked until the next tip.
  bool settled() const;
  ~FeeWatch();
  FeeWatch(FeeWatch&&) noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace adit
