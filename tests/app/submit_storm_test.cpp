// SPDX-License-Identifier: MIT
// BlockSubmitter against nodes with every mood and chains that are cut and grown: whatever came,
// the books take each state that it tells, and in the calm it says what the chain says.
#include <doctest/doctest.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "adit/ledger/records.h"
#include "adit/node/block_submitter.h"

using namespace adit;
using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t kHeight = 1'000;

BlockHash hash_of(std::uint32_t number) {
  Hash256 hash;
  store_le(hash.bytes.data(), number);
  hash.bytes[20] = 0x77;
  return BlockHash::from(hash);
}

/// The chain of all nodes from our height on: one block there, ours or another, and its depth.
struct Chain {
  BlockHash at_height;
  std::int64_t depth = 1;
};

struct Node {
  Chain chain;
  std::set<BlockHash> known;
  std::string mood = "null";  ///< what submitblock says; "": nothing
  bool silent = false;
};

struct Storm {
  Storm(unsigned seed, std::size_t count) : random(seed), nodes(count), submitter(count) {
    for (Node& node : nodes) node.chain.at_height = hash_of(1);
    submitter.submit(ours, kHeight, "00", now);
    collect();
  }
  std::mt19937 random;
  std::vector<Node> nodes;
  BlockSubmitter submitter;
  const BlockHash ours = hash_of(0);
  Instant now{};
  std::multimap<Instant, RpcRequest> pending;
  std::vector<BlockProgress> told;
  BlockState state = BlockState::Found;

  std::uint32_t chance(std::uint32_t below) { return static_cast<std::uint32_t>(random() % below); }

  std::string header(const Node& node, const std::string& hash) const {
    std::int64_t depth = 0;
    if (hash == node.chain.at_height.hex()) depth = node.chain.depth;
    for (const BlockHash& known : node.known)
      if (depth == 0 && known.hex() == hash) depth = -1;
    return depth == 0 ? "!-5" : R"({"confirmations":)" + std::to_string(depth) + "}";
  }
  std::string result_of(Node& node, const RpcRequest& request) {
    if (request.method == "submitblock") {
      const bool takes = node.mood == "null" || node.mood == "\"inconclusive\"";
      const bool had = node.known.contains(ours) || node.chain.at_height == ours;
      if (takes) node.known.insert(ours);
      return takes && had ? "\"duplicate\"" : node.mood;
    }
    if (request.method == "getchaintips") return "[]";
    if (request.method == "getblockhash") return '"' + node.chain.at_height.hex() + '"';
    return header(node, request.params.substr(2, 64));
  }
  RpcAnswer answer_to(const RpcRequest& request) {
    Node& node = nodes[request.node.value()];
    RpcAnswer answer;
    answer.token = request.token;
    const std::string raw = node.silent ? "" : result_of(node, request);
    if (raw.empty()) {
      answer.transport_error = "timed out";
      return answer;
    }
    answer.http_status = 200;
    answer.body = raw[0] == '!'
                      ? R"({"result":null,"error":{"code":)" + raw.substr(1) + R"(,"message":"m"}})"
                      : R"({"result":)" + raw + R"(,"error":null})";
    return answer;
  }
  void collect() {
    for (RpcRequest& request : submitter.take_requests())
      pending.emplace(now + std::chrono::milliseconds(1 + chance(40)), std::move(request));
    for (BlockProgress& progress : submitter.take_progress()) {
      const BlockState next = *block_state_from(submit_state_name(progress.state));
      INFO(block_state_name(state), " -> ", block_state_name(next), " ", progress.detail);
      REQUIRE((state == next || block_may_move(state, next)));
      REQUIRE((told.empty() || !told.back().final));
      state = next;
      told.push_back(std::move(progress));
    }
  }
  void run_for(Duration time) {
    const Instant end = now + time;
    while (now < end) {
      Instant next = end;
      if (const auto at = submitter.deadline()) {
        REQUIRE(*at > now);
        next = std::min(next, *at);
      }
      if (!pending.empty()) next = std::min(next, pending.begin()->first);
      now = std::max(now, next);
      while (!pending.empty() && pending.begin()->first <= now) {
        const RpcRequest request = pending.extract(pending.begin()).mapped();
        submitter.answer(answer_to(request), now);
        collect();
      }
      submitter.expire(now);
      collect();
    }
  }
  /// Twenty minutes in which all nodes are well and of one mind, and blocks come.
  void calm(const BlockHash& hash, std::int64_t depth) {
    for (Node& node : nodes) {
      node.known.insert(node.chain.at_height);
      node.chain = {hash, depth};
      node.mood = "null";
      node.silent = false;
    }
    for (int minute = 0; minute < 20; ++minute) {
      for (std::uint32_t i = 0; i < nodes.size(); ++i) submitter.node_changed(NodeIndex(i), now);
      collect();
      run_for(1min);
    }
  }
  void blow() {
    static const std::vector<std::string> kMoods{"null",
                                                 "\"inconclusive\"",
                                                 "\"prev-blk-not-found\"",
                                                 "\"bad-txns\"",
                                                 "\"odd\"",
                                                 "",
                                                 "!-28",
                                                 "!-22",
                                                 "null"};
    Node& node = nodes[chance(static_cast<std::uint32_t>(nodes.size()))];
    node.mood = kMoods[chance(static_cast<std::uint32_t>(kMoods.size()))];
    node.silent = chance(3) == 0;
    if (chance(3) == 0) node.known.erase(ours);  // another data directory
    if (chance(3) == 0) {
      node.known.insert(node.chain.at_height);
      const bool back = node.known.contains(ours) && chance(2) == 0;
      node.chain = {back ? ours : hash_of(1 + chance(3)), 1 + chance(chance(4) == 0 ? 60 : 9)};
    } else {
      node.chain.depth = std::min<std::int64_t>(node.chain.depth + chance(4), 99);
    }
    if (chance(2) == 0) {
      submitter.node_changed(NodeIndex(chance(static_cast<std::uint32_t>(nodes.size()))), now);
      collect();
    }
    run_for(chance(2) == 0 ? Duration(std::chrono::milliseconds(chance(200)))
                           : Duration(std::chrono::seconds(chance(40))));
  }
  bool is_final() const { return !told.empty() && told.back().final; }
};

}  // namespace

TEST_CASE("submitter: random nodes; the books take every step, and the calm tells the truth") {
  std::map<BlockState, int> ends;
  for (unsigned seed = 1; seed <= 400; ++seed) {
    CAPTURE(seed);
    Storm storm(seed, 1 + seed % 3);
    for (std::uint32_t left = storm.chance(60); left > 0 && !storm.is_final(); --left) storm.blow();
    if (storm.is_final()) {
      ++ends[storm.state];
      continue;
    }
    const bool wins = seed % 2 == 0;
    storm.calm(wins ? storm.ours : hash_of(9), 8);
    REQUIRE(storm.state == (wins ? BlockState::Accepted : BlockState::Orphaned));
    storm.calm(wins ? storm.ours : hash_of(9), 100);
    REQUIRE(storm.is_final());
    REQUIRE(storm.state == (wins ? BlockState::Mature : BlockState::Orphaned));
    REQUIRE(storm.submitter.open_blocks() == 0);
    ++ends[storm.state];
  }
  CHECK(ends[BlockState::Mature] > 50);
  CHECK(ends[BlockState::Orphaned] > 50);
  CHECK(ends[BlockState::Refused] > 5);
}
