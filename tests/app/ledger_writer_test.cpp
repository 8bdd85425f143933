// SPDX-License-Identifier: MIT
// The ledger's thread over a store that fails: every share is answered exactly once, and after a
// full disk the books open again with everything that was acknowledged.
#include "app/ledger_writer.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>

#include "adit/ledger/reader.h"
#include "rocks/high_water_file.h"
#include "support/memory_store.h"
#include "uv/system.h"

using namespace adit;

namespace {

/// What the writer opens: a view of a disk that outlives it.
class DiskView : public LedgerStore {
 public:
  explicit DiskView(test::MemoryStore& disk) : disk_(&disk) {}
  Status commit(const LedgerBatch& batch, bool sync) override { return disk_->commit(batch, sync); }
  Result<std::optional<std::string>> get(Family family, std::string_view key) override {
    return disk_->get(family, key);
  }
  Status scan(Family family, std::string_view first,
              const std::function<bool(std::string_view, std::string_view)>& visit) override {
    return disk_->scan(family, first, visit);
  }
  Status scan_back(Family family,
                   const std::function<bool(std::string_view, std::string_view)>& visit) override {
    return disk_->scan_back(family, visit);
  }

 private:
  test::MemoryStore* disk_;
};

struct Answers {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<ShareOutcome> outcomes;
  /// Waits until there are `count`, at most five seconds.
  std::size_t wait(std::size_t count) {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, std::chrono::seconds(5), [&] { return outcomes.size() >= count; });
    return outcomes.size();
  }
};

ShareBatch one_share(std::uint8_t n) {
  ShareBatch batch;
  if (n == 1) batch.named.push_back({WorkerIndex(0), "account", "rig"});
  PostedShare share;
  share.height = 1;
  share.hash.bytes[0] = n;  // a tiny number: it proves any work
  share.work = Work(100);
  batch.shares.push_back(share);
  return batch;
}

BlockEvent one_block(std::uint8_t n = 9) {
  BlockEvent event;
  event.block.hash.bytes[0] = n;
  event.block.height = 7;
  event.block.value = Satoshi(50);
  return event;
}

struct Rig {
  explicit Rig(const std::function<void(LedgerWriterOptions&)>& adjust = {}) {
    std::string path = "/tmp/adit-writer-XXXXXX";
    REQUIRE(mkdtemp(path.data()) != nullptr);
    options.data_dir = path;
    options.ledger.network = Network::Regtest;
    if (adjust) adjust(options);
    options.open_store = [this]() -> Result<std::unique_ptr<LedgerStore>> {
      if (opened > 0 && reopen_error) return *reopen_error;
      if (blocked) return Error{ErrorCode::Limit, "no space"};
      if (opened++ > 0) disk = disk.after_power_loss(disk.unsynced());
      return std::unique_ptr<LedgerStore>(std::make_unique<DiskView>(disk));
    };
    writer = std::make_unique<LedgerWriter>(
        clock, options,
        [this](std::uint32_t, CommitReceipt receipt) {
          const std::lock_guard lock(answers.mutex);
          ++receipts;
          for (const ShareOutcome& outcome : receipt.outcomes) answers.outcomes.push_back(outcome);
          answers.changed.notify_all();
        },
        [this](const std::string&) { ++fatal; });
  }
  ~Rig() {
    writer.reset();
    unlink((options.data_dir + "/high_water").c_str());
    rmdir(options.data_dir.c_str());
  }
  /// Posts shares until one is booked again; returns how many were asked.
  std::uint8_t until_durable(std::uint8_t n) {
    for (; n < 60; ++n) {
      const std::size_t before = answers.wait(0);
      REQUIRE(writer->post(one_share(n)));
      REQUIRE(answers.wait(before + 1) == before + 1);
      if (!answers.outcomes.back().refused) return n;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return n;
  }

  uv::OsClock clock;
  LedgerWriterOptions options;
  test::MemoryStore disk;
  Answers answers;
  int opened = 0;
  int receipts = 0;
  std::atomic<bool> blocked = false;  // the store cannot be opened
  std::optional<Error> reopen_error;
  std::atomic<int> fatal = 0;
  std::unique_ptr<LedgerWriter> writer;
};

}  // namespace

TEST_CASE("a loss is accepted at the start, and never again when the disk was full") {
  Rig rig([](LedgerWriterOptions& options) {
    options.ledger.accept_loss = true;
    HighWater mark{Sequence(7), {}};
    REQUIRE(HighWaterFile(options.data_dir).write(mark).ok());
  });
  REQUIRE(rig.writer->open().ok());
  CHECK(HighWaterFile(rig.options.data_dir).read().value()->sequence == Sequence());
  REQUIRE(HighWaterFile(rig.options.data_dir).write({Sequence(7), {}}).ok());
  CHECK(rig.writer->open().error().code == ErrorCode::Conflict);
}

TEST_CASE("a mark that could not be written is tried again, with no new share") {
  Rig rig;
  REQUIRE(rig.writer->open().ok());
  const std::string in_the_way = rig.options.data_dir + "/high_water.tmp";
  REQUIRE(mkdir(in_the_way.c_str(), 0700) == 0);
  REQUIRE(rig.writer->post(one_share(1)));
  rig.writer->start();
  REQUIRE(rig.answers.wait(1) == 1);
  const auto marked = [&] {
    return HighWaterFile(rig.options.data_dir).read().value()->sequence.value();
  };
  std::this_thread::sleep_for(std::chrono::milliseconds(1'500));  // tried, in vain
  CHECK(marked() == 0);
  REQUIRE(rmdir(in_the_way.c_str()) == 0);
  for (int i = 0; i < 50 && marked() == 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  CHECK(marked() == 1);
}

TEST_CASE("with relaxed durability no coinbase promises what a slice holds before it is on disk") {
  std::atomic<int> plans = 0;
  std::atomic<std::size_t> unsynced = 0;
  const test::MemoryStore* disk = nullptr;
  Rig rig([&](LedgerWriterOptions& options) {
    options.ledger.sync = false;
    options.treasury.network = Network::Regtest;
    options.treasury.terms.way = PayWay::Coinbase;
    options.treasury.pool_script = {0x51};
    options.on_plan = [&](const PlanPtr& plan) {
      if (!plan || plan->slice == 0) return;
      unsynced = disk->unsynced();
      ++plans;
    };
  });
  disk = &rig.disk;
  REQUIRE(rig.writer->open().ok());
  REQUIRE(rig.writer->post(NetworkSeen{{1'000'000, Satoshi(5'000), Satoshi()}}));
  ShareBatch winner = one_share(1);
  winner.shares[0].is_block = true;  // closes the slice
  REQUIRE(rig.writer->post(std::move(winner)));
  rig.writer->start();
  REQUIRE(rig.answers.wait(1) == 1);
  for (int i = 0; i < 50 && plans == 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  rig.writer->stop();
  CHECK(plans > 0);
  CHECK(unsynced == 0);
}

TEST_CASE("a disk that is full when a block is written answers no share twice") {
  Rig rig;
  REQUIRE(rig.writer->open().ok());
  rig.disk.fail_at = rig.disk.commits + 2;  // the share is booked, the block that follows is not
  REQUIRE(rig.writer->post(one_share(1)));
  REQUIRE(rig.writer->post(one_block()));
  rig.writer->start();
  REQUIRE(rig.answers.wait(1) == 1);
  CHECK_FALSE(rig.answers.outcomes[0].refused.has_value());
  const std::uint8_t last = rig.until_durable(2);
  REQUIRE(last < 60);
  rig.writer->stop();
  CHECK(rig.answers.outcomes.size() == last);
  CHECK(rig.fatal == 0);
  CHECK(rig.opened == 2);
  const auto blocks = all_blocks(rig.disk);
  REQUIRE(blocks.ok());
  CHECK(blocks->size() == 1);
  const auto totals = account_totals(rig.disk);
  REQUIRE(totals.ok());
  CHECK((*totals)[0].shares == 2);
}

TEST_CASE("a disk that is full for long: so much is remembered of blocks, the rest is asked for") {
  constexpr std::uint32_t kBlocks = 3'000;
  std::atomic<std::uint32_t> booked = 0, asked = 0;
  Rig rig([&](LedgerWriterOptions& options) {
    options.on_booked = [&](const BlockRecord&) { ++booked; };
    options.on_forgotten = [&] { ++asked; };
  });
  const auto tell_all = [&](BlockState state, std::uint32_t confirmations) {
    for (std::uint32_t n = 0; n < kBlocks; ++n) {
      BlockEvent event = one_block();
      store_le(event.block.hash.bytes.data() + 1, n);
      event.block.state = state;
      event.block.confirmations = confirmations;
      REQUIRE(rig.writer->post(std::move(event)));
    }
  };
  const auto wait_for = [](const auto& done) {
    for (int i = 0; i < 500 && !done(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return done();
  };
  REQUIRE(rig.writer->open().ok());
  rig.blocked = true;
  rig.disk.fail_at = rig.disk.commits + 1;
  REQUIRE(rig.writer->post(one_share(1)));
  rig.writer->start();
  REQUIRE(rig.answers.wait(1) == 1);
  tell_all(BlockState::Found, 0);
  for (std::uint32_t day = 1; day < 5; ++day) tell_all(BlockState::Accepted, day);
  REQUIRE(rig.writer->post(one_share(2)));  // behind them
  REQUIRE(rig.answers.wait(2) == 2);
  rig.blocked = false;
  REQUIRE(rig.until_durable(3) < 60);
  CHECK(wait_for([&] { return asked == 1; }));
  CHECK(booked == 1'024);
  tell_all(BlockState::Found, 0);
  tell_all(BlockState::Accepted, 5);
  CHECK(wait_for([&] { return booked >= 1'024 + kBlocks; }));
  rig.writer->stop();
  CHECK(asked == 1);
  const auto blocks = all_blocks(rig.disk);
  REQUIRE(blocks.ok());
  CHECK(blocks->size() == kBlocks);
  for (const BlockRecord& block : *blocks) CHECK(block.state == BlockState::Accepted);
}

TEST_CASE("a hundred blocks hold up the shares behind them for one sync") {
  Rig rig;
  REQUIRE(rig.writer->open().ok());
  REQUIRE(rig.writer->post(one_share(1)));
  for (std::uint8_t n = 0; n < 100; ++n) REQUIRE(rig.writer->post(one_block(n)));
  const std::size_t before = rig.disk.syncs;
  rig.writer->start();
  REQUIRE(rig.answers.wait(1) == 1);
  rig.writer->stop();
  CHECK(rig.disk.syncs - before <= 3);  // the share, the blocks, the end
  const auto blocks = all_blocks(rig.disk);
  REQUIRE(blocks.ok());
  CHECK(blocks->size() == 100);
}

TEST_CASE("a disk that is full when a share is written refuses it, and books the next") {
  Rig rig;
  REQUIRE(rig.writer->open().ok());
  rig.disk.fail_at = rig.disk.commits + 1;
  REQUIRE(rig.writer->post(one_share(1)));
  rig.writer->start();
  REQUIRE(rig.answers.wait(1) == 1);
  CHECK(rig.answers.outcomes[0].refused == RejectReason::StorageFull);
  CHECK(rig.until_durable(2) < 60);
  rig.writer->stop();
  CHECK(rig.opened == 2);
}

TEST_CASE("books that cannot be opened again for another reason end the pool, once") {
  Rig rig;
  REQUIRE(rig.writer->open().ok());
  rig.disk.fail_at = rig.disk.commits + 1;
  rig.reopen_error = Error{ErrorCode::Corrupt, "a table is not what was written"};
  REQUIRE(rig.writer->post(one_share(1)));
  rig.writer->start();
  REQUIRE(rig.answers.wait(1) == 1);
  for (int i = 0; i < 400 && rig.fatal == 0; ++i) {
    REQUIRE(rig.writer->post(one_share(2)));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  rig.writer->stop();
  CHECK(rig.fatal == 1);
}

TEST_CASE("a crowd of small batches is answered by few messages, in order") {
  Rig rig;
  REQUIRE(rig.writer->open().ok());
  for (std::uint8_t n = 1; n <= 200; ++n) REQUIRE(rig.writer->post(one_share(n)));
  rig.writer->start();
  REQUIRE(rig.answers.wait(200) == 200);
  rig.writer->stop();
  CHECK(rig.receipts == 1);
  for (std::size_t i = 0; i < 200; ++i) CHECK(rig.answers.outcomes[i].sequence == i + 1);
}
