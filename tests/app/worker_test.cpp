// SPDX-License-Identifier: MIT
// A worker with real sockets on loopback: what a crowd of miners hears when work comes and ends
// within one turn.
#include "app/worker.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "adit/mining/job.h"
#include "uv/system.h"

using namespace adit;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view kHello =
    "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}\n"
    "{\"id\":2,\"method\":\"mining.authorize\",\"params\":["
    "\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7ky"
    "gt080.a\",\"x\"]}\n";

/// One miner that says hello.
class Dialled {
 public:
  explicit Dialled(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
    REQUIRE(write(fd_, kHello.data(), kHello.size()) == static_cast<ssize_t>(kHello.size()));
  }
  Dialled(Dialled&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~Dialled() {
    if (fd_ >= 0) close(fd_);
  }
  /// Whether it reads `text` within two seconds.
  bool hears(std::string_view text) const {
    const timeval bound{2, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
    std::string all;
    std::array<char, 4096> some{};
    while (all.find(text) == all.npos) {
      const ssize_t count = read(fd_, some.data(), some.size());
      if (count <= 0) return false;
      all.append(some.data(), static_cast<std::size_t>(count));
    }
    return true;
  }

 private:
  int fd_;
};

class Crowd {
 public:
  explicit Crowd(std::size_t count) : worker_(clock_, options(), links()) {
    const auto address =
        worker_.listen(*uv::parse_listen_address("127.0.0.1:0"), Protocol::V1, false);
    REQUIRE(address.ok());
    port_ = address->port();
    worker_.start();
    worker_.post(JobPublished{job(1)});
    for (std::size_t i = 0; i < count; ++i) miners_.emplace_back(port_);
    for (const Dialled& miner : miners_) REQUIRE(miner.hears("mining.notify\",\"params"));
  }
  ~Crowd() {
    miners_.clear();
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
  std::uint64_t connected() const { return worker_.counters().connections.get(); }
  bool newcomer_gets_work() const { return Dialled(port_).hears("mining.notify\",\"params"); }

 private:
  static WorkerOptions options() {
    WorkerOptions made;
    made.lease = {1, 0, 1};
    made.network = Network::Regtest;
    return made;
  }
  static WorkerLinks links() {
    WorkerLinks made;
    made.to_ledger = [](ShareBatch&&) { return true; };
    made.to_upstream = [](FoundBlock) {};
    return made;
  }
  uv::OsClock clock_;
  Worker worker_;
  std::uint16_t port_ = 0;
  std::vector<Dialled> miners_;
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
