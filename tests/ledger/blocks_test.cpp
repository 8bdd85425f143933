// SPDX-License-Identifier: MIT
// Found blocks in the books: every pair of states, what may change and what may not.
#include <random>

#include "adit/ledger/json_fields.h"
#include "fixture.h"

using namespace adit;
using adit::test::Pool;
using adit::test::ShareMaker;
using enum BlockState;

namespace {

constexpr BlockState kAll[] = {Found, Submitted, Side, Accepted, Refused, Orphaned, Mature};

BlockRecord block(std::uint32_t height) {
  BlockRecord b;
  b.hash = ShareMaker::tip(height);
  b.prev = ShareMaker::tip(height - 1);
  b.height = height;
  b.found = UnixMillis(5);
  b.value = Satoshi(50);
  b.account = "alice";
  b.worker = "rig";
  return b;
}

/// Arrows from Found to a state.
std::vector<BlockState> path_to(BlockState state) {
  if (state == Found) return {};
  if (state == Mature) return {Accepted, Mature};
  return {state};
}

}  // namespace

TEST_CASE("blocks: all 49 pairs of states, moved in the books") {
  Pool pool;
  std::uint32_t height = 1;
  for (const BlockState from : kAll)
    for (const BlockState to : kAll) {
      BlockRecord b = block(++height);
      REQUIRE(pool.ledger->put_block(b).value());
      for (const BlockState step : path_to(from)) {
        b.state = step;
        REQUIRE(pool.ledger->put_block(b).value());
      }
      b.state = to;
      b.detail = "moved";
      INFO(block_state_name(from), " -> ", block_state_name(to));
      const bool moved = pool.ledger->put_block(b).value();
      CHECK(moved == (from == to || block_may_move(from, to)));
      const auto stored = all_blocks(pool.store);
      REQUIRE(stored.ok());
      CHECK(stored->back().state == (moved ? to : from));
      CHECK((stored->back().detail == "moved") == moved);
    }
  CHECK(pool.problems().empty());
}

TEST_CASE("blocks: many in one commit become what they become one by one") {
  std::mt19937 chance(4);
  for (int round = 0; round < 200; ++round) {
    std::vector<BlockRecord> told;
    for (int i = 0; i < 40; ++i) {
      BlockRecord b = block(2 + static_cast<std::uint32_t>(chance() % 8));
      b.state = kAll[chance() % std::size(kAll)];
      b.value = Satoshi(chance() % 3);
      b.confirmations = static_cast<std::uint32_t>(chance() % 3);
      told.push_back(b);
    }
    Pool singly, together;
    std::vector<bool> moved;
    for (const BlockRecord& b : told) moved.push_back(singly.ledger->put_block(b).value());
    const std::size_t half = chance() % (told.size() + 1), before = together.store.commits;
    auto answers = together.ledger->put_blocks(std::span(told).first(half)).value();
    const auto rest = together.ledger->put_blocks(std::span(told).subspan(half)).value();
    answers.insert(answers.end(), rest.begin(), rest.end());
    CHECK(answers == moved);
    CHECK(together.store.commits - before <= 2);
    CHECK(together.store.rows(Family::Blocks) == singly.store.rows(Family::Blocks));
  }
}

TEST_CASE("blocks: a new one comes as Found or one arrow further") {
  for (const BlockState state : kAll) {
    Pool pool;
    BlockRecord b = block(9);
    b.state = state;
    CHECK(pool.ledger->put_block(b).value() == (state != Mature));
  }
}

TEST_CASE("blocks: who found it never changes, its value only from zero") {
  Pool pool;
  BlockRecord b = block(7);
  b.value = Satoshi();
  REQUIRE(pool.ledger->put_block(b).value());
  BlockRecord later = b;
  later.account = "mallory", later.worker = "x", later.found = UnixMillis(9), later.prev = {};
  later.value = Satoshi(77), later.state = Accepted, later.confirmations = 2;
  REQUIRE(pool.ledger->put_block(later).value());
  BlockRecord stored = all_blocks(pool.store).value().at(0);
  CHECK(stored.account == "alice");
  CHECK(stored.worker == "rig");
  CHECK(stored.found == UnixMillis(5));
  CHECK(stored.prev == b.prev);
  CHECK(stored.value == Satoshi(77));
  CHECK(stored.confirmations == 2);
  later.value = Satoshi(88);
  REQUIRE(pool.ledger->put_block(later).value());
  CHECK(all_blocks(pool.store).value().at(0).value == Satoshi(77));
  // The same again writes nothing.
  const int commits = pool.store.commits;
  REQUIRE(pool.ledger->put_block(later).value());
  CHECK(pool.store.commits == commits);
}

TEST_CASE("blocks: by height, over a restart; always synced") {
  Pool pool;
  pool.options.sync = false;
  pool.reopen();
  for (const std::uint32_t height : {300u, 5u, 70'000u, 6u}) {
    REQUIRE(pool.ledger->put_block(block(height)).value());
    CHECK(pool.store.unsynced() == 0);
  }
  BlockRecord refused = block(6);
  refused.state = Refused;
  REQUIRE(pool.ledger->put_block(refused).value());
  pool.reopen();
  const auto blocks = all_blocks(pool.store);
  REQUIRE(blocks.ok());
  REQUIRE(blocks->size() == 4);
  CHECK((*blocks)[0].height == 5);
  CHECK((*blocks)[1] == refused);
  CHECK((*blocks)[2].height == 300);
  CHECK((*blocks)[3].height == 70'000);
}

TEST_CASE("blocks: every flipped bit of key or value is reported") {
  Pool pool;
  REQUIRE(pool.ledger->put_block(block(7)).value());
  auto& rows = pool.store.rows(Family::Blocks);
  const auto [key, value] = *rows.begin();
  for (std::size_t i = 0; i < key.size() + value.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      std::string k = key, v = value;
      char& c = i < key.size() ? k[i] : v[i - key.size()];
      c = static_cast<char>(c ^ (1 << bit));
      rows.clear();
      rows[k] = v;
      CHECK(pool.problems().size() == 1);
      CHECK_FALSE(all_blocks(pool.store).ok());
    }
  rows.clear();
  rows[key] = value;
  BlockRecord next = block(7);
  next.state = Submitted;
  rows[key][3] ^= 1;
  const auto moved = pool.ledger->put_block(next);
  REQUIRE_FALSE(moved.ok());
  CHECK(moved.error().code == ErrorCode::Corrupt);
}
