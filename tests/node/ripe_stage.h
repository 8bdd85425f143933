// SPDX-License-Identifier: MIT
// Nodes with block trees that can be cut and grown, a virtual clock that carries questions and
// answers between them and RipeWatch, and what it has told. It watches at every step that one
// question is under way at most, and that the deadline lies in the future.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adit/node/ripe_watch.h"
#include "fixture.h"

namespace adit::test {

/// A node's block tree, as far as it tells of it.
struct BlockTree {
  std::map<std::uint32_t, BlockHash> chain;  ///< by height
  std::map<std::string, std::uint32_t> known;
  bool down = false;
  int error = 0;
  std::optional<std::string> odd;  ///< this result, whatever was asked

  std::uint32_t height() const { return chain.rbegin()->first; }
  void put(std::uint32_t at, const BlockHash& hash) {
    chain[at] = hash;
    known[hash.hex()] = at;
  }
  void cut(std::uint32_t from) { chain.erase(chain.lower_bound(from), chain.end()); }
  bool holds(const BlockHash& hash) const {
    const auto at = known.find(hash.hex());
    if (at == known.end()) return false;
    const auto there = chain.find(at->second);
    return there != chain.end() && there->second == hash;
  }
  std::string header(const std::string& hash) const {
    const auto at = known.find(hash);
    if (at == known.end()) return "!-5";
    const bool active = chain.contains(at->second) && chain.at(at->second).hex() == hash;
    const auto depth = active ? std::int64_t{height()} - at->second + 1 : -1;
    return object_of({{"confirmations", std::to_string(depth)}});
  }
  std::string hash_at(std::uint32_t at) const {
    return chain.contains(at) ? in_quotes(chain.at(at).hex()) : "!-8";
  }
};

inline BlockHash block_hash(std::uint32_t height, std::uint32_t branch) {
  return BlockHash::from(hash_number(height * 1'000 + branch));
}

struct RipeStage {
  explicit RipeStage(std::size_t count = 1) : trees(count), watch(count) {}
  std::vector<BlockTree> trees;
  RipeWatch watch;
  Instant now{};
  std::optional<RpcRequest> pending;
  Instant due{};
  std::vector<std::string> asked;  ///< "<node> <method> <params>"
  std::vector<std::pair<Instant, RipeEvent>> events;
  std::map<BlockHash, RipeState> states;
  std::map<BlockHash, std::uint32_t> depths;

  /// All trees: branch 0 up to `height`.
  void grow(std::uint32_t from, std::uint32_t height, std::uint32_t branch = 0) {
    for (BlockTree& tree : trees)
      for (std::uint32_t at = from; at <= height; ++at) tree.put(at, block_hash(at, branch));
  }
  /// At one node, or all: from `from` on another branch, up to `height`.
  void reorg(std::uint32_t from, std::uint32_t height, std::uint32_t branch, int only = -1) {
    for (std::size_t i = 0; i < trees.size(); ++i) {
      if (only >= 0 && i != static_cast<std::size_t>(only)) continue;
      trees[i].cut(from);
      for (std::uint32_t at = from; at <= height; ++at) trees[i].put(at, block_hash(at, branch));
    }
  }
  BlockHash add(std::uint32_t height, std::uint32_t branch = 0, RipeState state = RipeState::Ripe) {
    const BlockHash hash = block_hash(height, branch);
    watch.add(hash, height, state, now);
    states[hash] = state;
    collect();
    return hash;
  }
  void tip(std::uint32_t node = 0) {
    watch.tip(NodeIndex(node), trees[node].height(), now);
    collect();
  }
  void collect() {
    for (RpcRequest& request : watch.take_requests()) {
      REQUIRE(!pending);
      REQUIRE(request.lane == RpcLane::Watch);
      REQUIRE(request.token > 1ull << 50);
      asked.push_back(std::to_string(request.node.value()) + " " + request.method + " " +
                      request.params);
      pending = std::move(request);
      due = now + (trees[pending->node.value()].down ? Duration(std::chrono::seconds(4))
                                                     : Duration(std::chrono::milliseconds(1)));
    }
    for (RipeEvent& event : watch.take_events()) {
      states[event.hash] = event.state;
      depths[event.hash] = event.confirmations;
      events.emplace_back(now, std::move(event));
    }
  }
  RpcAnswer answer_to(const RpcRequest& request) const {
    const BlockTree& tree = trees[request.node.value()];
    RpcAnswer answer;
    answer.token = request.token;
    if (tree.down) {
      answer.transport_error = "timed out after 4 s";
      return answer;
    }
    answer.http_status = 200;
    std::string raw;
    if (request.method == "getblockhash") {
      raw = tree.hash_at(static_cast<std::uint32_t>(std::stoul(request.params.substr(1))));
    } else {
      REQUIRE(request.method == "getblockheader");
      raw = tree.header(request.params.substr(2, 64));
    }
    if (tree.odd) raw = *tree.odd;
    if (tree.error != 0) raw = "!" + std::to_string(tree.error);
    answer.body = raw[0] == '!'
                      ? R"({"result":null,"error":{"code":)" + raw.substr(1) + R"(,"message":"m"}})"
                      : R"({"result":)" + raw + R"(,"error":null})";
    return answer;
  }
  void run_for(Duration time) {
    const Instant end = now + time;
    for (;;) {
      Instant next = end;
      if (const auto at = watch.deadline()) {
        REQUIRE(!pending);
        REQUIRE(*at > now);
        next = std::min(next, *at);
      }
      if (pending) next = std::min(next, due);
      now = next;
      if (pending && due <= now) {
        const RpcRequest request = *pending;
        pending.reset();
        watch.answer(answer_to(request), now);
        collect();
      }
      watch.expire(now);
      collect();
      if (now >= end) return;
    }
  }
  std::size_t questions() {
    const std::size_t count = asked.size();
    asked.clear();
    return count;
  }
};

}  // namespace adit::test
