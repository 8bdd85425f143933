// SPDX-License-Identifier: MIT
// A V1 session against any bytes in any pieces, with new tips, disk answers and time between them.
// It answers only whole lines of JSON, and what it says does not depend on how the bytes were cut.
#include <simdjson.h>

#include "fuzz.h"
#include "stratum/v1_rig.h"

namespace adit::fuzz {
namespace {

using namespace adit::test;

// Bytes below ' ' that no line of JSON has are the world's doings.
enum Act : char { Tip = 1, Job = 2, Settle = 3, Refuse = 4, Later = 5, Leave = 6, Resize = 7 };

class World {
 public:
  explicit World(bool bytewise) : bytewise_(bytewise) {
    pool_.context.policy.vardiff.start = *Difficulty::parse("1e-10");  // any hash will do
    pool_.context.policy.vardiff.minimum = *Difficulty::parse("1e-10");
    pool_.next_tip();
    connection_.emplace(pool_, now_);
  }

  void run(std::string_view input) {
    std::size_t start = 0;
    for (std::size_t i = 0; i <= input.size() && !connection_->closed(); ++i) {
      if (i < input.size() && (input[i] < Tip || input[i] > Resize)) continue;
      say(input.substr(start, i - start));
      start = i + 1;
      if (i < input.size() && !connection_->closed()) act(static_cast<Act>(input[i]));
    }
    for (const std::string& line : connection_->take()) said += line + '\n';
    for (const SessionEvent& event : connection_->events())
      happened += static_cast<char>('0' + event.index());
  }
  std::string said, happened;

 private:
  void say(std::string_view text) {
    if (!bytewise_ && !text.empty()) return connection_->send(text, now_);
    for (; !text.empty() && !connection_->closed(); text.remove_prefix(1))
      connection_->send(text.substr(0, 1), now_);
  }
  void act(Act act) {
    switch (act) {
      case Tip:
        pool_.next_tip();
        return connection_->publish(pool_.job, now_);
      case Job:
        pool_.next_job();
        return connection_->publish(pool_.job, now_);
      case Settle:
        if (connection_->unsettled() > 0) connection_->settle(std::nullopt, now_);
        return;
      case Refuse:
        if (connection_->unsettled() > 0) connection_->settle(RejectReason::StorageFull, now_);
        return;
      case Later:
        now_ += std::chrono::seconds(7);
        return connection_->expire(now_);
      case Leave:
        return connection_->session().drain(3, now_);
      case Resize:
        pool_.context.extranonce2_size = pool_.context.extranonce2_size == 8 ? 4 : 8;
        return connection_->session().policy_changed(now_);
    }
  }

  const bool bytewise_;
  TestPool pool_;
  Instant now_ = at(0);
  std::optional<adit::test::Connection> connection_;
};

void check_lines(std::string_view said) {
  static simdjson::dom::parser parser;
  for (std::size_t end; (end = said.find('\n')) != said.npos; said.remove_prefix(end + 1)) {
    const simdjson::padded_string line(said.substr(0, end));
    simdjson::dom::element element;
    ADIT_CHECK(parser.parse(line).get(element) == simdjson::SUCCESS);
    ADIT_CHECK(element.is_object());
    ADIT_CHECK(element["id"].error() == simdjson::SUCCESS);
    // A request or notification of ours, or an answer with its two parts.
    ADIT_CHECK(element["method"].error() == simdjson::SUCCESS ||
               (element["result"].error() == simdjson::SUCCESS &&
                element["error"].error() == simdjson::SUCCESS));
  }
}

const std::string kHello = kConfigure + "\n" + kSubscribe + "\n" + authorize(kUser) + "\n";

/// The answers, without what the pool says of itself: that may come between them or behind, as the
/// bytes come.
std::string answers(std::string_view said) {
  std::string only;
  for (std::size_t end; (end = said.find('\n')) != said.npos; said.remove_prefix(end + 1))
    if (said.substr(0, end).find("\"result\":") != said.npos) only += said.substr(0, end + 1);
  return only;
}

}  // namespace

void one(Bytes input) {
  const bool greeted = !input.empty() && input[0] == '!';
  World whole(false), bytewise(true);
  if (greeted) {
    // A miner cannot have a job before its first answers; a fuzzer's lines can, and then what they
    // are told depends on how they were cut.
    whole.run(kHello);
    bytewise.run(kHello);
    input = input.subspan(1);
  }
  whole.run(text_of(input));
  bytewise.run(text_of(input));
  check_lines(whole.said);
  check_lines(bytewise.said);
  const std::string one = answers(whole.said), other = answers(bytewise.said);
  const auto either = [&](std::string_view text) {
    return (one + other).find(text) != std::string::npos;
  };
  // Nor can it know the id of a job that it was not sent. And who subscribes anew is told the
  // extranonce1 of that moment: before what else came with it is done, or after.
  const bool resized = text_of(input).find(Resize) != std::string_view::npos;
  if (!greeted || either("job not found") || (resized && either("[\"mining.notify\","))) return;
  if (one != other)
    std::fprintf(stderr, "in one piece:\n%s\nbyte by byte:\n%s\n", one.c_str(), other.c_str());
  ADIT_CHECK(one == other);
  ADIT_CHECK(whole.happened == bytewise.happened);
}

std::vector<std::string> seeds() {
  World world(false);
  world.run(kHello);
  const std::string_view mark = "\"mining.notify\",\"params\":[\"";
  const std::size_t job_at = world.said.rfind(mark) + mark.size();
  const std::string job = world.said.substr(job_at, world.said.find('"', job_at) - job_at);
  const auto submit = [&](const std::string& nonce) {
    return R"({"id":4,"method":"mining.submit","params":[")" + kUser + "\",\"" + job +
           R"(","0000000000000001","6553f100",")" + nonce + R"(","00002000"]})" + "\n";
  };
  const std::string shares = submit("00000001") + submit("00000002") + submit("00000002");
  return {
      "!" + shares + "\3\3\1" + submit("00000003") + "\2\5\5" + submit("00000004") + "\4\6",
      kHello + shares + "\3\3",
      kSubscribe + "\n" + authorize(kUser, "d=64,md=2") + "\n" + shares + "\3\4\2\5",
      "!" + std::string(R"({"id":5,"method":"mining.suggest_difficulty","params":[0.001]})") +
          "\n\7" + R"({"id":6,"method":"mining.suggest_target","params":["00ff"]})" + "\n" +
          R"({"id":7,"method":"mining.extranonce.subscribe","params":[]})" + "\n" +
          R"({"id":8,"method":"mining.multi_version","params":[1]})" + "\n" +
          R"({"id":9,"method":"mining.get_transactions","params":["1"]})" + "\n" +
          R"({"id":10,"method":"mining.ping","params":[]})" + "\n" +
          R"({"id":null,"result":"x/1","error":null})" + "\n" +
          R"({"id":"a","method":"no.such","params":{}})" + "\n" + shares + "\3\7\3\3\7" + shares +
          "\1",
      std::string(R"({"id":1,"method":"mining.configure","params":[["minimum-difficulty",)") +
          R"("subscribe-extranonce","info"],{"minimum-difficulty.value":4,)" +
          R"("info.connection-url":"a","info.hw-version":"b"}]})" + "\n" + kSubscribe + "\n" +
          authorize("x.y.z") + "\n" + authorize(kUser) + "\n",
  };
}

}  // namespace adit::fuzz
