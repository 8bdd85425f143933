// SPDX-License-Identifier: MIT
// RipeWatch: found blocks that BlockSubmitter follows no more, because they are buried or lost.
// Reorgs beyond 100 blocks are not believed to happen, but if one does the books must hear of it,
// and by proof only. Sans-I/O like BlockSubmitter; one question is under way at most.
//
// At each tip, and every 10 minutes, the newest block is looked up: while it is on the chain, so
// are all its ancestors. Where it is not, the older ones are looked up one by one. A block is lost
// when another one stands at its height, seven confirmations deep in two looks at least 5 s apart,
// and no other node that answers has ours on its chain. An error proves nothing.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adit/node/node_link.h"

namespace adit {

enum class RipeState : std::uint8_t {
  Ripe,    ///< on the chain, 100 confirmations once
  Unripe,  ///< on the chain after it was lost, not yet so deep
  Lost,    ///< not on the chain
};

/// A block's new state. A lost one comes back as Unripe, and at once or later as Ripe.
struct RipeEvent {
  BlockHash hash;
  RipeState state = RipeState::Ripe;
  std::uint32_t confirmations = 0;  ///< zero when lost
  std::string detail;               ///< names the node, and the block that took its place
};

class RipeWatch {
 public:
  /// A block is watched until the tip is so far above it.
  static constexpr std::uint32_t kHeights = 1'008;
  /// The lowest go first.
  static constexpr std::size_t kBlocks = 2'000;

  explicit RipeWatch(std::size_t nodes);
  /// Idempotent by hash. It is looked up from the next round on.
  void add(const BlockHash& hash, std::uint32_t height, RipeState state, Instant now);
  /// A node stands on a new tip: it is the one to be asked from now on.
  void tip(NodeIndex node, std::uint32_t height, Instant now);
  void answer(const RpcAnswer& answer, Instant now);
  void expire(Instant now);
  std::optional<Instant> deadline() const;
  std::vector<RpcRequest> take_requests();
  std::vector<RipeEvent> take_events();
  std::size_t blocks() const;
  ~RipeWatch();
  RipeWatch(RipeWatch&&) noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace adit
