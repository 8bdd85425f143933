// SPDX-License-Identifier: MIT
// A worker with real sockets on loopback: what a crowd of miners hears when work comes and ends
// within one turn.
#include "app/worker.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "adit/mining/job.h"
#include "app/live_asker.h"
#include "uv/system.h"

using namespace adit;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view kAccount = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
constexpr std::string_view kUser = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080.a";
const std::string kHello = fmt::format(
    "{{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}}\n"
    "{{\"id\":2,\"method\":\"mining.authorize\",\"params\":[\"{}\",\"x\"]}}\n",
    kUser);
constexpr std::string_view kNotify = "mining.notify\",\"params\":[\"";

/// One miner that says hello.
class Dialled {
 public:
  explicit Dialled(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
    say(kHello);
  }
  Dialled(Dialled&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), heard_(std::move(other.heard_)) {}
  ~Dialled() {
    if (fd_ >= 0) close(fd_);
  }
  void say(const std::string& text) const {
    REQUIRE(write(fd_, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  /// Whether it reads `text` within two seconds.
  bool hears(std::string_view text) {
    const timeval bound{2, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
    std::array<char, 4096> some{};
    while (heard_.find(text) == heard_.npos) {
      ssize_t count = read(fd_, some.data(), some.size());
      // With a time-out a read is not begun again by itself, whoever interrupted it.
      for (int again = 0; count < 0 && errno == EINTR && again < 20; ++again)
        count = read(fd_, some.data(), some.size());
      if (count <= 0) return false;
      heard_.append(some.data(), static_cast<std::size_t>(count));
    }
    return true;
  }
  /// A submit of it for the first job that it heard of.
  std::string share(int id, int nonce) const {
    return fmt::format(
        "{{\"id\":{},\"method\":\"mining.submit\",\"params\":[\"{}\",\"{}\","
        "\"{:016x}\",\"{:08x}\",\"{:08x}\"]}}\n",
        id, kUser, job(), nonce, 1'700'000'000, nonce);
  }
  /// The id of the first job it heard of.
  std::string job() const {
    const std::size_t at = heard_.find(kNotify) + kNotify.size();
    return heard_.substr(at, heard_.find('"', at) - at);
  }

 private:
  int fd_;
  std::string heard_;
};

/// The books: refuse so many batches, then book and answer.
struct Books {
  bool take(ShareBatch&& batch) {
    const std::lock_guard lock(mutex);
    if (refusals-- > 0) return false;
    for (const WorkerNamed& named : batch.named) names.push_back(named.name);
    shares += batch.shares.size();
    batches.push_back(batch.shares.size());
    return true;
  }
  /// What was posted since the last call, as one receipt.
  CommitReceipt receipt() {
    const std::lock_guard lock(mutex);
    CommitReceipt made;
    for (const std::size_t count : std::exchange(batches, {}))
      for (std::size_t i = 0; i < count; ++i) made.outcomes.push_back({std::nullopt, ++sequence});
    return made;
  }
  std::mutex mutex;
  int refusals = 0;
  std::vector<std::string> names;
  std::vector<std::size_t> batches;
  std::size_t shares = 0;
  std::uint64_t sequence = 0;
};

class Crowd {
 public:
  explicit Crowd(std::size_t count) : worker_(clock_, options(), links()), ending_{*this} {
    uv::grow_fd_table(2 * count + 100);
    const auto address =
        worker_.listen(*uv::parse_listen_address("127.0.0.1:0"), Protocol::V1, false);
    REQUIRE(address.ok());
    port_ = address->port();
    worker_.start();
    worker_.post(JobPublished{job(1)});
    for (std::size_t i = 0; i < count; ++i) miners_.emplace_back(port_);
    for (Dialled& miner : miners_) REQUIRE(miner.hears(kNotify));
  }
  void stop() {
    miners_.clear();
    worker_.post(books.receipt());  // it does not end with a share unanswered
    worker_.post(Drain{});
    worker_.join();
  }
  static JobPtr job(std::uint32_t number) {
    auto block = std::make_shared<BlockTemplate>();
    block->network = Network::Regtest;
    block->height = 100 + number;
    block->prev.bytes.fill(static_cast<std::uint8_t>(number));
    block->bits = CompactTarget(0x1d00ffff);
    block->target = *Target::from_compact(block->bits);
    block->coinbase_value = Satoshi(5'000'000'000);
    block->curtime = block->mintime = 1'700'000'000;
    JobOptions options;
    options.outputs = {{block->coinbase_value, Script{0x51}}};
    return *make_job(JobNumber(number), TipNumber(number), true, block, options);
  }
  void post(WorkerMessage message) { worker_.post(std::move(message)); }
  Result<LiveWorkers> who_mines(LiveQuestion question, Duration patience = 10s) {
    LiveAsker asker(
        1, [this](std::size_t, WhoMines&& asked) { return worker_.post(std::move(asked)); },
        patience);
    auto answers = asker.ask(question);
    if (!answers) return answers.error();
    return std::move(answers->front());
  }
  /// The same for kAccount; it must answer.
  LiveWorkers workers(std::string from = "", std::size_t limit = 100) {
    auto answer = who_mines({std::string(kAccount), std::move(from), limit});
    REQUIRE(answer.ok());
    return *std::move(answer);
  }
  void all_leave() { miners_.clear(); }
  std::uint64_t connected() const { return worker_.counters().connections.get(); }
  Dialled& miner(std::size_t number) { return miners_[number]; }
  Books books;
  bool newcomer_gets_work() const { return Dialled(port_).hears(kNotify); }

 private:
  static WorkerOptions options() {
    WorkerOptions made;
    made.lease = {1, 0, 1};
    made.network = Network::Regtest;
    made.policy.vardiff.start = *Difficulty::parse("1e-10");  // every hash will do
    made.policy.vardiff.minimum = *Difficulty::parse("1e-10");
    return made;
  }
  WorkerLinks links() {
    WorkerLinks made;
    made.to_ledger = [this](ShareBatch&& batch) { return books.take(std::move(batch)); };
    made.to_upstream = [](FoundBlock) {};
    return made;
  }
  uv::OsClock clock_;
  std::uint16_t port_ = 0;
  std::vector<Dialled> miners_;
  Worker worker_;
  /// Also when the constructor fails.
  struct Ending {
    Crowd& crowd;
    ~Ending() { crowd.stop(); }
  } ending_;
};

bool within(Duration time, const std::function<bool()>& condition) {
  for (Duration waited{}; waited < time; waited += 10ms) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return condition();
}

}  // namespace

TEST_CASE("work that ends while a crowd is being told of it: all are sent away, nothing breaks") {
  constexpr std::size_t kMiners = 3'500;  // a broadcast takes several turns
  rlimit files{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &files) == 0);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < 3 * kMiners) {
    MESSAGE("skipped: only ", files.rlim_cur, " files may be open");
    return;
  }
  Crowd crowd(kMiners);
  crowd.post(JobPublished{Crowd::job(2)});
  std::this_thread::sleep_for(1ms);
  crowd.post(NoWork{});
  CHECK(within(30s, [&] { return crowd.connected() == 0; }));
  crowd.post(JobPublished{Crowd::job(3)});
  CHECK(crowd.newcomer_gets_work());
}

TEST_CASE("work that is back before its end was read: nobody is sent away") {
  Crowd crowd(50);
  for (std::uint32_t number = 2; number < 40; ++number) {
    crowd.post(NoWork{});
    crowd.post(JobPublished{Crowd::job(number)});
  }
  CHECK(crowd.newcomer_gets_work());
}

TEST_CASE("while the books' mailbox is full, shares and their workers' names wait in order") {
  Crowd crowd(1);
  crowd.books.refusals = 100;
  Dialled& miner = crowd.miner(0);
  constexpr int kShares = 20;
  for (int i = 0; i < kShares; ++i) {
    miner.say(miner.share(100 + i, i));
    std::this_thread::sleep_for(2ms);
  }
  const auto booked = [&] {
    const std::lock_guard lock(crowd.books.mutex);
    return crowd.books.shares;
  };
  REQUIRE(within(5s, [&] { return booked() == kShares; }));
  CHECK(crowd.books.refusals < 0);
  CHECK(crowd.books.names == std::vector<std::string>{"a"});
  crowd.post(crowd.books.receipt());
  CHECK(miner.hears(fmt::format("\"id\":{},\"result\":true", 100 + kShares - 1)));
}

TEST_CASE("who mines for an account: from authorise on, with a share, and after the end") {
  Crowd crowd(3);
  LiveWorkers all = crowd.workers();
  REQUIRE(all.workers.size() == 1);
  CHECK(all.whole);
  CHECK((all.workers[0].name == "a" && all.workers[0].connections == 3));
  CHECK(all.workers[0].last_share == UnixMillis());
  const UnixMillis since = all.workers[0].since;
  CHECK(std::abs(uv::OsClock().now().wall.value() - since.value()) < 60'000);

  Dialled& miner = crowd.miner(0);
  miner.say(miner.share(100, 1));
  REQUIRE(within(5s, [&] { return crowd.workers().workers[0].last_share != UnixMillis(); }));
  all = crowd.workers();
  CHECK(std::abs(all.workers[0].since.value() - since.value()) <= 1);
  CHECK(all.workers[0].last_share >= since);
  crowd.post(crowd.books.receipt());
  miner.say(fmt::format(
      "{{\"id\":7,\"method\":\"mining.authorize\",\"params\":[\"{}.b\",\"x\"]}}\n", kAccount));
  REQUIRE(miner.hears("\"id\":7,\"result\":true"));
  all = crowd.workers();
  REQUIRE(all.workers.size() == 2);
  CHECK((all.workers[1].name == "b" && all.workers[1].connections == 1));
  CHECK(all.workers[1].last_share == UnixMillis());
  CHECK(crowd.workers("b").workers.size() == 1);
  CHECK(crowd.workers("", 1).workers[0].name == "a");
  CHECK(crowd.who_mines({"somebody", "", 100})->workers.empty());

  crowd.all_leave();
  REQUIRE(within(5s, [&] { return crowd.connected() == 0; }));
  all = crowd.workers();
  REQUIRE(all.workers.size() == 1);  // b never had a share: it is gone
  CHECK((all.workers[0].connections == 0 && all.workers[0].since == UnixMillis()));
  CHECK(all.workers[0].last_share >= since);
  crowd.stop();
  CHECK(crowd.who_mines({std::string(kAccount), "", 100}, 20ms).error().code ==
        ErrorCode::Unavailable);
}

TEST_CASE("who mines for an account with more workers than a thread looks at") {
  constexpr std::size_t kNames = 31;  // of a connection, beside its first
  constexpr std::size_t kConnections = kLiveMost / kNames + 1;
  Crowd crowd(kConnections);
  for (std::size_t i = 0; i < kConnections; ++i) {
    std::string lines;
    for (std::size_t k = 0; k < kNames; ++k)
      lines += fmt::format(
          "{{\"id\":{},\"method\":\"mining.authorize\",\"params\":[\"{}.{:05}\",\"x\"]}}\n", k + 10,
          kAccount, i * kNames + k);
    if (i + 1 == kConnections) CHECK(crowd.workers().whole);
    crowd.miner(i).say(lines);
    REQUIRE(crowd.miner(i).hears(fmt::format("\"id\":{},\"result\":true", kNames + 9)));
  }
  CHECK_FALSE(crowd.workers().whole);
  const LiveWorkers some = crowd.workers("", 1'001);
  REQUIRE(some.workers.size() == 1'001);
  for (std::size_t i = 1; i < some.workers.size(); ++i)
    CHECK(some.workers[i - 1].name < some.workers[i].name);
}
