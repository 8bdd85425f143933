// SPDX-License-Identifier: MIT
// Bringing found blocks to the nodes, and weighing what all of them say. block_follow.cpp looks
// afterwards whether a block is still on the chain.
#include "adit/node/block_submitter.h"

#include <fmt/format.h>

#include <algorithm>

#include "adit/base/check.h"
#include "adit/base/json.h"
#include "node/block_state.h"
#include "node/rpc_limits.h"

namespace adit {
namespace {

constexpr std::size_t kFinishedKept = 256;
/// NodeLink counts from 1; so the tokens of the two never meet.
constexpr std::uint64_t kFirstToken = 1ull << 48;
/// Other nodes have it by then from each other.
constexpr std::uint32_t kEnoughConfirmations = 6;
constexpr std::uint32_t kMatureConfirmations = 100;
constexpr unsigned kProofs = 2;
/// A silent node's last word counts so long against another node's newer one.
constexpr Duration kWordHolds = std::chrono::minutes(10);
/// Refused by one node and not a word from the others.
constexpr Duration kRefusedWait = std::chrono::hours(1);

LegStage stage_of(SubmitMeaning meaning) {
  switch (meaning) {
    case SubmitMeaning::Accepted:
      return LegStage::Accepted;
    case SubmitMeaning::Side:
      return LegStage::Side;
    case SubmitMeaning::Refused:
      return LegStage::Refused;
    case SubmitMeaning::ParentUnknown:
      return LegStage::ParentUnknown;
    case SubmitMeaning::Unknown:
      return LegStage::Unknown;
    case SubmitMeaning::NoAnswer:
      return LegStage::Due;
  }
  UNREACHABLE();
}

bool needs_submission(const FoundBlock& block, const Leg& leg) {
  return leg.stage == LegStage::Due && block.confirmations < kEnoughConfirmations;
}

}  // namespace

std::string_view submit_state_name(SubmitState state) {
  switch (state) {
    case SubmitState::Submitted:
      return "submitted";
    case SubmitState::Side:
      return "side";
    case SubmitState::Accepted:
      return "accepted";
    case SubmitState::Refused:
      return "refused";
    case SubmitState::Orphaned:
      return "orphaned";
    case SubmitState::Mature:
      return "mature";
  }
  UNREACHABLE();
}

Duration submit_delay(unsigned tries) {
  if (tries <= 1) return Duration{};
  return std::chrono::milliseconds(std::min(50ull << std::min(tries - 2, 6u), 2'000ull));
}

BlockSubmitter::BlockSubmitter(std::size_t nodes) : state_(std::make_unique<State>(nodes)) {
  state_->last_token = kFirstToken;
}
BlockSubmitter::~BlockSubmitter() = default;
BlockSubmitter::BlockSubmitter(BlockSubmitter&&) noexcept = default;

void BlockSubmitter::submit(const BlockHash& hash, const BlockHash& /*prev*/, std::uint32_t height,
                            std::string block_hex, Instant now) {
  State& state = *state_;
  const auto& finished = state.finished;
  if (state.find(hash) != nullptr) return;
  if (std::find(finished.begin(), finished.end(), hash) != finished.end()) return;
  FoundBlock block;
  block.hash = hash;
  block.height = height;
  block.hex = std::move(block_hex);
  block.legs.resize(state.looks.size());
  for (Leg& leg : block.legs) leg.at = now;
  state.open.push_back(std::move(block));
  state.pump(now);
}

void BlockSubmitter::node_changed(NodeIndex node, Instant now) {
  CHECK(node.value() < state_->looks.size());
  for (FoundBlock& block : state_->open) {
    Leg& leg = block.legs[node.value()];
    if (leg.stage == LegStage::ParentUnknown || leg.stage == LegStage::Unknown)
      leg.stage = LegStage::Due;
    leg.at = std::min(leg.at, now);
  }
  state_->pump(now);
}

void BlockSubmitter::answer(const RpcAnswer& answer, Instant now) {
  State& state = *state_;
  const auto found = state.questions.find(answer.token);
  if (found == state.questions.end()) return;
  const State::Question question = found->second;
  state.questions.erase(found);
  if (!question.submission) --state.looks[question.node];
  if (FoundBlock* block = state.find(question.hash)) {
    block->legs[question.node].asked = false;
    const RpcResult result = answer.body.size() > kMaxSmallAnswer
                                 ? RpcResult{RpcError{0, "answer too large"}, {}}
                                 : parse_rpc_answer(answer);
    if (question.submission) {
      state.submitted(*block, question.node, result, now);
    } else {
      state.looked(*block, question.node, result, now);
    }
    state.weigh(*block, now);
  }
  state.pump(now);
}

void BlockSubmitter::expire(Instant now) { state_->pump(now); }
std::vector<RpcRequest> BlockSubmitter::take_requests() {
  return std::exchange(state_->requests, {});
}
std::vector<BlockProgress> BlockSubmitter::take_progress() {
  return std::exchange(state_->progress, {});
}
std::size_t BlockSubmitter::open_blocks() const { return state_->open.size(); }

std::optional<Instant> BlockSubmitter::deadline() const {
  std::optional<Instant> first;
  const auto earlier = [&first](Instant at) { first = first ? std::min(*first, at) : at; };
  for (const FoundBlock& block : state_->open) {
    if (block.refused_at) earlier(*block.refused_at + kRefusedWait);
    for (std::uint32_t node = 0; node < block.legs.size(); ++node) {
      const Leg& leg = block.legs[node];
      if (leg.asked) continue;
      const bool look = wants_looks(leg) && state_->may_look(node);
      if (look || needs_submission(block, leg)) earlier(leg.at);
    }
  }
  return first;
}

FoundBlock* BlockSubmitter::State::find(const BlockHash& hash) {
  const auto at = std::find_if(open.begin(), open.end(),
                               [&](const FoundBlock& block) { return block.hash == hash; });
  return at == open.end() ? nullptr : &*at;
}

void BlockSubmitter::State::send(FoundBlock& block, std::uint32_t node, bool submission,
                                 std::string method, std::string params) {
  block.legs[node].asked = true;
  questions.emplace(++last_token, Question{block.hash, node, submission});
  if (!submission) ++looks[node];
  requests.push_back({last_token, NodeIndex(node), RpcLane::Submit, std::move(method),
                      std::move(params), submission ? kSubmitTimeout : kCallTimeout,
                      kMaxSmallAnswer});
}

void BlockSubmitter::State::pump(Instant now) {
  drop_final(now);
  for (FoundBlock& block : open) {
    for (std::uint32_t node = 0; node < block.legs.size(); ++node) {
      const Leg& leg = block.legs[node];
      if (leg.asked || leg.at > now || !needs_submission(block, leg)) continue;
      JsonWriter json;
      json.begin_array().string(block.hex).end_array();
      send(block, node, true, "submitblock", json.take());
    }
  }
  for (std::uint32_t node = 0; node < looks.size(); ++node) pump_looks(node, now);
}

void BlockSubmitter::State::submitted(FoundBlock& block, std::uint32_t node,
                                      const RpcResult& result, Instant now) {
  Leg& leg = block.legs[node];
  SubmitAnswer answer = read_submit_answer(result);
  block.detail = fmt::format("node {}: {}", node, answer.text);
  leg.stage = stage_of(answer.meaning);
  const bool news = leg.text != answer.text;
  leg.text = std::move(answer.text);
  leg.look = leg.stage == LegStage::Side ? Look::Tips : Look::Header;
  if (leg.stage == LegStage::Due) {
    leg.at = now + submit_delay(++leg.tries);
    return;
  }
  leg.tries = 0;
  leg.at = now;
  // What an operator must read even where the block's state does not change by it.
  const bool alarming = leg.stage == LegStage::Refused || leg.stage == LegStage::ParentUnknown ||
                        leg.stage == LegStage::Unknown;
  const SubmitState before = block.state;
  weigh(block, now);
  if (alarming && news && block.state == before) tell(block);
}

void BlockSubmitter::State::tell(const FoundBlock& block) {
  progress.push_back({block.hash, block.height, block.state, block.confirmations, block.detail});
}

/// One word for all legs: being on a chain beats everything, a buried rival beats hope, and a
/// refusal counts only while no node has the block.
void BlockSubmitter::State::weigh(FoundBlock& block, Instant now) {
  std::int64_t deepest = 0;
  bool taken = false, beside = false, refused = false;
  const auto recent = [now](const Leg& leg) { return now - leg.looked_at < kWordHolds; };
  const bool any_recent = std::any_of(block.legs.begin(), block.legs.end(), recent);
  for (const Leg& leg : block.legs) {
    if (!any_recent || recent(leg)) deepest = std::max(deepest, leg.confirmations);
    taken = taken || (leg.stage == LegStage::Accepted && leg.confirmations == 0);
    beside = beside || leg.stage == LegStage::Side || leg.confirmations < 0;
    refused = refused || leg.stage == LegStage::Refused;
  }
  // Submitted is where a block begins. While a node that lost it is asked again, the last word
  // stands.
  const bool was_taken = block.state == SubmitState::Side || block.state == SubmitState::Accepted;
  SubmitState state = was_taken ? block.state : SubmitState::Submitted;
  if (deepest >= kMatureConfirmations) {
    state = SubmitState::Mature;
  } else if (deepest > 0) {
    state = SubmitState::Accepted;
  } else if (block.proofs >= kProofs) {
    state = SubmitState::Orphaned;
  } else if (taken) {
    state = SubmitState::Accepted;
  } else if (beside) {
    state = SubmitState::Side;
  } else if (refused) {
    state = SubmitState::Refused;
  }
  const auto confirmations = static_cast<std::uint32_t>(std::min<std::int64_t>(deepest, INT32_MAX));
  if (state == block.state && confirmations == block.confirmations) return;
  block.state = state;
  block.confirmations = confirmations;
  tell(block);
}

bool BlockSubmitter::State::is_final(const FoundBlock& block, Instant now) const {
  switch (block.state) {
    case SubmitState::Mature:
      return true;
    case SubmitState::Orphaned:
      return block.rival_depth >= kMatureConfirmations;
    case SubmitState::Refused:
      return now >= *block.refused_at + kRefusedWait ||
             std::all_of(block.legs.begin(), block.legs.end(),
                         [](const Leg& leg) { return leg.stage == LegStage::Refused; });
    default:
      return false;
  }
}

void BlockSubmitter::State::drop_final(Instant now) {
  for (auto block = open.begin(); block != open.end();) {
    if (block->state != SubmitState::Refused) {
      block->refused_at.reset();
    } else if (!block->refused_at) {
      block->refused_at = now;
    }
    if (!is_final(*block, now)) {
      ++block;
      continue;
    }
    finished.push_back(block->hash);
    if (finished.size() > kFinishedKept) finished.pop_front();
    block = open.erase(block);
  }
}

}  // namespace adit
