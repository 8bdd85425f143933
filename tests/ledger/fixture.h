// SPDX-License-Identifier: MIT
// Books for tests: a ledger on a MemoryStore, and shares to bring to its door.
#pragma once

#include <doctest/doctest.h>

#include <memory>

#include "support/ledger_samples.h"
#include "support/memory_store.h"

namespace adit::test {

struct Pool {
  MemoryStore store;
  LedgerOptions options;
  std::optional<Ledger> ledger;
  ShareMaker maker;
  UnixMillis now{1'700'000'000'000};
  std::vector<DoorVerdict> verdicts;
  Sequence first;

  Pool() {
    options.network = Network::Regtest;
    reopen();
  }
  /// As a restart: everything in memory is forgotten.
  void reopen(const std::optional<HighWater>& mark = std::nullopt) {
    ledger.reset();
    auto opened = Ledger::open(store, options, mark);
    INFO((opened ? "" : opened.error().text));
    REQUIRE(opened.ok());
    ledger.emplace(std::move(*opened));
    ledger->set_network(kSampleNetwork);
  }
  LedgerWorkerId worker(int n = 0) {
    return ledger->worker_id("account" + std::to_string(n % 3), "rig" + std::to_string(n));
  }
  Status append(const std::vector<ShareCandidate>& shares) {
    now = UnixMillis(now.value() + 5);
    return ledger->append(shares, now, verdicts, first);
  }
  /// `count` fresh shares of several workers in one batch.
  std::vector<ShareCandidate> batch(std::size_t count, std::uint32_t height = 100) {
    std::vector<ShareCandidate> out;
    for (std::size_t i = 0; i < count; ++i)
      out.push_back(maker.share(worker(static_cast<int>(maker.below(7))), height));
    return out;
  }
  std::vector<std::string> problems() {
    const auto report = verify_ledger(store);
    REQUIRE(report.ok());
    return report->problems;
  }
};

inline std::vector<ShareRecord> shares_of(LedgerStore& store, Sequence from = Sequence(1)) {
  std::vector<ShareRecord> out;
  const Status s = for_each_share(store, from, [&](const ShareRecord& r) {
    out.push_back(r);
    return true;
  });
  REQUIRE(s.ok());
  return out;
}

}  // namespace adit::test
