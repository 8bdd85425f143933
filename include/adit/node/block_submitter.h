// SPDX-License-Identifier: MIT
// BlockSubmitter: brings each found block to every node and follows it until it is buried or
// disproved. Sans-I/O like NodeLink. The table of answers is reliability's: null/duplicate =
// accepted; inconclusive = side; no answer (error -28/-9/-10, 503, 401, reset, time-out, garbage) =
// ask again at 0, 50, 100, 200 ... 2000 ms; a BIP22 refusal is that node's
// last word, verbatim.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adit/node/node_link.h"

namespace adit {

enum class SubmitState : std::uint8_t { Submitted, Side, Accepted, Refused, Orphaned, Mature };
std::string_view submit_state_name(SubmitState state);

/// What an operator must read.
enum class SubmitAlarm : std::uint8_t {
  None,
  OddWord,  ///< an answer that is not known
  Refusal,  ///< a node has refused the block, whatever the others say
};

struct BlockProgress {
  BlockHash hash;
  std::uint32_t height = 0;
  SubmitState state = SubmitState::Submitted;
  std::uint32_t confirmations = 0;
  /// The newest answer, verbatim and escaped; names the node. A refusal is not hidden by silence.
  std::string detail;
  SubmitAlarm alarm = SubmitAlarm::None;  ///< about `detail`
  bool final = false;                     ///< the last word: the block is followed no more
};

class BlockSubmitter {
 public:
  explicit BlockSubmitter(std::size_t nodes);
  /// Starts a block, or after a restart resumes it where it was (not Refused or Mature: those are
  /// final). Idempotent by hash.
  void submit(const BlockHash& hash, std::uint32_t height, std::string block_hex, Instant now,
              SubmitState resumed = SubmitState::Submitted);
  /// A node came back or its tip moved: ask again what is open.
  void node_changed(NodeIndex node, Instant now);
  void answer(const RpcAnswer& answer, Instant now);
  void expire(Instant now);
  std::optional<Instant> deadline() const;
  std::vector<RpcRequest> take_requests();
  /// Each change of a block's state or depth, once, and what must be read. Refused is told when it
  /// is final: when all nodes refused the block, or one did and no other took it for an hour.
  /// Before Mature comes Accepted.
  std::vector<BlockProgress> take_progress();
  /// Blocks that are not final yet.
  std::size_t open_blocks() const;
  /// Those of which no node has said anything yet.
  std::vector<BlockHash> unanswered() const;
  ~BlockSubmitter();
  BlockSubmitter(BlockSubmitter&&) noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace adit
