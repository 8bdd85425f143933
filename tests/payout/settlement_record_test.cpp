// SPDX-License-Identifier: MIT
#include "adit/payout/settlement_record.h"

#include <doctest/doctest.h>

#include "support/memory_store.h"

namespace adit {
namespace {

SettlementRecord sample(std::uint32_t height) {
  SettlementRecord r;
  r.block.bytes.fill(static_cast<std::uint8_t>(height));
  r.height = height;
  r.first_slice = 4, r.slice = 9, r.plan_entry = 77, r.plan_weight = 640;
  r.unknown_paid = Satoshi(1);
  r.terms = *PayoutTerms::parse("prop fee=150 way=coinbase threshold=546 weight=8000");
  r.value = Satoshi(1000), r.pool_entitled = Satoshi(15), r.pool_paid = Satoshi(20);
  r.shares = {{AccountId(1), Uint128{1} << 90, Satoshi(900), Satoshi(-3), Satoshi(980)},
              {AccountId(8), 5, Satoshi(85), Satoshi(3), Satoshi(0)}};
  return r;
}

BlockRecord block_of(const SettlementRecord& record) {
  BlockRecord block;
  block.hash = record.block;
  block.height = record.height;
  return block;
}

}  // namespace

TEST_CASE("settlements: written and read back, the shares once") {
  test::MemoryStore store;
  SettlementRecord record = sample(7);
  CHECK(!*read_settlement(store, block_of(record)));
  LedgerBatch batch;
  record.put(batch, true);
  CHECK(batch.puts.size() == 2);
  REQUIRE(store.commit(batch, true).ok());
  auto read = read_settlement(store, block_of(record), false);
  REQUIRE((read.ok() && *read));
  CHECK((*read)->shares.empty());
  CHECK((*read)->share_count == 2);
  (*read)->state = SettlementState::Booked;
  (*read)->first_entry = 78, (*read)->last_entry = 81;
  LedgerBatch moved;
  (*read)->put(moved, false);
  CHECK(moved.puts.size() == 1);
  REQUIRE(store.commit(moved, true).ok());
  read = read_settlement(store, block_of(record));
  REQUIRE((read.ok() && *read));
  CHECK((*read)->shares == record.shares);
  CHECK((*read)->state == SettlementState::Booked);
  CHECK((*read)->last_entry == 81);
  CHECK((*read)->terms.text() == record.terms.text());
  CHECK((*read)->first_slice == 4);
  CHECK((*read)->pool_paid == Satoshi(20));
  CHECK((*read)->unknown_paid == Satoshi(1));
  CHECK((*read)->plan_weight == 640);
}

TEST_CASE("settlements: in order of height; a flipped byte anywhere is found") {
  test::MemoryStore store;
  LedgerBatch batch;
  for (const std::uint32_t height : {300u, 2u, 70'000u}) sample(height).put(batch, true);
  batch.put(Family::Credits, "t", "a row of another kind");
  REQUIRE(store.commit(batch, true).ok());
  std::vector<std::uint32_t> heights;
  REQUIRE(for_each_settlement(store, true, [&](const SettlementRecord& r) {
            heights.push_back(r.height);
            CHECK(r.shares.size() == 2);
            return true;
          }).ok());
  CHECK(heights == std::vector<std::uint32_t>{2, 300, 70'000});
  for (const char prefix : {'s', 'p'}) {
    for (auto& [key, value] : store.rows(Family::Credits)) {
      if (key[0] != prefix) continue;
      for (std::size_t i = 0; i < value.size(); i += 7) {
        value[i] = static_cast<char>(value[i] ^ 1);
        const auto all = for_each_settlement(store, true, [](const auto&) { return true; });
        CHECK(all.error().code == ErrorCode::Corrupt);
        value[i] = static_cast<char>(value[i] ^ 1);
      }
    }
  }
}

}  // namespace adit
