// SPDX-License-Identifier: MIT
// Nodes as far as submitting goes, and a virtual clock that carries questions and answers between
// them and BlockSubmitter. It watches at every step that the deadline lies in the future.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "adit/node/block_submitter.h"
#include "fixture.h"

namespace adit::test {

inline const BlockHash kOurs = BlockHash::from(hash_number(0xaaaa));
inline const BlockHash kRival = BlockHash::from(hash_number(0xbbbb));
inline constexpr std::uint32_t kHeight = 500;

/// A node as far as submitting goes: what it answers is set by the test.
struct Peer {
  std::string submit = "null";  ///< raw result, or "!code" for an error, "" for no answer
  Duration submit_latency = std::chrono::milliseconds(1);
  int http_status = 200;   ///< of submitblock
  std::int64_t ours = 0;   ///< confirmations; 0: not found
  std::int64_t rival = 0;  ///< likewise, the other block at our height
  bool errors = false;     ///< every look fails with -28
  std::string tips = "[]";
  std::vector<Instant> submissions;
  int looks = 0;

  std::string body(const RpcRequest& request) const {
    std::string raw;
    if (request.method == "submitblock") {
      raw = submit;
    } else if (errors) {
      raw = "!-28";
    } else if (request.method == "getchaintips") {
      raw = tips;
    } else if (request.method == "getblockhash") {
      raw = ours > 0 ? in_quotes(kOurs.hex()) : rival > 0 ? in_quotes(kRival.hex()) : "!-8";
    } else {
      const bool about_rival = request.params.find(kRival.hex()) != std::string::npos;
      const std::int64_t confirmations = about_rival ? rival : ours;
      raw =
          confirmations == 0 ? "!-5" : R"({"confirmations":)" + std::to_string(confirmations) + "}";
    }
    if (raw[0] != '!') return R"({"result":)" + raw + R"(,"error":null})";
    return R"({"result":null,"error":{"code":)" + raw.substr(1) + R"(,"message":"m"}})";
  }
};

struct SubmitStage {
  explicit SubmitStage(std::size_t count = 1) : peers(count), submitter(count) {}
  std::vector<Peer> peers;
  BlockSubmitter submitter;
  Instant now{};
  std::vector<BlockProgress> progress;
  std::vector<std::pair<Instant, RpcRequest>> pending;

  void submit(const BlockHash& hash = kOurs, SubmitState resumed = SubmitState::Submitted) {
    submitter.submit(hash, kHeight, "00ff", now, resumed);
    collect();
  }
  void changed(std::uint32_t node = 0) {
    submitter.node_changed(NodeIndex(node), now);
    collect();
  }
  void collect() {
    for (RpcRequest& request : submitter.take_requests()) {
      Peer& peer = peers[request.node.value()];
      const bool submission = request.method == "submitblock";
      CHECK(request.lane == RpcLane::Submit);
      CHECK(request.token > 1ull << 48);
      if (submission) {
        CHECK(request.params == R"(["00ff"])");
        peer.submissions.push_back(now);
      } else {
        ++peer.looks;
      }
      pending.emplace_back(now + (submission ? peer.submit_latency : std::chrono::milliseconds(1)),
                           std::move(request));
    }
    for (BlockProgress& one : submitter.take_progress()) progress.push_back(std::move(one));
  }
  void run_for(Duration time) {
    const Instant end = now + time;
    for (;;) {
      Instant next = end;
      if (const auto at = submitter.deadline()) {
        REQUIRE(*at > now);
        next = std::min(next, *at);
      }
      for (const auto& one : pending) next = std::min(next, one.first);
      now = next;
      for (std::size_t i = 0; i < pending.size();) {
        if (pending[i].first > now) {
          ++i;
          continue;
        }
        const RpcRequest request = pending[i].second;
        pending.erase(pending.begin() + static_cast<std::ptrdiff_t>(i));
        RpcAnswer answer;
        answer.token = request.token;
        const Peer& peer = peers[request.node.value()];
        if (request.method == "submitblock" && peer.submit.empty()) {
          answer.transport_error = "timed out";
        } else {
          answer.http_status = request.method == "submitblock" ? peer.http_status : 200;
          answer.body = answer.http_status == 200 ? peer.body(request) : "busy";
        }
        submitter.answer(answer, now);
        collect();
      }
      submitter.expire(now);
      collect();
      if (now >= end) return;
    }
  }
  SubmitState state() const {
    return progress.empty() ? SubmitState::Submitted : progress.back().state;
  }
};

}  // namespace adit::test
