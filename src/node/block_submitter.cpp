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
constexpr int kHttpBusy = 503;
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

SubmitAlarm alarm_of(SubmitMeaning meaning) {
  if (meaning == SubmitMeaning::Refused) return SubmitAlarm::Refusal;
  return meaning == SubmitMeaning::Unknown ? SubmitAlarm::OddWord : SubmitAlarm::None;
}

/// What all legs of a block amount to.
struct Sight {
  std::int64_t depth = 0;
  bool taken = false, beside = false;
  bool refused = false, refused_by_all = true;
};

Sight sight_of(const OpenBlock& block, Instant now) {
  Sight sight;
  const auto recent = [now](const Leg& leg) { return now - leg.looked_at < kWordHolds; };
  const bool any_recent = std::any_of(block.legs.begin(), block.legs.end(), recent);
  for (const Leg& leg : block.legs) {
    if (!any_recent || recent(leg)) sight.depth = std::max(sight.depth, leg.confirmations);
    sight.taken = sight.taken || (leg.stage == LegStage::Accepted && leg.confirmations == 0);
    sight.beside = sight.beside || leg.stage == LegStage::Side || leg.confirmations < 0;
    sight.refused = sight.refused || leg.stage == LegStage::Refused;
    sight.refused_by_all = sight.refused_by_all && leg.stage == LegStage::Refused;
  }
  return sight;
}

/// Submitted is where a block begins. While a node that lost it is asked again, the last word
/// stands.
SubmitState state_seen(const OpenBlock& block, const Sight& sight, Instant now) {
  if (sight.depth >= kMatureConfirmations) return SubmitState::Mature;
  if (sight.depth > 0) return SubmitState::Accepted;
  // From here only the chain itself leads back.
  if (block.state == SubmitState::Orphaned) return block.state;
  if (block.proofs >= kProofs) return SubmitState::Orphaned;
  if (sight.taken) return SubmitState::Accepted;
  if (sight.beside) return SubmitState::Side;
  const bool over = block.refused_at && now >= *block.refused_at + kRefusedWait;
  if (!block.was_on_chain && (sight.refused_by_all || over)) return SubmitState::Refused;
  return block.state;
}

bool is_final(const OpenBlock& block, const Sight& sight, SubmitState state) {
  if (state == SubmitState::Mature || state == SubmitState::Refused) return true;
  // Where all nodes refuse it by now, none is asked about it any more.
  return state == SubmitState::Orphaned &&
         (block.rival_depth >= kMatureConfirmations || sight.refused_by_all);
}

std::string refusals_of(const OpenBlock& block) {
  std::string text;
  for (std::size_t node = 0; node < block.legs.size(); ++node)
    if (block.legs[node].stage == LegStage::Refused)
      text += fmt::format("{}node {}: {}", text.empty() ? "" : "; ", node, block.legs[node].text);
  return text;
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

void BlockSubmitter::submit(const BlockHash& hash, std::uint32_t height, std::string block_hex,
                            Instant now, SubmitState resumed) {
  CHECK(resumed != SubmitState::Refused && resumed != SubmitState::Mature);
  State& state = *state_;
  const auto& finished = state.finished;
  if (state.find(hash) != nullptr) return;
  if (std::find(finished.begin(), finished.end(), hash) != finished.end()) return;
  OpenBlock block;
  block.hash = hash;
  block.height = height;
  block.hex = std::move(block_hex);
  block.state = resumed;
  block.answered = resumed != SubmitState::Submitted;
  block.was_on_chain = resumed == SubmitState::Accepted || resumed == SubmitState::Orphaned;
  block.legs.resize(state.looks.size());
  for (Leg& leg : block.legs) leg.at = now;
  state.open.push_back(std::move(block));
  state.pump(now);
}

void BlockSubmitter::node_changed(NodeIndex node, Instant now) {
  CHECK(node.value() < state_->looks.size());
  for (OpenBlock& block : state_->open) {
    Leg& leg = block.legs[node.value()];
    leg.again = leg.asked;
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
  if (OpenBlock* block = state.find(question.hash)) {
    block->legs[question.node].asked = false;
    const RpcResult result = answer.body.size() > kMaxSmallAnswer
                                 ? RpcResult{RpcError{0, "answer too large"}, {}}
                                 : parse_rpc_answer(answer);
    if (question.submission) {
      state.submitted(*block, question.node, result, answer.http_status == kHttpBusy, now);
    } else {
      state.looked(*block, question.node, result, now);
      state.weigh(*block, now);
    }
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

std::vector<BlockHash> BlockSubmitter::unanswered() const {
  std::vector<BlockHash> out;
  for (const OpenBlock& block : state_->open)
    if (!block.answered) out.push_back(block.hash);
  return out;
}

std::optional<Instant> BlockSubmitter::deadline() const {
  std::optional<Instant> first;
  const auto earlier = [&first](Instant at) { first = first ? std::min(*first, at) : at; };
  for (const OpenBlock& block : state_->open) {
    if (block.refused_at) earlier(*block.refused_at + kRefusedWait);
    for (std::uint32_t node = 0; node < block.legs.size(); ++node) {
      const Leg& leg = block.legs[node];
      if (leg.asked) continue;
      const bool look = wants_looks(leg) && state_->may_look(node);
      if (look || leg.stage == LegStage::Due) earlier(leg.at);
    }
  }
  return first;
}

OpenBlock* BlockSubmitter::State::find(const BlockHash& hash) {
  const auto at = std::find_if(open.begin(), open.end(),
                               [&](const OpenBlock& block) { return block.hash == hash; });
  return at == open.end() ? nullptr : &*at;
}

void BlockSubmitter::State::send(OpenBlock& block, std::uint32_t node, bool submission,
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
  for (OpenBlock& block : open) {
    for (std::uint32_t node = 0; node < block.legs.size(); ++node) {
      Leg& leg = block.legs[node];
      if (leg.asked || leg.stage != LegStage::Due) continue;
      if (block.confirmations >= kEnoughConfirmations) {
        // Others have brought it there, or will: the chain tells.
        leg.stage = LegStage::Unknown;
        leg.look = Look::Header;
        continue;
      }
      if (leg.at > now) continue;
      leg.again = false;
      JsonWriter json;
      json.begin_array().string(block.hex).end_array();
      send(block, node, true, "submitblock", json.take());
    }
  }
  for (std::uint32_t node = 0; node < looks.size(); ++node) pump_looks(node, now);
}

void BlockSubmitter::State::submitted(OpenBlock& block, std::uint32_t node, const RpcResult& result,
                                      bool busy, Instant now) {
  Leg& leg = block.legs[node];
  SubmitAnswer answer = read_submit_answer(result);
  const bool silent = answer.meaning == SubmitMeaning::NoAnswer;
  const SubmitAlarm alarm = alarm_of(answer.meaning);
  leg.stage = stage_of(answer.meaning);
  // What was on a chain is judged by the chain.
  if (leg.stage == LegStage::Refused && block.was_on_chain) leg.stage = LegStage::Unknown;
  if (!silent || !block.refused_at) block.detail = fmt::format("node {}: {}", node, answer.text);
  block.answered = block.answered || !silent;
  const bool news = leg.text != answer.text;
  leg.text = std::move(answer.text);
  leg.look = leg.stage == LegStage::Side ? Look::Tips : Look::Header;
  const bool open_here = leg.stage == LegStage::Due || leg.stage == LegStage::ParentUnknown ||
                         leg.stage == LegStage::Unknown;
  if (std::exchange(leg.again, false) && open_here) {
    leg.stage = LegStage::Due;
    leg.at = now;
  } else if (leg.stage == LegStage::Due) {
    ++leg.tries;
    leg.at = now + (busy ? busy_backoff(leg.tries, last_token) : submit_delay(leg.tries));
  } else {
    leg.tries = 0;
    leg.at = now;
  }
  if (news && (alarm != SubmitAlarm::None || answer.meaning == SubmitMeaning::ParentUnknown))
    return heard(block, alarm, now);
  weigh(block, now);
}

/// What must be read even where the block's state does not change by it.
void BlockSubmitter::State::heard(OpenBlock& block, SubmitAlarm alarm, Instant now) {
  const std::size_t told = progress.size();
  weigh(block, now, alarm);
  if (progress.size() == told) tell(block, alarm);
}

void BlockSubmitter::State::tell(const OpenBlock& block, SubmitAlarm alarm) {
  progress.push_back({block.hash, block.height, block.state, block.confirmations, block.detail,
                      alarm, block.final});
}

/// One word for all legs: being on a chain beats everything, a buried rival beats hope, and
/// refusals count only while no node has the block.
void BlockSubmitter::State::weigh(OpenBlock& block, Instant now, SubmitAlarm alarm) {
  const Sight sight = sight_of(block, now);
  if (!sight.refused || sight.taken || sight.beside || sight.depth > 0) {
    block.refused_at.reset();
  } else if (!block.refused_at) {
    block.refused_at = now;
  }
  const SubmitState state = state_seen(block, sight, now);
  // The books know no way past it.
  if (state == SubmitState::Mature && block.state != SubmitState::Accepted) {
    block.state = SubmitState::Accepted;
    block.confirmations = kMatureConfirmations - 1;
    tell(block, SubmitAlarm::None);
  }
  if (state == SubmitState::Refused && block.state != state) block.detail = refusals_of(block);
  const auto depth = static_cast<std::uint32_t>(std::min<std::int64_t>(sight.depth, INT32_MAX));
  const bool final = is_final(block, sight, state);
  if (state == block.state && depth == block.confirmations && final == block.final) return;
  block.state = state;
  block.confirmations = depth;
  block.final = final;
  tell(block, alarm);
}

void BlockSubmitter::State::drop_final(Instant now) {
  for (auto block = open.begin(); block != open.end();) {
    if (block->refused_at && now >= *block->refused_at + kRefusedWait) weigh(*block, now);
    if (!block->final) {
      ++block;
      continue;
    }
    finished.push_back(block->hash);
    if (finished.size() > kFinishedKept) finished.pop_front();
    block = open.erase(block);
  }
}

}  // namespace adit
