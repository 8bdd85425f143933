// SPDX-License-Identifier: MIT
// Plays the transcripts against the V1 session, whole and cut at every place. The format is
// described in README.md.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include "../stratum/v1_miner.h"
#include "../stratum/v1_pool.h"

using namespace adit;
using namespace adit::test;

namespace {

struct Step {
  std::vector<std::string> sends, expects;
  std::string order;  // "job", "tip", "wait N", "reconnect"; before the sends
};

std::vector<Step> read_steps(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<Step> steps(1);
  for (std::string line; std::getline(file, line);) {
    if (line.size() < 2 || line[0] == '~') continue;
    const std::string text = line.substr(2);
    if (line[0] == '!') {
      steps.push_back({{}, {}, text});
    } else if (line[0] == '>') {
      if (!steps.back().expects.empty()) steps.emplace_back();
      steps.back().sends.push_back(text);
    } else {
      REQUIRE(line[0] == '<');
      steps.back().expects.push_back(text);
    }
  }
  return steps;
}

bool is_notification(std::string_view line) {
  return line.starts_with("{\"id\":null,\"method\":") || line == "$JOB" || line == "$DIFFICULTY";
}

std::string pattern_of(std::string line) {
  if (line == "$JOB") return R"({"id":null,"method":"mining.notify","params":[*]})";
  if (line == "$DIFFICULTY") return R"({"id":null,"method":"mining.set_difficulty","params":[*]})";
  return line;
}

constexpr std::size_t kWhole = static_cast<std::size_t>(-1);
constexpr std::size_t kBytewise = static_cast<std::size_t>(-2);

/// One run through a transcript, its stream of sent bytes cut at `cut`.
class Replay {
 public:
  Replay(const std::vector<Step>& steps, std::size_t cut) : steps_(steps), cut_(cut) {
    pool_.context.policy.vardiff.start = *Difficulty::parse("2e-8");
    pool_.context.policy.vardiff.maximum = *Difficulty::parse("1e-7");
    pool_.next_tip();
    connect();
  }

  /// The fault, or "".
  std::string run() {
    for (const Step& step : steps_) {
      obey(step.order);
      std::string text;
      for (const std::string& line : step.sends) text += filled(line) + "\n";
      send(text);
      connection_->settle_all();
      const auto said = connection_->take();
      if (std::string fault = compare(step, said); !fault.empty()) return fault;
      if (connection_->closed()) return "closed: " + connection_->close()->reason;
    }
    return "";
  }
  std::size_t bytes() const { return sent_; }
  std::size_t accepted() const { return accepted_; }

 private:
  void connect() {
    if (connection_) accepted_ += connection_->count<ShareAccepted>();
    before_ = miner_.extranonce1;
    miner_ = TestMiner();
    authorised_ = false;
    connection_ = std::make_unique<Connection>(pool_, now_);
  }

  void obey(const std::string& order) {
    if (order == "job") connection_->publish(pool_.next_job(), now_);
    if (order == "tip") connection_->publish(pool_.next_tip(), now_);
    if (order == "reconnect") connect();
    if (order.starts_with("extranonce2 ")) {
      pool_.context.extranonce2_size = static_cast<std::uint8_t>(std::stoi(order.substr(12)));
      connection_->session().policy_changed(now_);
    }
    if (order.starts_with("wait ")) now_ += std::chrono::seconds(std::stoi(order.substr(5)));
  }

  std::string filled(std::string line) {
    replace(line, "$USER2", std::string(kBob) + ".second");
    replace(line, "$USER", std::string(kAlice) + ".rig1");
    replace(line, "$EN1", before_);
    const bool rolls = line.find("$BITS") != std::string::npos;
    if (!rolls && line.find("$SHARE") == std::string::npos) return line;
    const Solution s = miner_.solve(miner_.job(), ++roll_, rolls ? 0x0012a000 : 0);
    const std::string share =
        "\"" + s.job + "\",\"" + s.extranonce2 + "\",\"" + s.ntime + "\",\"" + s.nonce + "\"";
    replace(line, "$SHARE", share);
    replace(line, "$BITS", share + ",\"" + s.bits + "\"");
    return line;
  }

  void send(std::string_view text) {
    const std::size_t start = sent_;
    sent_ += text.size();
    if (cut_ == kBytewise) {
      for (std::size_t i = 0; i < text.size(); ++i) connection_->send(text.substr(i, 1), now_);
    } else if (cut_ > start && cut_ < sent_) {
      connection_->send(text.substr(0, cut_ - start), now_);
      connection_->send(text.substr(cut_ - start), now_);
    } else {
      connection_->send(text, now_);
    }
  }

  std::string compare(const Step& step, const std::vector<std::string>& said) {
    for (const std::string& line : said) miner_.hear(line);
    std::vector<std::string> expected = step.expects, heard = said;
    if (cut_ != kWhole) {
      if (std::string fault = check_notifications(said); !fault.empty()) return fault;
      std::erase_if(expected, is_notification);
      std::erase_if(heard, is_notification);
    }
    for (std::size_t i = 0; i < std::max(expected.size(), heard.size()); ++i) {
      const std::string want = i < expected.size() ? expected[i] : "(nothing)";
      const std::string have = i < heard.size() ? heard[i] : "(nothing)";
      if (!matches(pattern_of(want), have)) return "expected " + want + "\n  heard " + have;
    }
    return accepted_ + connection_->count<ShareAccepted>() == roll_ ? "" : "a share was refused";
  }

  std::string check_notifications(const std::vector<std::string>& said) {
    for (std::size_t i = 0; i < said.size(); ++i) {
      authorised_ = authorised_ || said[i].find("\"result\":true") != std::string::npos;
      if (is_notification(said[i]) && !authorised_) return "spoke before authorize: " + said[i];
      const bool next_is_job =
          i + 1 < said.size() && said[i + 1].find("mining.notify\",\"params") != std::string::npos;
      if (said[i].find("\"method\":\"mining.set_difficulty\"") != std::string::npos && !next_is_job)
        return "a difficulty without a job after it";
    }
    return "";
  }

  const std::vector<Step>& steps_;
  std::size_t cut_;
  TestPool pool_;
  std::unique_ptr<Connection> connection_;
  TestMiner miner_;
  std::string before_;
  Instant now_ = at(0);
  std::size_t sent_ = 0, accepted_ = 0;
  std::uint64_t roll_ = 0;
  bool authorised_ = false;
};

std::vector<std::filesystem::path> transcripts() {
  std::vector<std::filesystem::path> files;
  const char* data = std::getenv("ADIT_TEST_DATA");
  REQUIRE(data != nullptr);
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(data) / "transcripts"))
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

}  // namespace

TEST_CASE("each device gets what it expects, however its bytes are cut") {
  const auto files = transcripts();
  CHECK(files.size() >= 15);
  for (const auto& file : files) {
    CAPTURE(file.filename().string());
    const auto steps = read_steps(file);
    Replay whole(steps, kWhole);
    CHECK(whole.run() == "");
    Replay bytewise(steps, kBytewise);
    CHECK(bytewise.run() == "");
    std::string fault;
    std::size_t cut = 1;
    for (; cut < whole.bytes() && fault.empty(); ++cut) fault = Replay(steps, cut).run();
    CAPTURE(cut);
    CHECK(fault == "");
  }
}
