// SPDX-License-Identifier: MIT
// Plays corpus M1 against the V1 session, each case beside a healthy miner who notices nothing of
// it. The format is described in m1.txt.
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <optional>

#include "../stratum/v1_miner.h"
#include "../stratum/v1_pool.h"
#include "stratum/v1/session.h"

using namespace adit;
using namespace adit::test;

namespace {

struct Case {
  std::string id, context;
  std::vector<std::string> lines;
};

std::vector<Case> read_cases() {
  const char* data = std::getenv("ADIT_TEST_DATA");
  REQUIRE(data != nullptr);
  std::ifstream file(std::string(data) + "/corpus/m1.txt");
  std::vector<Case> cases;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '~') continue;
    if (line.starts_with("case ")) {
      const std::size_t space = line.find(' ', 5);
      cases.push_back({line.substr(5, space - 5), line.substr(space + 1), {}});
    } else {
      cases.back().lines.push_back(line);
    }
  }
  return cases;
}

/// "$NAME(a,b)" from the inside out: `make` gives the text for what stands between the brackets.
template <class Make>
void expand(std::string& text, std::string_view name, Make make) {
  for (std::size_t at; (at = text.rfind(name)) != std::string::npos;) {
    const std::size_t open = at + name.size();
    const std::size_t end = text.find(')', open);
    REQUIRE(end != std::string::npos);
    text.replace(at, end + 1 - at, make(text.substr(open, end - open)));
  }
}

class Player {
 public:
  explicit Player(const Case& c) : case_(c) {
    if (c.context == "b") pool_.bits = CompactTarget(0x207fffff);
    pool_.next_tip();
    observer_ = join(observer_miner_, "healthy");
    connect();
  }

  void run() {
    for (const std::string& line : case_.lines) {
      const char kind = line[0];
      if (kind == '<') {
        expect(line);
        continue;
      }
      if (kind == '>') send(line);
      if (kind == '?')
        CHECK("agent " + std::string(connection_->session().agent()) == filled(line.substr(2)));
      if (kind == '!') obey(line.substr(2));
      if (kind == '=') finish(line.substr(2));
    }
    check_observer();
  }

 private:
  std::unique_ptr<Connection> join(TestMiner& miner, const std::string& worker,
                                   const std::string& resume = "") {
    auto connection = std::make_unique<Connection>(pool_, now_);
    if (case_.context == "r")
      connection->line(R"({"id":0,"method":"mining.configure","params":[["version-rolling"],{}]})",
                       now_);
    connection->line(R"({"id":1,"method":"mining.subscribe","params":["t",")" + resume + "\"]}",
                     now_);
    connection->line(R"({"id":2,"method":"mining.authorize","params":[")" + std::string(kAlice) +
                         "." + worker + "\",\"x\"]}",
                     now_);
    for (const std::string& line : connection->take()) miner.hear(line);
    return connection;
  }

  void connect() {
    if (case_.context == "f") {
      connection_ = std::make_unique<Connection>(pool_, now_);
      return;
    }
    const std::string resume = miner_.extranonce1;
    miner_ = TestMiner();
    connection_ = join(miner_, "rig1", resume);
    if (!share_) share_ = miner_.solve(miner_.job(), 0xabcdef, 0);
    if (low_.empty()) low_ = miner_.solve(miner_.job(), 0xabcdef, 0, true).nonce;
  }

  std::string filled(std::string text) {
    const std::string user = std::string(kAlice) + ".rig1";
    if (share_) {
      replace(text, "$P",
              "\"" + user + "\",\"" + share_->job + "\",\"" + share_->extranonce2 + "\",\"" +
                  share_->ntime + "\",\"" + share_->nonce + "\"");
      replace(text, "$JOB", share_->job);
      replace(text, "$EN2", share_->extranonce2);
      replace(text, "$NTIME", share_->ntime);
      replace(text, "$NONCE", share_->nonce);
      replace(text, "$LOW", low_);
    }
    replace(text, "$USER", user);
    replace(text, "$ALICE", std::string(kAlice));
    replace(text, "$BOB", std::string(kBob));
    replace(text, "$OTHERJOB", observer_miner_.job().id);
    replace(text, "$OTHEREN1", observer_miner_.extranonce1);
    replace(text, "$NEXTEN1", "0102000300000002");
    replace(text, "$EN1", miner_.extranonce1);
    if (text.find("$COUNT") != std::string::npos) replace(text, "$COUNT", std::to_string(++count_));
    expand(text, "$HEX(",
           [](const std::string& hex) { return std::string(text_of(*from_hex(hex))); });
    expand(text, "$UP(", [](std::string word) {
      for (char& c : word) c = static_cast<char>(std::toupper(c));
      return word;
    });
    expand(text, "$TIME(", [](const std::string& offset) {
      return TestMiner::hex32(static_cast<std::uint32_t>(TestPool::kCurtime + std::stoi(offset)));
    });
    expand(text, "$REP(", [](const std::string& inside) {
      const std::size_t comma = inside.rfind(',');
      std::string all;
      for (int i = std::stoi(inside.substr(comma + 1)); i > 0; --i) all += inside.substr(0, comma);
      return all;
    });
    return text;
  }

  void send(const std::string& line) {
    const std::size_t space = line.find(' ');
    REQUIRE(space != std::string::npos);
    const std::string head = line.substr(1, space - 1);
    const bool bare = head == ">";
    const bool bytewise = head == "b";
    const int times = bare || bytewise || head.empty() ? 1 : std::stoi(head);
    for (int i = 0; i < times; ++i) {
      const std::string text = filled(line.substr(space + 1));
      if (bytewise)
        for (const char c : text) connection_->send(std::string_view(&c, 1), now_);
      connection_->send(bare ? text : bytewise ? "\n" : text + "\n", now_);
      connection_->settle_all();
    }
    for (std::string& said : connection_->take()) heard_.push_back(std::move(said));
  }

  void expect(const std::string& line) {
    const std::size_t space = line.find(' ');
    const int times = space == 1 ? 1 : std::stoi(line.substr(1, space - 1));
    std::string pattern = line.substr(space + 1);
    replace(pattern, "$NOTIFY", R"({"id":null,"method":"mining.notify","params":[*)");
    replace(pattern, "$DIFFICULTY", R"({"id":null,"method":"mining.set_difficulty","params":[*)");
    pattern = filled(pattern);
    for (int i = 0; i < times; ++i) {
      CAPTURE(pattern);
      REQUIRE(next_ < heard_.size());
      const std::string& said = heard_[next_++];
      CAPTURE(said);
      CHECK(matches(pattern, said));
    }
  }

  void obey(const std::string& order) {
    if (order == "reconnect") connect();
    if (order == "tip") {
      connection_->publish(pool_.next_tip(), now_);
      observer_->publish(pool_.job, now_);
      for (const std::string& line : observer_->take()) observer_miner_.hear(line);
    }
    if (order.starts_with("wait ")) {
      now_ += std::chrono::seconds(std::stoi(order.substr(5)));
      connection_->expire(now_);
    }
    for (std::string& said : connection_->take()) heard_.push_back(std::move(said));
  }

  void finish(const std::string& state) {
    if (state == "half") {  // the connection goes, its line unfinished
      CHECK(connection_->events().empty());
      return connection_.reset();
    }
    if (next_ < heard_.size()) CHECK(heard_[next_] == "(nothing more)");
    CHECK(connection_->closed() == (state == "close"));
    if (connection_->closed()) {
      CHECK(connection_->ask(R"({"id":1,"method":"mining.ping"})", now_) == "");
      return;
    }
    const auto& session = static_cast<const v1::MinerSession&>(connection_->session());
    CHECK(session.strike_points() == static_cast<std::uint32_t>(std::stoi(state.substr(5))));
    CHECK(session.agent().size() <= 64);
    if (case_.context == "b") CHECK(connection_->count<BlockFound>() == 1);
    const std::string pong = connection_->ask(R"({"id":1,"method":"mining.ping"})", now_);
    CHECK(pong == R"({"id":1,"result":"pong","error":null})");
  }

  void check_observer() {
    CHECK(observer_->take().empty());
    CHECK(observer_->count<Close>() == 0);
    const Solution s = observer_miner_.solve(observer_miner_.job(), 5);
    observer_->line(TestMiner::submit(std::string(kAlice) + ".healthy", s), now_);
    CHECK(observer_->count<ShareAccepted>() == 1);
  }

  const Case& case_;
  TestPool pool_;
  Instant now_ = at(0);
  TestMiner miner_, observer_miner_;
  std::unique_ptr<Connection> observer_, connection_;
  std::optional<Solution> share_;
  std::string low_;
  std::vector<std::string> heard_;
  std::size_t next_ = 0;
  int count_ = 0;
};

}  // namespace

TEST_CASE("M1: each hostile line has its answer, and nobody else notices") {
  const auto cases = read_cases();
  CHECK(cases.size() >= 99);
  for (const Case& c : cases) {
    CAPTURE(c.id);
    Player(c).run();
  }
}
