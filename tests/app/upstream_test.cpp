// SPDX-License-Identifier: MIT
// Upstream without a node: what it tells the books is told in the end, whoever has no room for it.
#include "app/upstream.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <condition_variable>
#include <filesystem>

#include "uv/system.h"

using namespace adit;

namespace {

/// A ledger whose inbox is full for the first few messages.
struct BusyLedger {
  std::mutex mutex;
  std::condition_variable changed;
  int refusals = 3;
  std::vector<BlockEvent> events;

  bool take(LedgerMessage message) {
    const std::lock_guard lock(mutex);
    auto* event = std::get_if<BlockEvent>(&message);
    if (event == nullptr || refusals-- > 0) return event == nullptr;
    events.push_back(std::move(*event));
    changed.notify_all();
    return true;
  }
  bool wait(std::size_t count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(5), [&] { return events.size() >= count; });
  }
};

BlockRecord record_of(std::uint8_t number) {
  BlockRecord record;
  record.hash.bytes[0] = number;
  record.height = number;
  record.state = BlockState::Accepted;
  return record;
}

ByteVec block_that_pays(Satoshi value) {
  Transaction coinbase;
  coinbase.inputs.resize(1);
  coinbase.outputs = {{value, ByteVec(22, 0x14)}};
  ByteVec block(80, 0);
  block.push_back(1);
  const ByteVec bytes = coinbase.serialize();
  block.insert(block.end(), bytes.begin(), bytes.end());
  return block;
}

}  // namespace

TEST_CASE("upstream: blocks that the ledger had no room for are told again, in order") {
  std::string folder = (std::filesystem::temp_directory_path() / "adit-upstream-XXXXXX").string();
  REQUIRE(mkdtemp(folder.data()) != nullptr);
  REQUIRE(std::filesystem::create_directory(folder + "/blocks"));
  const std::vector<BlockRecord> rows{record_of(1), record_of(2)};
  {
    auto vault = BlockVault::open(folder + "/blocks");
    REQUIRE(vault);
    for (const BlockRecord& row : rows)
      REQUIRE(vault->keep(row, block_that_pays(Satoshi(100 + row.height))));
  }
  Config config;
  config.data_dir = folder;
  config.pool.network = Network::Regtest;
  config.nodes.resize(1);
  config.nodes[0].rpc = "http://127.0.0.1:1";
  BusyLedger ledger;
  UpstreamLinks links;
  links.to_workers = [](const WorkerMessage&) {};
  links.to_ledger = [&](LedgerMessage message) { return ledger.take(std::move(message)); };
  uv::OsClock clock;
  {
    Upstream upstream(clock, config, std::move(links));
    REQUIRE(upstream.open(rows, Satoshi()));
    CHECK(ledger.events.empty());
    upstream.start();
    REQUIRE(ledger.wait(2));
    upstream.stop();
  }
  REQUIRE(ledger.events.size() == 2);
  for (std::uint32_t i = 0; i < 2; ++i) {
    CHECK(ledger.events[i].block.height == i + 1);
    REQUIRE(ledger.events[i].outputs.size() == 1);
    CHECK(ledger.events[i].outputs[0].value == Satoshi(101 + i));
  }
  std::filesystem::remove_all(folder);
}
