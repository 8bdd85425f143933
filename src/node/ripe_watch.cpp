// SPDX-License-Identifier: MIT
// A round goes from the newest block down, and ends where one is on the chain that all older ones
// are known to be ancestors of (`joined`). That is known of a block once it has been seen on the
// chain right after the next newer one was.
#include "adit/node/ripe_watch.h"

#include <algorithm>
#include <utility>

#include "adit/base/check.h"
#include "adit/base/json.h"
#include "node/json_text.h"
#include "node/rpc_limits.h"

namespace adit {
namespace {

/// Beyond FeeWatch's, from 2^49.
constexpr std::uint64_t kFirstToken = 1ull << 50;
constexpr std::int64_t kRivalBuried = 7;
constexpr std::int64_t kRipe = 100;
constexpr int kNotFound = -5;
constexpr int kOutOfRange = -8;
constexpr Duration kRoundEvery = std::chrono::minutes(10);
constexpr Duration kBetweenProofs = std::chrono::seconds(5);
constexpr Duration kAfterError = std::chrono::seconds(10);

/// 0: the node does not know the block. Nothing: it did not say.
std::optional<std::int64_t> confirmations_told(const RpcResult& result) {
  if (result.error && result.error->code == kNotFound) return 0;
  const JsonText json(result.result);
  if (result.error || !json.root() || !json.root()->is_object()) return std::nullopt;
  return json_integer(*json.root(), "confirmations");
}

std::uint32_t as_depth(std::int64_t confirmations) {
  return static_cast<std::uint32_t>(std::min<std::int64_t>(confirmations, INT32_MAX));
}

enum class Step : std::uint8_t { Header, HashAtHeight, RivalHeader, Elsewhere };

}  // namespace

struct RipeWatch::State {
  struct Block {
    BlockHash hash;
    std::uint32_t height = 0;
    RipeState state = RipeState::Ripe;
    bool joined = false;              // an ancestor of the next newer one that is not lost
    std::uint64_t round = 0;          // the last one it was looked up in
    bool on_chain = false;            // then
    std::optional<Instant> proof_at;  // when a rival was first seen buried, of an unbroken row
  };
  /// From the question for a block's header to what that makes of the block.
  struct Look {
    BlockHash hash;
    Step step = Step::Header;
    std::uint32_t node = 0;
    bool newer_on_chain = false;
    bool current = true;  // no tip has come since
    BlockHash rival;
    std::uint64_t token = 0;
  };

  std::size_t nodes = 0;
  std::vector<Block> blocks;  // by rising height
  std::optional<Look> look;
  std::optional<std::uint32_t> node;
  std::uint64_t round = 0;
  Instant round_at{}, at{};  // when the next round begins; nothing is asked before
  std::uint64_t last_token = kFirstToken;
  std::vector<RpcRequest> requests;
  std::vector<RipeEvent> events;

  Block* find(const BlockHash& hash);
  void part(const Block& block);
  void begin_round(Instant now);
  void pump(Instant now);
  Block* next(Instant now, bool& newer_on_chain);
  void ask(const Block& block);
  bool answered(Block& block, const RpcResult& result, Instant now);
  bool saw_header(Block& block, std::int64_t confirmations);
  bool saw_rival(Block& block, std::int64_t confirmations, Instant now);
  bool lose(Block& block, std::uint32_t other);
  void tell(Block& block, RipeState to, std::int64_t confirmations, std::string detail);
};

RipeWatch::RipeWatch(std::size_t nodes) : state_(std::make_unique<State>()) {
  state_->nodes = nodes;
}
RipeWatch::~RipeWatch() = default;
RipeWatch::RipeWatch(RipeWatch&&) noexcept = default;

void RipeWatch::add(const BlockHash& hash, std::uint32_t height, RipeState ripe_state,
                    Instant now) {
  State& state = *state_;
  if (state.find(hash) != nullptr) return;
  auto& blocks = state.blocks;
  if (blocks.empty()) state.round_at = now + kRoundEvery;
  const auto at = std::upper_bound(
      blocks.begin(), blocks.end(), height,
      [](std::uint32_t wanted, const State::Block& block) { return wanted < block.height; });
  State::Block block;
  block.hash = hash;
  block.height = height;
  block.state = ripe_state;
  block.round = state.round;
  block.on_chain = ripe_state != RipeState::Lost;
  state.part(*blocks.insert(at, block));
  if (blocks.size() > kBlocks) blocks.erase(blocks.begin());
  state.pump(now);
}

void RipeWatch::tip(NodeIndex node, std::uint32_t height, Instant now) {
  State& state = *state_;
  CHECK(node.value() < state.nodes);
  std::erase_if(state.blocks, [height](const State::Block& block) {
    return std::uint64_t{block.height} + kHeights < height;
  });
  if (state.node != node.value()) state.at = now;
  state.node = node.value();
  if (state.look) state.look->current = false;
  state.begin_round(now);
  state.pump(now);
}

void RipeWatch::answer(const RpcAnswer& answer, Instant now) {
  State& state = *state_;
  if (!state.look || state.look->token != answer.token) return;
  State::Block* block = state.find(state.look->hash);
  const RpcResult result = parse_rpc_answer(answer);
  if (block != nullptr && state.look->current && state.answered(*block, result, now)) {
    state.ask(*block);
  } else {
    state.look.reset();
  }
  state.pump(now);
}

void RipeWatch::expire(Instant now) { state_->pump(now); }
std::vector<RpcRequest> RipeWatch::take_requests() { return std::exchange(state_->requests, {}); }
std::vector<RipeEvent> RipeWatch::take_events() { return std::exchange(state_->events, {}); }
std::size_t RipeWatch::blocks() const { return state_->blocks.size(); }

std::optional<Instant> RipeWatch::deadline() const {
  const State& state = *state_;
  if (state.look || !state.node || state.blocks.empty()) return std::nullopt;
  bool newer_on_chain = false;
  Instant first = state.round_at;
  // What is left of this round waits for the pause after an error.
  if (state_->next(Instant::min(), newer_on_chain) != nullptr) first = state.at;
  for (const State::Block& block : state.blocks)
    if (block.proof_at) first = std::min(first, *block.proof_at + kBetweenProofs);
  return std::max(first, state.at);
}

RipeWatch::State::Block* RipeWatch::State::find(const BlockHash& hash) {
  const auto found = std::find_if(blocks.begin(), blocks.end(),
                                  [&](const Block& block) { return block.hash == hash; });
  return found == blocks.end() ? nullptr : &*found;
}

/// Who is whose ancestor must be learned anew around a block that came, went or came back.
void RipeWatch::State::part(const Block& changed) {
  auto older = blocks.begin() + (&changed - blocks.data());
  older->joined = false;
  while (older != blocks.begin()) {
    --older;
    if (older->state == RipeState::Lost) continue;
    older->joined = false;
    return;
  }
}

void RipeWatch::State::begin_round(Instant now) {
  ++round;
  round_at = now + kRoundEvery;
}

void RipeWatch::State::pump(Instant now) {
  if (look || !node || blocks.empty() || now < at) return;
  if (now >= round_at) begin_round(now);
  bool newer_on_chain = false;
  const Block* block = next(now, newer_on_chain);
  if (block == nullptr) return;
  look = Look{block->hash, Step::Header, *node, newer_on_chain, true, {}, 0};
  ask(*block);
}

/// The next block to be looked up in this round, and whether the newer ones are on the chain.
RipeWatch::State::Block* RipeWatch::State::next(Instant now, bool& newer_on_chain) {
  newer_on_chain = false;
  for (auto block = blocks.rbegin(); block != blocks.rend(); ++block) {
    const bool looked_up = block->round == round;
    if (looked_up && block->proof_at && now >= *block->proof_at + kBetweenProofs) return &*block;
    const bool implied = block->state == RipeState::Ripe && newer_on_chain && block->joined;
    if (!looked_up && (!implied || block->proof_at)) return &*block;
    if (looked_up && block->state != RipeState::Lost) newer_on_chain = block->on_chain;
  }
  return nullptr;
}

void RipeWatch::State::ask(const Block& block) {
  JsonWriter json;
  json.begin_array();
  if (look->step == Step::HashAtHeight)
    json.number(block.height);
  else
    json.string((look->step == Step::RivalHeader ? look->rival : block.hash).hex());
  json.end_array();
  look->token = ++last_token;
  requests.push_back({last_token, NodeIndex(look->node), RpcLane::Watch,
                      look->step == Step::HashAtHeight ? "getblockhash" : "getblockheader",
                      json.take(), kCallTimeout, kMaxSmallAnswer});
}

/// Whether the look goes on with another question.
bool RipeWatch::State::answered(Block& block, const RpcResult& result, Instant now) {
  const auto confirmations = confirmations_told(result);
  switch (look->step) {
    case Step::Header:
      if (confirmations) return saw_header(block, *confirmations);
      break;
    case Step::HashAtHeight: {
      const JsonText json(result.result);
      std::string_view text;
      const bool good = !result.error && json.root() && json.root()->get(text) == simdjson::SUCCESS;
      const auto hash = good ? BlockHash::from_hex(text) : std::nullopt;
      if (hash && *hash != block.hash) {
        look->rival = *hash;
        look->step = Step::RivalHeader;
        return true;
      }
      if (!hash && !(result.error && result.error->code == kOutOfRange)) break;
      // Nobody is there yet, or ours again meanwhile.
      block.proof_at.reset();
      block.round = round;
      return false;
    }
    case Step::RivalHeader:
      if (confirmations) return saw_rival(block, *confirmations, now);
      break;
    case Step::Elsewhere:
      // Silence there neither saves a block nor holds up what is proven here.
      if (confirmations.value_or(0) <= 0) return lose(block, look->node + 1);
      block.proof_at.reset();
      return false;
  }
  at = now + kAfterError;
  return false;
}

bool RipeWatch::State::saw_header(Block& block, std::int64_t confirmations) {
  block.on_chain = confirmations > 0;
  if (!block.on_chain && block.state != RipeState::Lost) {
    look->step = Step::HashAtHeight;
    return true;
  }
  block.round = round;
  if (!block.on_chain) return false;
  block.proof_at.reset();
  if (look->newer_on_chain) block.joined = true;
  const std::string detail = "node " + std::to_string(look->node) + ": on the chain";
  if (block.state == RipeState::Lost) tell(block, RipeState::Unripe, confirmations, detail);
  if (block.state == RipeState::Unripe && confirmations >= kRipe)
    tell(block, RipeState::Ripe, confirmations, detail);
  return false;
}

bool RipeWatch::State::saw_rival(Block& block, std::int64_t confirmations, Instant now) {
  block.round = round;
  if (confirmations < kRivalBuried) {
    block.proof_at.reset();
    return false;
  }
  if (!block.proof_at) block.proof_at = now;
  if (now < *block.proof_at + kBetweenProofs) return false;
  return lose(block, 0);
}

/// Proven at one node: the others have a word, from number `other` on.
bool RipeWatch::State::lose(Block& block, std::uint32_t other) {
  if (other == *node) ++other;
  if (other < nodes) {
    look->step = Step::Elsewhere;
    look->node = other;
    return true;
  }
  block.proof_at.reset();
  tell(block, RipeState::Lost, 0,
       "node " + std::to_string(*node) + ": buried at this height: " + look->rival.hex());
  return false;
}

void RipeWatch::State::tell(Block& block, RipeState to, std::int64_t confirmations,
                            std::string detail) {
  const bool parted = block.state == RipeState::Lost || to == RipeState::Lost;
  block.state = to;
  if (parted) part(block);
  events.push_back({block.hash, to, as_depth(confirmations), std::move(detail)});
}

}  // namespace adit
