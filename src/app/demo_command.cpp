// SPDX-License-Identifier: MIT
// `adit demo`: the main job at once, without bitcoind: a simulated regtest node, a pool, and a few
// CPU miners of both protocols that are as slow as small devices. Every block it prints was found
// by a miner, judged by the pool and connected by the node.
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <map>
#include <memory>

#include "adit/base/log.h"
#include "adit/payout/journal.h"
#include "adit/stratum/v2/key_text.h"
#include "app/commands.h"
#include "app/key_files.h"
#include "app/pool.h"
#include "app/process.h"
#include "rocks/rocks_store.h"

namespace adit {
namespace {

/// Difficulty of a simulated block: a few seconds of the miners' work.
constexpr const char* kBits = "1f00ffff";
constexpr double kMinerMhs = 0.02;
constexpr const char* kPayout = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
constexpr const char* kMinerAddress[] = {
    "bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry",
    "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn",
    "2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc",
};

/// A program that stands beside ours: in the build folder, in the source tree's tools, or
/// installed.
Result<std::string> find_program(const std::string& name) {
  const std::string here = program_folder();
  for (const std::string& path :
       {here + "/" + name, here + "/../tools/" + name, here + "/../share/adit/" + name})
    if (is_executable(path)) return path;
  return Error{ErrorCode::NotFound,
               fmt::format("{} is neither beside {} nor in its tools folder", name, here)};
}

/// The miners take these in turn.
constexpr const char* kProtocols[] = {"V1", "V2 standard", "V2 extended"};

/// What a miner said last: its log grows as long as the demo runs.
std::string end_of(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  if (!file) return {};
  std::string text(8192, '\0');
  if (std::fseek(file.get(), -static_cast<long>(text.size()), SEEK_END) != 0)
    std::rewind(file.get());
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  return text;
}

/// The number before `what` in a miner's last words.
std::uint64_t number_before(const std::string& text, std::string_view what) {
  const std::size_t end = text.rfind(what);
  if (end == std::string::npos) return 0;
  const std::size_t gap = text.find_last_not_of("0123456789", end - 1);
  const std::size_t begin = gap == std::string::npos ? 0 : gap + 1;
  std::uint64_t value = 0;
  std::from_chars(text.data() + begin, text.data() + end, value);
  return value;
}

bool is_connected(BlockState state) {
  return state == BlockState::Accepted || state == BlockState::Mature;
}

class Demo {
 public:
  explicit Demo(const DemoOptions& options) : options_(options) {}
  ~Demo() {
    miners_.clear();
    pool_.reset();
    if (temporary_ && !folder_.empty()) remove_folder(folder_);
  }
  Status start();
  int run(uv::Loop& loop);

 private:
  Status start_node();
  Status make_key();
  Status start_pool();
  Status start_miners();
  std::vector<std::string> pool_arguments(std::size_t protocol) const;
  std::string miner_log(std::size_t miner) const;
  int summary() const;
  void print_protocols() const;
  void print_money() const;
  void print_blocks(const PoolTotals& totals) const;
  void print_block(const BlockRecord& block);

  const DemoOptions& options_;
  std::string folder_;
  bool temporary_ = false;
  std::string rpc_, zmq_;
  XOnlyKey authority_;
  std::map<BlockHash, BlockState> blocks_;  // upstream's thread, while there is one
  std::vector<ChildProcess> node_;
  std::unique_ptr<Pool> pool_;
  std::vector<ChildProcess> miners_;
};

Status Demo::start() {
  folder_ = options_.data_dir;
  if (folder_.empty()) {
    auto made = make_temporary_folder();
    if (!made) return made.error();
    folder_ = *made;
    temporary_ = true;
  }
  if (const Status s = start_node(); !s) return s;
  if (const Status s = start_pool(); !s) return s;
  return start_miners();
}

/// The number after `"name": ` in the node's ready line.
std::string number_after(const std::string& text, const std::string& name) {
  std::size_t at = text.find("\"" + name + "\"");
  if (at == std::string::npos) return {};
  at = text.find_first_of("0123456789", at + name.size() + 2);
  if (at == std::string::npos) return {};
  return text.substr(at, text.find_first_not_of("0123456789", at) - at);
}

Status Demo::start_node() {
  const auto program = find_program("sim-node");
  if (!program) return program.error();
  const std::string ready = folder_ + "/sim-node.ready";
  remove(ready.c_str());
  auto node = ChildProcess::start({*program, "--cookie", folder_ + "/.cookie", "--bits", kBits,
                                   "--tx-count", "25", "--ready-file", ready, "--exit-with-parent"},
                                  folder_ + "/sim-node.log");
  if (!node) return node.error();
  node_.push_back(std::move(*node));
  uv::OsClock clock;
  const Instant patience = clock.now().mono + std::chrono::seconds(30);
  std::string line;
  while (line.empty() && node_.front().running() && clock.now().mono < patience) {
    const timespec pause{0, 20'000'000};
    nanosleep(&pause, nullptr);
    line = read_small_file(ready);
  }
  const std::string rpc_port = number_after(line, "rpc_port");
  if (rpc_port.empty())
    return Error{ErrorCode::Unavailable, "the simulated node did not start:\n" +
                                             read_small_file(folder_ + "/sim-node.log")};
  rpc_ = "http://127.0.0.1:" + rpc_port;
  zmq_ = "tcp://127.0.0.1:" + number_after(line, "zmq_port");
  return {};
}

/// The pool's authority for this run.
Status Demo::make_key() {
  uv::OsEntropy entropy;
  const SecretKey secret = SecretKey::generate([&](MutableBytes out) { entropy.fill(out); });
  authority_ = public_key_of(secret);
  std::string text = v2::secret_key_text(secret);
  const Status written = write_key_file(folder_ + "/authority.key", text, 0600, true);
  wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  return written;
}

Status Demo::start_pool() {
  if (const Status s = make_key(); !s) return s;
  const std::string text = fmt::format(R"(data_dir = "data"
[pool]
name = "Adit demo"
network = "regtest"
coinbase_tag = "/adit demo/"
payout_address = "{}"
fee = "1%"
[payout]
way = "coinbase"
minimum = 546
factor = 8
[[node]]
rpc = "{}"
cookie_file = ".cookie"
zmq_hashblock = "{}"
[stratum.v1]
listen = ["127.0.0.1:0"]
[stratum.v2]
listen = ["127.0.0.1:0"]
authority_secret_file = "authority.key"
[vardiff]
start = 0.00001
minimum = 1e-10
shares_per_minute = 60
[api]
listen = "127.0.0.1:0"
)",
                                       kPayout, rpc_, zmq_);
  const std::string file = folder_ + "/adit.toml";
  if (const Status s = write_small_file(file, text); !s) return s;
  auto config = load_config(file);
  if (!config) return config.error();
  pool_ = std::make_unique<Pool>(
      std::move(*config), PoolHooks{[this](const BlockRecord& block) { print_block(block); }});
  return pool_->start();
}

std::vector<std::string> Demo::pool_arguments(std::size_t protocol) const {
  if (protocol == 0) return {"--url", pool_->v1_addresses()[0].text()};
  return {"--url", v2::pool_url(pool_->v2_addresses()[0].text(), authority_), "--channel",
          protocol == 1 ? "standard" : "extended"};
}

std::string Demo::miner_log(std::size_t miner) const {
  return folder_ + fmt::format("/miner{}.log", miner + 1);
}

Status Demo::start_miners() {
  const auto program = find_program("cpu-miner");
  if (!program) return program.error();
  for (std::uint32_t i = 0; i < options_.miners; ++i) {
    const std::string user =
        fmt::format("{}.demo{}", kMinerAddress[i % std::size(kMinerAddress)], i + 1);
    std::vector<std::string> command = {*program,
                                        "--user",
                                        user,
                                        "--threads",
                                        "1",
                                        "--limit-mhs",
                                        fmt::format("{}", kMinerMhs),
                                        "--exit-with-parent"};
    for (std::string& argument : pool_arguments(i % std::size(kProtocols)))
      command.push_back(std::move(argument));
    auto miner = ChildProcess::start(command, miner_log(i));
    if (!miner) return miner.error();
    miners_.push_back(std::move(*miner));
  }
  return {};
}

void Demo::print_block(const BlockRecord& block) {
  const auto [known, is_new] = blocks_.try_emplace(block.hash, BlockState::Found);
  const bool was_connected = is_connected(known->second);
  known->second = block.state;
  if (was_connected || !is_connected(block.state)) return;
  // Without the address, so that it fits a line; the books have it.
  fmt::print("block {:>4} {} {}.{:08} BTC by {}\n", block.height, block.hash.hex(),
             block.value.value() / kCoin, block.value.value() % kCoin, block.worker);
  std::fflush(stdout);
}

int Demo::run(uv::Loop& loop) {
  fmt::print(
      "pool    stratum+tcp://{}  (try a miner of your own: any regtest address as user)\n"
      "        {}\n"
      "config  {}/adit.toml\nminers  {} at {} MH/s each\n",
      pool_->v1_addresses()[0].text(), v2::pool_url(pool_->v2_addresses()[0].text(), authority_),
      folder_, miners_.size(), kMinerMhs);
  if (const auto api = pool_->api_address())
    fmt::print("look    http://{0}/metrics\n        http://{0}/api/v1/accounts/{1}/workers\n",
               api->text(), kMinerAddress[0]);
  std::fflush(stdout);
  {
    uv::Timer limit(loop, [&] { loop.stop(); });
    if (options_.seconds != 0) limit.set(loop.now().mono + std::chrono::seconds(options_.seconds));
    loop.run();
  }
  miners_.clear();
  pool_->stop(std::chrono::milliseconds(100));
  return summary();
}

/// As the miners heard it: what they say when they have ended.
void Demo::print_protocols() const {
  std::array<std::uint64_t, std::size(kProtocols)> accepted{};
  for (std::size_t i = 0; i < options_.miners; ++i)
    accepted[i % accepted.size()] += number_before(end_of(miner_log(i)), " shares accepted");
  fmt::print("miners were told of accepted shares:");
  for (std::size_t i = 0; i < accepted.size() && i < options_.miners; ++i)
    fmt::print("{} {} {}", i == 0 ? "" : ",", kProtocols[i], accepted[i]);
  fmt::print("\n");
}

std::string btc(Satoshi amount) {
  const std::int64_t value = amount.value();
  const std::uint64_t size = value < 0 ? -static_cast<std::uint64_t>(value) : value;
  return fmt::format("{}{}.{:08}", value < 0 ? "-" : "", size / kCoin, size % kCoin);
}

/// The blocks have paid their miners; this is what the books say of it.
void Demo::print_money() const {
  auto store = RocksStore::open_reader(folder_ + "/data/ledger");
  if (!store) return fmt::print(stderr, "demo: {}\n", store.error().text);
  const auto journal = Journal::open(**store, [](AccountId) { return std::string(); });
  if (!journal) return fmt::print(stderr, "demo: {}\n", journal.error().text);
  fmt::print("the blocks have paid (pplns, 8 difficulties, fee 1%), in BTC:\n");
  for (const AccountBalance& account : journal->accounts())
    fmt::print("  {:.14}...  earned {:>15}, paid {:>15}, still owed {:>12}\n", account.address,
               btc(account.earned), btc(account.paid), btc(account.balance));
  const Satoshi pool = journal->balance({BookKind::Pool, 0});
  if (pool < Satoshi(0))
    fmt::print(
        "  The pool holds {} of that, and its fee of the next blocks pays it: a block\n"
        "  that is found before the books close their first slice pays the pool alone.\n",
        btc(Satoshi(-pool.value())));
}

/// Two miners may find a block at one height: the node connects the first.
void Demo::print_blocks(const PoolTotals& totals) const {
  const auto beside = static_cast<std::uint64_t>(
      std::count_if(blocks_.begin(), blocks_.end(), [](const auto& block) {
        return block.second == BlockState::Side || block.second == BlockState::Orphaned;
      }));
  fmt::print("{} blocks found, {} connected by the node", totals.blocks_found,
             totals.blocks_accepted);
  if (beside > 0) fmt::print(", {} came second at their height", beside);
  if (const std::uint64_t known = totals.blocks_accepted + beside; totals.blocks_found > known)
    fmt::print(", {} not answered yet", totals.blocks_found - known);
  fmt::print("; height {}\n", totals.height);
}

int Demo::summary() const {
  const PoolTotals totals = pool_->totals();
  fmt::print("\n{} shares accepted, {} rejected; ", totals.accepted, totals.rejected);
  print_blocks(totals);
  print_protocols();
  print_money();
  if (!temporary_)
    fmt::print("the books are kept: adit ledger balances -c {}/adit.toml\n", folder_);
  return totals.accepted > 0 && totals.blocks_accepted > 0 ? 0 : 1;
}

}  // namespace

int demo_command(const DemoOptions& options) {
  log_start({options.common.verbose ? LogLevel::Info : LogLevel::Warn, options.common.log_json});
  int status = 1;
  uv::OsClock clock;
  uv::Loop loop(clock);
  {
    // Watched before the first child starts, so that an early Ctrl-C ends them, too.
    const auto end = [&] { loop.stop(); };
    uv::SignalWatcher term(loop, SIGTERM, end), interrupt(loop, SIGINT, end);
    Demo demo(options);
    const Status started = demo.start();
    if (started)
      status = demo.run(loop);
    else
      fmt::print(stderr, "demo: {}\n", started.error().text);
  }
  log_stop();
  return status;
}

}  // namespace adit
