// SPDX-License-Identifier: MIT
// What BlockSubmitter knows of each found block: one Leg a node, and what the legs amount to.
// One question is under way for a leg at most; legs never wait for each other, and block
// submissions never for anything.
#pragma once

#include <deque>
#include <list>
#include <unordered_map>

#include "adit/node/block_submitter.h"
#include "node/submit_answer.h"

namespace adit {

enum class LegStage : std::uint8_t {
  Due,  ///< to be submitted at `at`
  Accepted,
  Side,
  Refused,        ///< done with this node
  ParentUnknown,  ///< to be submitted again when the node's tip moves
  Unknown,        ///< an odd word; the chain will tell
};

/// A look at the chain goes through these in order, and ends where the answer is enough.
enum class Look : std::uint8_t { Tips, Header, HashAtHeight, RivalHeader };

struct Leg {
  LegStage stage = LegStage::Due;
  Instant at{};  ///< Due: when to submit; else when to look again
  unsigned tries = 0;
  bool asked = false;  ///< a question is under way
  bool again = false;  ///< the node came back or moved meanwhile
  Look look = Look::Header;
  Instant looked_at{};             ///< when `confirmations` was told
  BlockHash rival;                 ///< another block at our height on this node's chain
  bool header_known = false;       ///< in the look under way
  std::int64_t confirmations = 0;  ///< newest: > 0 on the node's chain, -1 beside it, 0 not known
  std::string text;                ///< the newest answer of submitblock
};

struct OpenBlock {
  BlockHash hash;
  std::uint32_t height = 0;
  std::string hex;
  std::vector<Leg> legs;
  SubmitState state = SubmitState::Submitted;
  std::uint32_t confirmations = 0;
  std::string detail;
  unsigned proofs = 0;                ///< in a row, that a rival is buried at our height
  std::int64_t rival_depth = 0;       ///< confirmations of the rival in the newest proof
  std::optional<Instant> refused_at;  ///< since when a node refuses it and none has it
  bool was_on_chain = false;
  bool answered = false;  ///< a node has said anything but that it says nothing
  bool final = false;
};

struct BlockSubmitter::State {
  explicit State(std::size_t nodes) : looks(nodes, 0) {}

  struct Question {
    BlockHash hash;
    std::uint32_t node = 0;
    bool submission = false;
  };

  std::list<OpenBlock> open;
  std::deque<BlockHash> finished;  ///< the last ones, so that submit() stays idempotent
  std::unordered_map<std::uint64_t, Question> questions;
  std::vector<unsigned> looks;  ///< under way, by node
  std::uint64_t last_token;
  std::vector<RpcRequest> requests;
  std::vector<BlockProgress> progress;

  OpenBlock* find(const BlockHash& hash);
  bool may_look(std::uint32_t node) const;

  // block_submitter.cpp
  void pump(Instant now);
  void send(OpenBlock& block, std::uint32_t node, bool submission, std::string method,
            std::string params);
  void submitted(OpenBlock& block, std::uint32_t node, const RpcResult& result, bool busy,
                 Instant now);
  void heard(OpenBlock& block, SubmitAlarm alarm, Instant now);
  void tell(const OpenBlock& block, SubmitAlarm alarm);
  void weigh(OpenBlock& block, Instant now, SubmitAlarm alarm = SubmitAlarm::None);
  void drop_final(Instant now);

  // block_follow.cpp
  void pump_looks(std::uint32_t node, Instant now);
  void send_look(OpenBlock& block, std::uint32_t node);
  void looked(OpenBlock& block, std::uint32_t node, const RpcResult& result, Instant now);
  void saw_header(OpenBlock& block, Leg& leg, const RpcResult& result, Instant now);
  void saw_rival(OpenBlock& block, Leg& leg, const RpcResult& result, Instant now);
};

inline bool wants_looks(const Leg& leg) {
  return leg.stage != LegStage::Due && leg.stage != LegStage::Refused;
}
/// 0, 50, 100, 200 ... 2000 ms after the first, second, third ... silence.
Duration submit_delay(unsigned tries);
/// When to look again at a block in this state.
Duration look_interval(const OpenBlock& block, const Leg& leg);

}  // namespace adit
