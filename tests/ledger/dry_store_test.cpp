// SPDX-License-Identifier: MIT
// DryStore against a store that really commits: the same rows at every moment, and nothing reaches
// what is under it.
#include "adit/ledger/dry_store.h"

#include <doctest/doctest.h>

#include "support/ledger_samples.h"
#include "support/memory_store.h"

namespace adit {
namespace {

using namespace test;
using List = std::vector<std::pair<std::string, std::string>>;

/// At most `limit` rows, as a scan shows them.
List rows_of(LedgerStore& store, std::optional<std::string> first, std::size_t limit) {
  List out;
  const auto take = [&](std::string_view key, std::string_view value) {
    out.emplace_back(key, value);
    return out.size() < limit;
  };
  REQUIRE(
      (first ? store.scan(Family::Meta, *first, take) : store.scan_back(Family::Meta, take)).ok());
  return out;
}

}  // namespace

TEST_CASE("dry store: what a commit would leave, and nothing is written") {
  ShareMaker chance(7);
  const auto key = [&] { return std::string(1, static_cast<char>('a' + chance.below(12))); };
  for (int round = 0; round < 300; ++round) {
    auto base = std::make_unique<MemoryStore>();
    LedgerBatch start;
    for (std::size_t i = chance.below(8); i > 0; --i) start.put(Family::Meta, key(), "old");
    MemoryStore real;
    REQUIRE(base->commit(start, true).ok());
    REQUIRE(real.commit(start, true).ok());
    MemoryStore& under = *base;
    const MemoryStore::Rows before = under.rows(Family::Meta);
    DryStore dry(std::move(base));
    for (int step = 0; step < 6; ++step) {
      LedgerBatch batch;
      if (chance.below(3) == 0) batch.deletes.push_back({Family::Meta, key(), key()});
      for (std::size_t i = chance.below(3); i > 0; --i)
        batch.put(Family::Meta, key(), std::to_string(step));
      if (!batch.deletes.empty() && batch.deletes[0].first > batch.deletes[0].last)
        std::swap(batch.deletes[0].first, batch.deletes[0].last);
      REQUIRE(real.commit(batch, true).ok());
      REQUIRE(dry.commit(batch, true).ok());
      const std::string first = key();
      const std::size_t limit = 1 + chance.below(12);
      CHECK(rows_of(dry, first, limit) == rows_of(real, first, limit));
      CHECK(rows_of(dry, std::nullopt, limit) == rows_of(real, std::nullopt, limit));
      CHECK(dry.get(Family::Meta, first).value() == real.get(Family::Meta, first).value());
    }
    CHECK(under.rows(Family::Meta) == before);
  }
}

}  // namespace adit
