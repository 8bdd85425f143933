// SPDX-License-Identifier: MIT
// Found blocks on their way to the nodes and after: every answer, silence, side chains, reorgs,
// and that an error never makes an orphan (D13, D14, G-30).
#include "adit/node/block_submitter.h"

#include <doctest/doctest.h>

#include <functional>
#include <map>

#include "fixture.h"
#include "node/block_state.h"

using namespace adit;
using namespace adit::test;
using namespace std::chrono_literals;

namespace {

const BlockHash kOurs = BlockHash::from(hash_number(0xaaaa));
const BlockHash kRival = BlockHash::from(hash_number(0xbbbb));
constexpr std::uint32_t kHeight = 500;

/// A node as far as submitting goes: what it answers is set by the test.
struct Peer {
  std::string submit = "null";  ///< raw result, or "!code" for an error, "" for no answer
  Duration submit_latency = 1ms;
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

struct Stage {
  explicit Stage(std::size_t count = 1) : peers(count), submitter(count) {}
  std::vector<Peer> peers;
  BlockSubmitter submitter;
  Instant now{};
  std::vector<BlockProgress> progress;
  std::vector<std::pair<Instant, RpcRequest>> pending;

  void submit(const BlockHash& hash = kOurs) {
    submitter.submit(hash, BlockHash::from(hash_number(1)), kHeight, "00ff", now);
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
      pending.emplace_back(now + (submission ? peer.submit_latency : 1ms), std::move(request));
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
          answer.http_status = 200;
          answer.body = peer.body(request);
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

}  // namespace

TEST_CASE("accepted, confirmed, followed to 100 confirmations") {
  for (const char* answer : {"null", "\"duplicate\""}) {
    Stage stage;
    stage.peers[0].submit = answer;
    stage.peers[0].ours = 1;
    stage.submit();
    stage.run_for(1s);
    REQUIRE(stage.progress.size() == 2);
    CHECK(stage.progress[0].state == SubmitState::Accepted);
    CHECK(stage.progress[0].confirmations == 0);
    CHECK(stage.progress[1].confirmations == 1);
    CHECK(stage.peers[0].submissions.size() == 1);
    for (std::int64_t depth = 2; depth <= 100; ++depth) {
      stage.peers[0].ours = depth;
      stage.changed();
      stage.run_for(10ms);
      CHECK(stage.progress.back().confirmations == depth);
    }
    CHECK(stage.state() == SubmitState::Mature);
    CHECK(stage.submitter.open_blocks() == 0);
    CHECK(!stage.submitter.deadline());
    stage.submit();
    CHECK(stage.submitter.open_blocks() == 0);
    CHECK(stage.progress.size() == 101);
  }
}

TEST_CASE("depth is noticed without a hint, within seconds") {
  Stage stage;
  stage.peers[0].ours = 1;
  stage.submit();
  stage.run_for(1s);
  stage.peers[0].ours = 4;
  stage.run_for(6s);
  CHECK(stage.progress.back().confirmations == 4);
}

TEST_CASE("silence of every kind is retried 0, 50, 100 ... 2000 ms, until accepted") {
  for (const char* silence : {"", "!-28", "!-9", "!-10", "!-1", "!-25"}) {
    CAPTURE(silence);
    Stage stage;
    stage.peers[0].submit = silence;
    stage.submit();
    stage.run_for(20s);
    const auto& times = stage.peers[0].submissions;
    REQUIRE(times.size() > 9);
    const Duration gaps[] = {0ms, 50ms, 100ms, 200ms, 400ms, 800ms, 1600ms, 2000ms, 2000ms};
    for (std::size_t i = 0; i < std::size(gaps); ++i)
      CHECK(times[i + 1] - times[i] == gaps[i] + 1ms);
    CHECK(stage.progress.empty());
    CHECK(stage.submitter.open_blocks() == 1);
    stage.peers[0].submit = "null";
    stage.peers[0].ours = 1;
    stage.run_for(3s);
    CHECK(stage.state() == SubmitState::Accepted);
  }
}

TEST_CASE("a node that comes back is asked at once") {
  Stage stage;
  stage.peers[0].submit = "";
  stage.submit();
  stage.run_for(10s);
  const auto before = stage.peers[0].submissions.size();
  stage.peers[0].submit = "null";
  stage.peers[0].ours = 1;
  stage.changed();
  stage.run_for(2ms);
  CHECK(stage.peers[0].submissions.size() == before + 1);
  CHECK(stage.state() == SubmitState::Accepted);
}

TEST_CASE("a refusal is final, verbatim, and told once") {
  for (const char* word :
       {"bad-cb-amount", "high-hash", "time-too-new", "unexpected-witness", "duplicate-invalid"}) {
    Stage stage;
    stage.peers[0].submit = in_quotes(word);
    stage.submit();
    stage.run_for(10s);
    REQUIRE(stage.progress.size() == 1);
    CHECK(stage.state() == SubmitState::Refused);
    CHECK(stage.progress[0].detail == std::string("node 0: ") + word);
    CHECK(stage.submitter.open_blocks() == 0);
    CHECK(stage.peers[0].submissions.size() == 1);
  }
  Stage stage;
  stage.peers[0].submit = "!-22";
  stage.submit();
  stage.run_for(1s);
  CHECK(stage.state() == SubmitState::Refused);
}

TEST_CASE("one node refuses, another has it: it is accepted, and the refusal is told") {
  Stage stage(2);
  stage.peers[0].submit = "\"bad-txns\"";
  stage.peers[1].submit_latency = 3s;
  stage.peers[1].ours = 1;
  stage.submit();
  stage.run_for(1s);
  CHECK(stage.state() == SubmitState::Refused);
  CHECK(stage.submitter.open_blocks() == 1);
  stage.run_for(5s);
  CHECK(stage.state() == SubmitState::Accepted);
  CHECK(stage.progress.front().detail == "node 0: bad-txns");
}

TEST_CASE("refused by one, not a word from the other: given up after an hour") {
  Stage stage(2);
  stage.peers[0].submit = "\"bad-txns\"";
  stage.peers[1].submit = "";
  stage.submit();
  stage.run_for(59min);
  CHECK(stage.submitter.open_blocks() == 1);
  stage.run_for(2min);
  CHECK(stage.submitter.open_blocks() == 0);
  CHECK(stage.state() == SubmitState::Refused);
}

TEST_CASE("a block whose parent is not known goes again when the tip moves") {
  Stage stage;
  stage.peers[0].submit = "\"prev-blk-not-found\"";
  stage.submit();
  stage.run_for(5s);
  CHECK(stage.peers[0].submissions.size() == 1);
  CHECK(stage.state() == SubmitState::Submitted);
  REQUIRE(stage.progress.size() == 1);
  CHECK(stage.progress[0].detail == "node 0: prev-blk-not-found");
  stage.peers[0].submit = "null";
  stage.peers[0].ours = 1;
  stage.changed();
  stage.run_for(100ms);
  CHECK(stage.peers[0].submissions.size() == 2);
  CHECK(stage.state() == SubmitState::Accepted);
}

TEST_CASE("a node that lost a block it had is asked again, and the block's state stands") {
  for (const char* word : {"null", "\"inconclusive\""}) {
    Stage stage;
    stage.peers[0].submit = word;
    stage.submit();
    stage.run_for(20s);
    CHECK(stage.peers[0].submissions.size() > 3);
    for (const BlockProgress& step : stage.progress) CHECK(step.state != SubmitState::Submitted);
    stage.peers[0].ours = 1;
    stage.run_for(5s);
    CHECK(stage.state() == SubmitState::Accepted);
  }
}

TEST_CASE("an odd word: the chain decides") {
  Stage stage;
  stage.peers[0].submit = "\"hello\"";
  stage.submit();
  stage.run_for(1s);
  CHECK(stage.state() == SubmitState::Submitted);
  CHECK(stage.progress.back().detail == "node 0: hello");
  stage.peers[0].ours = 1;
  stage.run_for(3s);
  CHECK(stage.state() == SubmitState::Accepted);
}

TEST_CASE("a side block may still win") {
  for (const char* word : {"inconclusive", "duplicate-inconclusive"}) {
    Stage stage;
    stage.peers[0].submit = in_quotes(word);
    stage.peers[0].ours = -1;
    stage.peers[0].rival = 1;
    stage.submit();
    stage.run_for(10s);
    CHECK(stage.state() == SubmitState::Side);
    CHECK(stage.peers[0].looks >= 27);  // three to four questions a second
    CHECK(stage.peers[0].submissions.size() == 1);
    stage.peers[0].ours = 2;
    stage.peers[0].rival = -1;
    stage.run_for(2s);
    CHECK(stage.state() == SubmitState::Accepted);
    CHECK(stage.progress.back().confirmations == 2);
  }
}

TEST_CASE("a side block that the node finds invalid") {
  Stage stage;
  stage.peers[0].submit = "\"inconclusive\"";
  stage.peers[0].ours = -1;
  stage.peers[0].tips =
      "[{\"height\":500,\"hash\":" + in_quotes(kOurs.hex()) + R"(,"status":"invalid"}])";
  stage.submit();
  stage.run_for(2s);
  CHECK(stage.state() == SubmitState::Refused);
  CHECK(stage.submitter.open_blocks() == 0);
}

TEST_CASE("orphaned only by a rival that is buried, and back by a reorg") {
  Stage stage;
  stage.peers[0].ours = 1;
  stage.submit();
  stage.run_for(1s);
  stage.peers[0].ours = -1;
  for (std::int64_t depth = 2; depth <= 6; ++depth) {
    stage.peers[0].rival = depth;
    stage.changed();
    stage.run_for(5s);
    CHECK(stage.state() == SubmitState::Side);
  }
  stage.peers[0].rival = 7;
  stage.changed();
  stage.run_for(3s);
  CHECK(stage.state() == SubmitState::Orphaned);
  CHECK(stage.submitter.open_blocks() == 1);
  stage.peers[0].ours = 8;
  stage.peers[0].rival = -1;
  stage.changed();
  stage.run_for(1s);
  CHECK(stage.state() == SubmitState::Accepted);
  CHECK(stage.progress.back().confirmations == 8);
  stage.peers[0].ours = -1;
  stage.peers[0].rival = 100;
  stage.run_for(60s);
  CHECK(stage.state() == SubmitState::Orphaned);
  CHECK(stage.submitter.open_blocks() == 0);
}

TEST_CASE("G-30: an error is no orphan, however long") {
  Stage stage;
  stage.peers[0].ours = 3;
  stage.submit();
  stage.run_for(1s);
  stage.peers[0].errors = true;
  stage.run_for(10min);
  CHECK(stage.state() == SubmitState::Accepted);
  CHECK(stage.progress.back().confirmations == 3);
}

TEST_CASE("one node that sees it on its chain outweighs a buried rival elsewhere") {
  Stage stage(2);
  for (Peer& peer : stage.peers) peer.ours = 1;
  stage.submit();
  stage.run_for(1s);
  stage.peers[1].ours = -1;
  stage.peers[1].rival = 9;
  stage.run_for(30s);
  CHECK(stage.state() == SubmitState::Accepted);
  stage.peers[0].errors = true;  // a dead node's word does not hold for ever
  stage.run_for(11min);
  CHECK(stage.state() == SubmitState::Orphaned);
}

TEST_CASE("a node that lost the block gets it again") {
  Stage stage;
  stage.peers[0].ours = 1;
  stage.submit();
  stage.run_for(1s);
  stage.peers[0].ours = 0;
  stage.run_for(6s);
  CHECK(stage.peers[0].submissions.size() >= 2);
  stage.peers[0].ours = 1;
  stage.run_for(5s);
  CHECK(stage.state() == SubmitState::Accepted);
}

TEST_CASE("D14: a slow first block does not delay the second; all nodes at once") {
  Stage stage(2);
  for (Peer& peer : stage.peers) peer.submit_latency = 5s;
  stage.submit();
  CHECK(stage.peers[0].submissions.size() == 1);
  CHECK(stage.peers[1].submissions.size() == 1);
  stage.run_for(10ms);
  stage.submit(BlockHash::from(hash_number(0xcccc)));
  CHECK(stage.peers[0].submissions.size() == 2);
  CHECK(stage.peers[1].submissions.size() == 2);
  stage.submit();
  CHECK(stage.peers[0].submissions.size() == 2);
  CHECK(stage.submitter.open_blocks() == 2);
}

TEST_CASE("many open blocks never fill a node's work queue with looks") {
  Stage stage;
  stage.peers[0].ours = 1;
  for (std::uint32_t i = 0; i < 100; ++i) stage.submit(BlockHash::from(hash_number(i)));
  stage.run_for(2s);
  for (int i = 0; i < 50; ++i) {
    stage.changed();
    std::size_t looks = 0;
    for (const auto& one : stage.pending) looks += one.second.method != "submitblock";
    CHECK(looks <= 2);
    stage.run_for(37ms);
  }
}

TEST_CASE("the delays") {
  CHECK(submit_delay(1) == 0ms);
  CHECK(submit_delay(2) == 50ms);
  CHECK(submit_delay(7) == 1600ms);
  CHECK(submit_delay(8) == 2000ms);
  CHECK(submit_delay(4'000'000'000u) == 2000ms);
}
