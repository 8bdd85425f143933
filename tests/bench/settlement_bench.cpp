// SPDX-License-Identifier: MIT
// What a block costs a large pool: settling and booking 100,000 accounts on RocksDB, a coinbase
// planned from them, and the memory of a long window. Medians of five. Argument: a folder on the
// disk to measure.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>

#include "adit/base/check.h"
#include "adit/bitcoin/address.h"
#include "adit/payout/treasury.h"
#include "adit/payout/window.h"
#include "rocks/rocks_store.h"
#include "support/ledger_samples.h"

using namespace adit;
using adit::test::ShareMaker;

namespace {

constexpr std::uint32_t kAccounts = 100'000;
constexpr int kRounds = 5;
constexpr Satoshi kReward{5'000'000'000};

double seconds(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// On the wall, and of processor in all threads: the two differ on a busy machine.
class Timings {
 public:
  template <class F>
  void measure(const std::string& name, F&& f) {
    const double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    f();
    times_[name].wall.push_back(seconds(CLOCK_MONOTONIC) - wall);
    times_[name].cpu.push_back(seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
  }
  void print() const {
    for (const auto& [name, times] : times_)
      fmt::print("  {:<32} {:7.3f} s, {:7.3f} s of CPU\n", name, median(times.wall),
                 median(times.cpu));
  }

 private:
  struct Times {
    std::vector<double> wall, cpu;
  };
  std::map<std::string, Times> times_;
};

void must(const Status& s) {
  if (!s) fmt::print("{}\n", s.error().text);
  ADIT_CHECK(s.ok());
}

Script script_of(std::uint32_t member) {
  Script script = {0x00, 0x14};
  script.resize(22, 7);
  store_le(script.data() + 2, member);
  return script;
}

/// A pool where everybody has a share in one slice.
class Pool {
 public:
  Pool(LedgerStore& store, std::string_view terms) {
    LedgerOptions books;
    books.network = Network::Main;
    auto ledger = Ledger::open(store, books, std::nullopt);
    ADIT_CHECK(ledger.ok());
    ledger_.emplace(*std::move(ledger));
    ledger_->set_network({Uint128{1} << 60, Satoshi(312'500'000), Satoshi()});
    TreasuryOptions options;
    options.terms = *PayoutTerms::parse(terms);
    options.pool_script = script_of(kAccounts + 1);
    auto treasury = Treasury::open(*ledger_, options, now_);
    ADIT_CHECK(treasury.ok());
    treasury_.emplace(*std::move(treasury));
    append(kAccounts, false);
  }

  void round(Timings& timings, std::uint32_t height) {
    const bool coinbase = treasury_->options().terms.way == PayWay::Coinbase;
    BlockRecord block;
    std::vector<TxOut> outputs;
    if (coinbase) {
      PlanPtr plan;
      timings.measure("a plan of them", [&] { plan = treasury_->plan(); });
      timings.measure("its outputs for one template",
                      [&] { outputs = plan_coinbase(*plan, kReward, script_of(1)).outputs; });
      block.plan_slice = plan->slice, block.plan_entry = plan->entry;
      block.plan_weight = plan->terms.coinbase_weight;
    }
    block.hash = append(1, true);
    block.height = height, block.value = kReward, block.found = now_;
    block.after = ledger_->last_sequence();
    const auto move = [&](BlockState state) {
      block.state = state;
      ADIT_CHECK(ledger_->put_block(block).ok());
      must(treasury_->slices_closed(ledger_->take_closed_slices(), now_));
      must(treasury_->block_changed(block, outputs, now_));
    };
    timings.measure("found: split and written", [&] { move(BlockState::Found); });
    const std::uint64_t before = treasury_->journal().last_entry();
    timings.measure("booked: entries and balances", [&] {
      move(BlockState::Accepted);
      move(BlockState::Mature);
    });
    ADIT_CHECK(treasury_->journal().last_entry() >= before + kAccounts);
  }

 private:
  BlockHash append(std::uint32_t count, bool is_block) {
    std::vector<ShareCandidate> shares;
    for (std::uint32_t m = 1; m <= count; ++m) {
      shares.push_back(
          maker_.share(ledger_->worker_id(*address_of(script_of(m), Network::Main), "rig")));
      shares.back().work = Work(1 + maker_.below(1ull << 32));
      shares.back().is_block = is_block;
    }
    std::vector<DoorVerdict> verdicts;
    Sequence first;
    must(ledger_->append(shares, now_, verdicts, first));
    now_ = UnixMillis(now_.value() + 60'000);
    must(ledger_->close_due_slice(now_));
    must(treasury_->slices_closed(ledger_->take_closed_slices(), now_));
    return shares.back().hash;
  }

  ShareMaker maker_;
  UnixMillis now_{1'700'000'000'000};
  std::optional<Ledger> ledger_;
  std::optional<Treasury> treasury_;
};

void blocks_of(const std::string& folder, std::string_view terms) {
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  {
    auto store = RocksStore::open(folder);
    ADIT_CHECK(store.ok());
    Pool pool(**store, terms);
    Timings timings;
    for (std::uint32_t i = 0; i < kRounds; ++i) pool.round(timings, 100 + i);
    fmt::print("{} accounts, {}\n", kAccounts, terms);
    timings.print();
  }
  std::filesystem::remove_all(folder, ignored);
}

void window() {
  constexpr std::uint32_t kMembers = 10'000;
  constexpr std::size_t kSlices = 2'000;
  ShareMaker random(5);
  Window window(~Uint128{0});
  for (std::size_t i = 0; i < kSlices; ++i) {
    std::vector<AccountWork> entries;
    entries.reserve(kMembers);
    for (std::uint32_t m = 1; m <= kMembers; ++m)
      entries.push_back({AccountId(m), (1 + random.below(1000)) << 32});
    window.add(Slice(entries));
  }
  fmt::print("window of {} accounts and {} slices: {} MiB\n", kMembers, kSlices,
             window.bytes() >> 20);
  Timings timings;
  for (int i = 0; i < kRounds; ++i)
    timings.measure("its weights", [&] { ADIT_CHECK(window.weights().size() == kMembers); });
  timings.print();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string folder = std::string(argc > 1 ? argv[1] : ".") + "/settlement-bench.db";
  blocks_of(folder, "pplns factor=2 fee=150 way=wallet threshold=546 weight=8000");
  blocks_of(folder, "pplns factor=8 fee=150 way=coinbase threshold=1048576 weight=8000");
  window();
  return 0;
}
