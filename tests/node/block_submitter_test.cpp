// SPDX-License-Identifier: MIT
// Found blocks on their way to the nodes and after: every answer, silence, side chains, reorgs,
// and that an error never makes an orphan (D13, D14, G-30).
#include "adit/node/block_submitter.h"

#include <doctest/doctest.h>

#include "node/block_state.h"
#include "submit_stage.h"

using namespace adit;
using namespace adit::test;
using namespace std::chrono_literals;

namespace {

using Stage = SubmitStage;

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

TEST_CASE("a refusal by the only node is final, verbatim, and told once") {
  for (const char* word :
       {"bad-cb-amount", "high-hash", "time-too-new", "unexpected-witness", "duplicate-invalid"}) {
    Stage stage;
    stage.peers[0].submit = in_quotes(word);
    stage.submit();
    stage.run_for(10s);
    REQUIRE(stage.progress.size() == 1);
    CHECK(stage.state() == SubmitState::Refused);
    CHECK(stage.progress[0].detail == std::string("node 0: ") + word);
    CHECK(stage.progress[0].alarm == SubmitAlarm::Refusal);
    CHECK(stage.progress[0].final);
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
  REQUIRE(stage.progress.size() == 1);  // no last word, so the books wait
  CHECK(stage.state() == SubmitState::Submitted);
  CHECK(stage.progress[0].detail == "node 0: bad-txns");
  CHECK(stage.progress[0].alarm == SubmitAlarm::Refusal);
  CHECK(!stage.progress[0].final);
  stage.run_for(5s);
  CHECK(stage.state() == SubmitState::Accepted);
  CHECK(stage.progress.back().alarm == SubmitAlarm::None);
  stage.peers[1].ours = 100;
  stage.run_for(6s);
  CHECK(stage.state() == SubmitState::Mature);
  CHECK(stage.progress.back().final);
}

TEST_CASE("a refusal after another node took the block must be read, too; and an odd word") {
  for (const char* word : {"bad-cb-amount", "what-is-this"}) {
    Stage stage(2);
    stage.peers[0].ours = 1;
    stage.peers[1].submit = in_quotes(word);
    stage.peers[1].submit_latency = 500ms;
    stage.submit();
    stage.run_for(2s);
    REQUIRE(stage.progress.size() == 3);
    CHECK(stage.state() == SubmitState::Accepted);
    CHECK(stage.progress.back().alarm ==
          (word[0] == 'b' ? SubmitAlarm::Refusal : SubmitAlarm::OddWord));
    CHECK(stage.progress.back().detail == std::string("node 1: ") + word);
  }
}

TEST_CASE("all nodes refuse: the last word, with what each of them said") {
  Stage stage(2);
  stage.peers[0].submit = "\"bad-cb-amount\"";
  stage.peers[1].submit = "\"bad-txns\"";
  stage.peers[1].submit_latency = 1s;
  stage.submit();
  stage.run_for(2s);
  REQUIRE(stage.progress.size() == 2);
  CHECK(stage.progress[0].state == SubmitState::Submitted);
  CHECK(stage.state() == SubmitState::Refused);
  CHECK(stage.progress.back().final);
  CHECK(stage.progress.back().detail == "node 0: bad-cb-amount; node 1: bad-txns");
}

TEST_CASE("from beside the chain to ripe in one look: the books hear of the step between") {
  for (const char* word : {"\"inconclusive\"", "\"prev-blk-not-found\""}) {
    Stage stage;
    stage.peers[0].submit = word;
    stage.peers[0].errors = true;
    stage.submit();
    stage.run_for(10s);
    CHECK(stage.progress.size() == 1);
    stage.peers[0].errors = false;
    stage.peers[0].ours = 105;
    stage.run_for(5s);
    REQUIRE(stage.progress.size() == 3);
    CHECK(stage.progress[1].state == SubmitState::Accepted);
    CHECK(stage.progress[2].state == SubmitState::Mature);
    CHECK(stage.progress[2].confirmations == 105);
    CHECK(!stage.progress[1].final);
  }
}

TEST_CASE("resumed where it was: only the chain takes an orphan back") {
  Stage stage;
  stage.peers[0].submit = "\"duplicate\"";
  stage.peers[0].ours = -1;
  stage.peers[0].rival = 20;
  stage.submit(kOurs, SubmitState::Orphaned);
  stage.run_for(10min);
  CHECK(stage.progress.empty());
  CHECK(stage.submitter.unanswered().empty());
  stage.peers[0].ours = 22;
  stage.peers[0].rival = -1;
  stage.run_for(1min);
  REQUIRE(stage.progress.size() == 1);
  CHECK(stage.state() == SubmitState::Accepted);
}

TEST_CASE("an orphan's last word comes when its rival is ripe") {
  Stage stage;
  stage.peers[0].submit = "\"inconclusive\"";
  stage.peers[0].ours = -1;
  stage.peers[0].rival = 20;
  stage.submit();
  stage.run_for(1min);
  CHECK(stage.state() == SubmitState::Orphaned);
  CHECK(!stage.progress.back().final);
  stage.peers[0].rival = 100;
  stage.run_for(1min);
  CHECK(stage.state() == SubmitState::Orphaned);
  CHECK(stage.progress.back().final);
  CHECK(stage.submitter.open_blocks() == 0);
}

TEST_CASE("a node that was silent when a block was found follows it later") {
  Stage stage(2);
  stage.peers[0].submit = "";
  stage.peers[0].errors = true;
  stage.peers[1].ours = 1;
  stage.submit();
  stage.run_for(10s);
  stage.peers[1].ours = 50;
  stage.run_for(10s);
  CHECK(stage.progress.back().confirmations == 50);
  stage.peers[0] = Peer{};
  stage.peers[0].submit = "\"duplicate\"";
  stage.peers[1].submit = "";
  stage.peers[1].errors = true;  // it leaves for good
  const auto submissions = stage.peers[0].submissions.size();
  for (std::int64_t depth = 51; depth <= 100; ++depth) {
    stage.peers[0].ours = depth;
    stage.run_for(10min);
  }
  CHECK(stage.state() == SubmitState::Mature);
  CHECK(stage.peers[0].submissions.size() == submissions);
}

TEST_CASE("the tip's news overtakes the answer that the parent is not known") {
  Stage stage(2);
  stage.peers[1].ours = 1;
  stage.peers[0].submit = "\"prev-blk-not-found\"";
  stage.peers[0].submit_latency = 100ms;
  stage.submit();
  stage.run_for(50ms);
  stage.changed(0);
  stage.run_for(60ms);
  CHECK(stage.peers[0].submissions.size() == 2);
  stage.run_for(5min);
  CHECK(stage.peers[0].submissions.size() == 2);
}

TEST_CASE("D04: a full work queue is asked again within half a second, however long it was full") {
  Stage stage;
  stage.peers[0].http_status = 503;
  stage.submit();
  stage.run_for(60s);
  stage.peers[0].http_status = 200;
  stage.peers[0].ours = 1;
  stage.run_for(410ms);
  CHECK(stage.state() == SubmitState::Accepted);
}

TEST_CASE("what no node has answered yet") {
  Stage stage(2);
  stage.peers[0].submit = "";
  stage.peers[1].submit = "!-28";
  stage.submit();
  stage.run_for(1min);
  REQUIRE(stage.submitter.unanswered().size() == 1);
  CHECK(stage.submitter.unanswered()[0] == kOurs);
  stage.peers[1].submit = "\"prev-blk-not-found\"";
  stage.run_for(3s);
  CHECK(stage.submitter.unanswered().empty());
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
