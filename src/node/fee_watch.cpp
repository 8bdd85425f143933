// SPDX-License-Identifier: MIT
// An error is one block's matter, silence the whole node's: a pruned node that lacks old blocks
// must not hold up the new ones, and a node that is down is not asked 144 times a minute.
#include "adit/node/fee_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "adit/base/json.h"
#include "adit/base/log.h"
#include "node/json_text.h"
#include "node/rpc_limits.h"

namespace adit {
namespace {

/// Beyond NodeLink's, from 1, and BlockSubmitter's, from 2^48.
constexpr std::uint64_t kFirstToken = 1ull << 49;
/// Blocks that a reorg may have exchanged since they were asked for.
constexpr std::uint32_t kAskedAgain = 6;
constexpr unsigned kMaxErrors = 3;
constexpr Duration kAfterError = std::chrono::minutes(1);
/// An answer is read from the disk: a block and what it spent.
constexpr Duration kTimeout = std::chrono::seconds(30);
constexpr int kWarmingUp = -28;
constexpr std::size_t kMaxReason = 200;

/// The sum in an answer about `height`, or nothing.
std::optional<Satoshi> total_fee(const std::string& result, std::int64_t height) {
  const JsonText json(result);
  if (!json.root() || !json.root()->is_object()) return std::nullopt;
  const auto told = json_integer(*json.root(), "height");
  const auto fee = json_integer(*json.root(), "totalfee");
  if (told != height || !fee || *fee < 0 || *fee > kMaxMoney.value()) return std::nullopt;
  return Satoshi(*fee);
}

}  // namespace

struct FeeWatch::State {
  struct Block {
    std::optional<Satoshi> fee;
    bool due = true;
    unsigned errors = 0;  // in a row
    Instant at{};         // not asked for before
  };
  struct Question {
    std::uint64_t token = 0;
    std::int64_t height = 0;
    bool current = true;  // no tip has come since
  };

  std::map<std::int64_t, Block> blocks;  // by height; at most kBlocks
  std::optional<Question> question;
  NodeIndex node;
  Instant at{};  // the node is not asked before
  std::uint64_t last_token = kFirstToken;
  std::vector<RpcRequest> requests;
  std::optional<std::string> warning;
  bool warned = false;

  void pump(Instant now);
  void failed(Block& block, const RpcResult& result, std::int64_t height, Instant now);
};

FeeWatch::FeeWatch() : state_(std::make_unique<State>()) {}
FeeWatch::~FeeWatch() = default;
FeeWatch::FeeWatch(FeeWatch&&) noexcept = default;

void FeeWatch::tip(NodeIndex node, std::uint32_t height, Instant now) {
  State& state = *state_;
  if (node != state.node) state.at = now;
  state.node = node;
  const std::int64_t newest = height;
  const std::int64_t oldest = std::max<std::int64_t>(1, newest - kBlocks + 1);
  std::erase_if(state.blocks,
                [&](const auto& block) { return block.first < oldest || block.first > newest; });
  for (std::int64_t i = oldest; i <= newest; ++i) {
    State::Block& block = state.blocks[i];
    if (i + kAskedAgain <= newest) continue;
    block.due = true;
    block.errors = 0;
    block.at = now;
  }
  // What is said of the chain before this tip may not hold any more.
  if (state.question) state.question->current = false;
  state.pump(now);
}

void FeeWatch::answer(const RpcAnswer& answer, Instant now) {
  State& state = *state_;
  if (!state.question || state.question->token != answer.token) return;
  const State::Question question = *state.question;
  state.question.reset();
  const auto found = state.blocks.find(question.height);
  if (question.current && found != state.blocks.end()) {
    State::Block& block = found->second;
    const RpcResult result = parse_rpc_answer(answer);
    const auto fee = result.error ? std::nullopt : total_fee(result.result, question.height);
    if (fee) {
      block.fee = fee;
      block.due = false;
      block.errors = 0;
    } else {
      state.failed(block, result, question.height, now);
    }
  }
  state.pump(now);
}

void FeeWatch::State::failed(Block& block, const RpcResult& result, std::int64_t height,
                             Instant now) {
  const int code = result.error ? result.error->code : 0;
  if (result.error && (code == 0 || code == kWarmingUp)) {
    at = now + kAfterError;
    return;
  }
  block.at = now + kAfterError;
  if (++block.errors < kMaxErrors) return;
  // The last word of another branch may stand here. It is as good as the mean of its neighbours.
  block.due = false;
  if (warned) return;
  warned = true;
  warning = fmt::format("getblockstats {}: {}; its fees are left out of the mean", height,
                        result.error ? fmt::format("error {}: {}", code, result.error->message)
                                     : "no fees in " + log_escape(result.result, kMaxReason));
}

void FeeWatch::State::pump(Instant now) {
  if (question || now < at) return;
  const auto next = std::find_if(blocks.rbegin(), blocks.rend(), [now](const auto& block) {
    return block.second.due && block.second.at <= now;
  });
  if (next == blocks.rend()) return;
  JsonWriter json;
  json.begin_array().number(next->first);
  json.begin_array().string("height").string("totalfee").end_array().end_array();
  question = Question{++last_token, next->first};
  requests.push_back(
      {last_token, node, RpcLane::Watch, "getblockstats", json.take(), kTimeout, kMaxSmallAnswer});
}

void FeeWatch::expire(Instant now) { state_->pump(now); }
std::vector<RpcRequest> FeeWatch::take_requests() { return std::exchange(state_->requests, {}); }
std::optional<std::string> FeeWatch::take_warning() {
  return std::exchange(state_->warning, std::nullopt);
}

std::optional<Instant> FeeWatch::deadline() const {
  if (state_->question) return std::nullopt;
  std::optional<Instant> first;
  for (const auto& [height, block] : state_->blocks)
    if (block.due && (!first || block.at < *first)) first = block.at;
  if (first) first = std::max(*first, state_->at);
  return first;
}

std::optional<Satoshi> FeeWatch::mean() const {
  std::int64_t sum = 0, count = 0;  // 144 times all money there is fits
  for (const auto& [height, block] : state_->blocks) {
    if (!block.fee) continue;
    sum += block.fee->value();
    ++count;
  }
  if (count == 0) return std::nullopt;
  return Satoshi(sum / count);
}

bool FeeWatch::complete() const {
  const auto& blocks = state_->blocks;
  return !blocks.empty() && std::all_of(blocks.begin(), blocks.end(), [](const auto& block) {
    return block.second.fee.has_value();
  });
}

bool FeeWatch::settled() const {
  const auto& blocks = state_->blocks;
  return std::none_of(blocks.begin(), blocks.end(),
                      [](const auto& block) { return block.second.due; });
}

}  // namespace adit
