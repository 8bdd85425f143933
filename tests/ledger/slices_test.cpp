// SPDX-License-Identifier: MIT
// Slices in the books: when they close, what they hold, what a restart finds, what expires.
#include <map>
#include <set>

#include "fixture.h"

using namespace adit;
using adit::test::kSampleNetwork;
using adit::test::MemoryStore;
using adit::test::Pool;
using adit::test::ShareMaker;
using adit::test::shares_of;

namespace {

std::vector<SliceRecord> slices_of(LedgerStore& store, SliceNumber from = SliceNumber(1)) {
  std::vector<SliceRecord> out;
  const Status s = for_each_slice(store, from, [&](const SliceRecord& r) {
    out.push_back(r);
    return true;
  });
  INFO((s ? "" : s.error().text));
  REQUIRE(s.ok());
  return out;
}

void wait(Pool& pool, std::int64_t ms) { pool.now = UnixMillis(pool.now.value() + ms); }

/// A few minutes of shares in batches of any size, with blocks among them.
void mine(Pool& pool, int batches, bool restarts = false) {
  for (int i = 0; i < batches; ++i) {
    auto shares = pool.batch(1 + pool.maker.below(9));
    if (i % 23 == 3) shares[pool.maker.below(shares.size())].is_block = true;
    wait(pool, 4'000);
    REQUIRE(pool.append(shares).ok());
    if (restarts && i % 3 == 1) pool.reopen();
  }
}

BlockRecord found(const Pool& pool, const BlockHash& hash) {
  BlockRecord block;
  block.hash = hash;
  block.height = 100;
  block.found = pool.now;
  return block;
}

}  // namespace

TEST_CASE("slices: each says what its shares add up to") {
  Pool pool;
  mine(pool, 120);
  const auto shares = shares_of(pool.store);
  const auto slices = slices_of(pool.store);
  REQUIRE(slices.size() > 10);
  CHECK(pool.ledger->take_closed_slices() == slices);
  CHECK(pool.ledger->take_closed_slices().empty());
  CHECK(pool.ledger->last_slice() == slices.back().number);
  std::size_t at = 0, blocks = 0;
  Digest chain{}, previous{};
  for (const SliceRecord& slice : slices) {
    std::map<std::uint32_t, Uint128> sums;
    ShareTree tree;
    CHECK(slice.opened == shares[at].time);
    const UnixMillis opened = shares[at].time;
    CHECK(slice.first == shares[at].sequence);
    for (; at < shares.size() && shares[at].sequence <= slice.last; ++at) {
      CHECK(shares[at].time.value() - opened.value() < Ledger::kSliceMillis);
      std::uint8_t bytes[ShareRecord::kSize];
      shares[at].encode(bytes);
      chain = chain_next(chain, bytes);
      tree.add(chain);
      sums[shares[at].account.value()] += shares[at].work.value();
      CHECK(shares[at].is_block == (shares[at].hash == slice.block));
    }
    blocks += slice.block != BlockHash{} ? 1 : 0;
    CHECK(slice.chain == chain);
    CHECK(slice.root == tree.root());
    CHECK(slice.previous == previous);
    CHECK(slice.network == kSampleNetwork);
    previous = slice.hash();
    const auto entries = slice.slice.entries();
    REQUIRE(entries.size() == sums.size());
    for (const AccountWork& e : entries) CHECK(sums[e.account.value()] == e.work);
  }
  CHECK(blocks == 6);
  CHECK(pool.problems().empty());
}

TEST_CASE("slices: restarts at any moment change nothing in them") {
  Pool straight, restarted;
  mine(straight, 60);
  mine(restarted, 60, true);
  CHECK(slices_of(straight.store) == slices_of(restarted.store));
  CHECK(straight.store.rows(Family::Slices) == restarted.store.rows(Family::Slices));
  CHECK(straight.ledger->high_water() == restarted.ledger->high_water());
  CHECK(restarted.problems().empty());
}

TEST_CASE("slices: one closes after 60 s, also where no share comes, and never without shares") {
  Pool pool;
  REQUIRE(pool.ledger->close_due_slice(pool.now).ok());
  REQUIRE(pool.append(pool.batch(3)).ok());
  const UnixMillis opened = pool.now;
  const auto close_at = [&](std::int64_t age) {
    REQUIRE(pool.ledger->close_due_slice(UnixMillis(opened.value() + age)).ok());
    return pool.ledger->last_slice().value();
  };
  CHECK(close_at(0) == 0);
  CHECK(close_at(59'999) == 0);
  CHECK(close_at(60'000) == 1);
  CHECK(close_at(600'000) == 1);
  wait(pool, 1'000'000);
  REQUIRE(pool.append(pool.batch(1)).ok());
  wait(pool, 60'000);
  REQUIRE(pool.append(pool.batch(1)).ok());  // closes the one before it
  const auto slices = slices_of(pool.store);
  REQUIRE(slices.size() == 2);
  CHECK(slices[1].first == Sequence(4));
  CHECK(slices[1].last == Sequence(4));
  // Duplicates alone close it, too: the due slice needs no new share.
  const auto all = shares_of(pool.store);
  ShareCandidate again = pool.maker.share(pool.worker());
  again.hash = all.back().hash;
  wait(pool, 60'000);
  REQUIRE(pool.append({again}).ok());
  CHECK(pool.verdicts == std::vector<DoorVerdict>{DoorVerdict::Duplicate});
  CHECK(pool.ledger->last_slice() == SliceNumber(3));
  CHECK(pool.problems().empty());
}

TEST_CASE("slices: a clock that steps back closes the slice it came into") {
  Pool pool;
  REQUIRE(pool.append(pool.batch(2)).ok());
  pool.now = UnixMillis(1'000'000);
  REQUIRE(pool.append(pool.batch(2)).ok());
  CHECK(pool.ledger->last_slice() == SliceNumber(1));
  wait(pool, 60'000);
  REQUIRE(pool.ledger->close_due_slice(pool.now).ok());
  CHECK(pool.ledger->last_slice() == SliceNumber(2));
  CHECK(pool.problems().empty());
}

TEST_CASE("slices: blocks in one batch each end a slice; their news ends no other") {
  Pool pool;
  auto shares = pool.batch(10);
  shares[2].is_block = shares[3].is_block = shares[9].is_block = true;
  REQUIRE(pool.append(shares).ok());
  auto slices = slices_of(pool.store);
  REQUIRE(slices.size() == 3);
  CHECK(slices[0].last == Sequence(3));
  CHECK(slices[0].block == shares[2].hash);
  CHECK(slices[1].last == Sequence(4));
  CHECK(slices[2].last == Sequence(10));
  CHECK(slices[2].block == shares[9].hash);
  REQUIRE(pool.append(pool.batch(2)).ok());
  REQUIRE(pool.ledger->put_block(found(pool, shares[9].hash)).value());
  CHECK(pool.ledger->last_slice() == SliceNumber(3));
  // A block whose share did not come (stale, or of another server) cuts here.
  REQUIRE(pool.ledger->put_block(found(pool, ShareMaker::tip(5))).value());
  slices = slices_of(pool.store);
  REQUIRE(slices.size() == 4);
  CHECK(slices[3].last == Sequence(12));
  CHECK(slices[3].block == BlockHash{});
  CHECK(slices[3].closed == pool.now);
  // Known blocks and an empty slice cut nothing.
  BlockRecord moved = found(pool, ShareMaker::tip(5));
  moved.state = BlockState::Accepted;
  REQUIRE(pool.append(pool.batch(1)).ok());
  REQUIRE(pool.ledger->put_block(moved).value());
  CHECK(pool.ledger->last_slice() == SliceNumber(4));
  pool.reopen();
  REQUIRE(pool.ledger->put_block(found(pool, ShareMaker::tip(6))).value());
  CHECK(pool.ledger->last_slice() == SliceNumber(5));
  REQUIRE(pool.ledger->put_block(found(pool, ShareMaker::tip(7))).value());
  CHECK(pool.ledger->last_slice() == SliceNumber(5));
  CHECK(pool.problems().empty());
}

TEST_CASE("slices: none closes while the network is unknown, and a restart knows it") {
  MemoryStore store;
  Pool pool;
  auto ledger = Ledger::open(store, pool.options, std::nullopt);
  REQUIRE(ledger.ok());
  std::vector<DoorVerdict> verdicts;
  Sequence first;
  ShareCandidate block = pool.maker.share(ledger->worker_id("a", "b"));
  block.is_block = true;
  REQUIRE(ledger->append({&block, 1}, pool.now, verdicts, first).ok());
  const UnixMillis late(pool.now.value() + 100'000);
  REQUIRE(ledger->close_due_slice(late).ok());
  REQUIRE(ledger->put_block(found(pool, block.hash)).ok());
  CHECK(ledger->last_slice() == SliceNumber(0));
  NetworkFacts facts = kSampleNetwork;
  facts.work = 0;
  ledger->set_network(facts);
  REQUIRE(ledger->close_due_slice(late).ok());
  CHECK(ledger->last_slice() == SliceNumber(0));
  ledger->set_network(kSampleNetwork);
  REQUIRE(ledger->close_due_slice(late).ok());
  CHECK(ledger->last_slice() == SliceNumber(1));
  ledger = Ledger::open(store, pool.options, std::nullopt);
  REQUIRE(ledger.ok());
  const ShareCandidate next = pool.maker.share(ledger->worker_id("a", "b"));
  REQUIRE(ledger->append({&next, 1}, late, verdicts, first).ok());
  REQUIRE(ledger->close_due_slice(UnixMillis(late.value() + 60'000)).ok());
  CHECK(slices_of(store)[1].network == kSampleNetwork);
}

TEST_CASE("slices: books from before there were any begin with the next share") {
  Pool pool;
  REQUIRE(pool.append(pool.batch(9)).ok());
  wait(pool, 3'600'000);
  REQUIRE(pool.append(pool.batch(9, 101)).ok());
  pool.store.rows(Family::Meta).erase("slices_from");
  pool.store.rows(Family::Meta).erase("slices_through");
  pool.store.rows(Family::Slices).clear();
  CHECK(pool.problems().empty());
  pool.reopen();
  REQUIRE(pool.append(pool.batch(4, 102)).ok());
  pool.reopen();
  wait(pool, 60'000);
  REQUIRE(pool.append(pool.batch(1, 102)).ok());
  const auto slices = slices_of(pool.store);
  REQUIRE(slices.size() == 1);
  CHECK(slices[0].first == Sequence(19));
  CHECK(slices[0].last == Sequence(22));
  CHECK(pool.problems().empty());
  CHECK_FALSE(slice_holding(pool.store, Sequence(18)).value().has_value());
  // What no slice holds may go.
  REQUIRE(pool.ledger->close(pool.now).ok());
  REQUIRE(pool.ledger->expire_shares(UnixMillis(pool.now.value() + 1)).ok());
  CHECK(shares_of(pool.store).front().sequence == Sequence(19));
}

TEST_CASE("slices: found by number and by share") {
  Pool pool;
  mine(pool, 100);
  const auto slices = slices_of(pool.store);
  CHECK(newest_slice(pool.store).value() == slices.back());
  CHECK(oldest_slice(pool.store).value() == slices.front());
  for (const SliceRecord& slice : slices) {
    CHECK(read_slice(pool.store, slice.number).value() == slice);
    CHECK(slice_holding(pool.store, slice.first).value() == slice);
    CHECK(slice_holding(pool.store, slice.last).value() == slice);
  }
  CHECK_FALSE(read_slice(pool.store, SliceNumber(0)).value().has_value());
  CHECK_FALSE(read_slice(pool.store, SliceNumber(slices.size() + 1)).value().has_value());
  CHECK_FALSE(slice_holding(pool.store, Sequence(0)).value().has_value());
  const Sequence open(slices.back().last.value() + 1);
  CHECK_FALSE(slice_holding(pool.store, open).value().has_value());
  CHECK(slices_of(pool.store, SliceNumber(5)).front() == slices[4]);
  Pool empty;
  CHECK_FALSE(newest_slice(empty.store).value().has_value());
  CHECK_FALSE(slice_holding(empty.store, Sequence(1)).value().has_value());
  // A row that is missing or stands elsewhere is noticed by all who pass it.
  auto& rows = pool.store.rows(Family::Slices);
  const auto whole = rows;
  rows.erase(key_u64(4));
  const auto walk = [&] {
    return for_each_slice(pool.store, SliceNumber(1), [](const SliceRecord&) { return true; });
  };
  CHECK(walk().error().code == ErrorCode::Corrupt);
  CHECK(slice_holding(pool.store, slices[3].first).error().code == ErrorCode::Corrupt);
  rows[key_u64(4)] = whole.at(key_u64(5));
  CHECK(walk().error().code == ErrorCode::Corrupt);
  CHECK(read_slice(pool.store, SliceNumber(4)).error().code == ErrorCode::Corrupt);
}

TEST_CASE("slices: shares of the open slice never expire; slices do, the newest stays") {
  Pool pool;
  for (std::uint32_t i = 0; i < 20; ++i) {
    wait(pool, 20'000);
    REQUIRE(pool.append(pool.batch(3, 100 + i)).ok());
  }
  REQUIRE(pool.ledger->close(pool.now).ok());
  const auto newest = newest_slice(pool.store).value();
  REQUIRE(newest->last < pool.ledger->last_sequence());
  REQUIRE(pool.ledger->expire_shares(UnixMillis(pool.now.value() + 1)).ok());
  CHECK(shares_of(pool.store).front().sequence.value() == newest->last.value() + 1);
  CHECK(pool.problems().empty());
  REQUIRE(pool.ledger->expire_slices(SliceNumber(3)).ok());
  CHECK(slices_of(pool.store, SliceNumber(0)).front().number == SliceNumber(3));
  CHECK(pool.problems().empty());
  pool.reopen();
  const int commits = pool.store.commits;
  REQUIRE(pool.ledger->expire_slices(SliceNumber(3)).ok());
  CHECK(pool.store.commits == commits);
  REQUIRE(pool.ledger->expire_slices(SliceNumber(1000)).ok());
  CHECK(slices_of(pool.store, SliceNumber(0)).size() == 1);
  CHECK(newest_slice(pool.store).value() == newest);
  pool.reopen();
  wait(pool, 60'000);
  REQUIRE(pool.append(pool.batch(2, 130)).ok());
  CHECK(slices_of(pool.store, SliceNumber(0)).size() == 2);
  CHECK(pool.problems().empty());
  CHECK_FALSE(slice_holding(pool.store, Sequence(1)).value().has_value());
}

TEST_CASE("slices: a power loss at any moment leaves them a prefix that goes on") {
  Pool pool;
  pool.options.sync = false;
  pool.reopen();
  for (int i = 0; i < 50; ++i) {
    wait(pool, 9'000);
    auto shares = pool.batch(1 + pool.maker.below(4));
    if (i % 9 == 4) shares.back().is_block = true;
    REQUIRE(pool.append(shares).ok());
  }
  const auto slices = slices_of(pool.store);
  std::set<std::size_t> sizes;
  for (std::size_t kept = 0; kept <= pool.store.unsynced(); ++kept) {
    MemoryStore left = pool.store.after_power_loss(kept);
    const auto report = verify_ledger(left);
    REQUIRE(report.ok());
    REQUIRE(report->problems.empty());
    auto ledger = Ledger::open(left, pool.options, std::nullopt);
    REQUIRE(ledger.ok());
    // Closing what is open gives the slice that the lost life closed, if it has the same shares.
    const std::size_t number = ledger->last_slice().value();
    sizes.insert(number);
    ledger->set_network(kSampleNetwork);
    REQUIRE(ledger->close_due_slice(UnixMillis(pool.now.value() + 60'000)).ok());
    const auto after = slices_of(left);
    for (std::size_t i = 0; i < number; ++i) REQUIRE(after[i] == slices[i]);
    if (after.size() > number && number < slices.size() &&
        after[number].last == slices[number].last) {
      CHECK(after[number].root == slices[number].root);
      CHECK(after[number].slice == slices[number].slice);
      CHECK(after[number].opened == slices[number].opened);
    }
    REQUIRE(verify_ledger(left)->problems.empty());
  }
  CHECK(sizes.size() > 10);
}

TEST_CASE("slices: none is handed out that is not on disk") {
  for (int fail_at = 2; fail_at < 6; ++fail_at) {
    Pool pool;
    pool.store.fail_at = pool.store.commits + fail_at;
    Status s;
    std::size_t taken = 0;
    for (int i = 0; i < 8 && s.ok(); ++i) {
      wait(pool, 61'000);
      s = pool.append(pool.batch(1));
      taken += pool.ledger->take_closed_slices().size();
    }
    CHECK_FALSE(s.ok());
    CHECK(taken == slices_of(pool.store).size());
    CHECK_FALSE(pool.ledger->close_due_slice(UnixMillis(pool.now.value() + 100'000)).ok());
    CHECK_FALSE(pool.ledger->expire_slices(SliceNumber(9)).ok());
    LedgerBatch money;
    CHECK_FALSE(pool.ledger->write(money).ok());
  }
}

TEST_CASE("slices: a restart refuses rows that contradict the shares") {
  Pool pool;
  mine(pool, 40);
  const auto key = key_u64(pool.ledger->last_slice().value());
  auto& rows = pool.store.rows(Family::Slices);
  const std::string good = rows[key];
  const auto code = [&] {
    const auto opened = Ledger::open(pool.store, pool.options, std::nullopt);
    return opened ? ErrorCode::NotFound : opened.error().code;
  };
  CHECK(code() == ErrorCode::NotFound);  // it opens
  const auto changed = [&](const std::function<void(SliceRecord&)>& change) {
    SliceRecord r = *SliceRecord::decode(bytes_of(good));
    change(r);
    const ByteVec bytes = r.encode();
    rows[key] = std::string(text_of(bytes));
    return code();
  };
  CHECK(changed([](SliceRecord&) {}) == ErrorCode::NotFound);
  CHECK(changed([](SliceRecord& r) { r.chain[0] ^= 1; }) == ErrorCode::Corrupt);
  CHECK(changed([](SliceRecord& r) { r.last = Sequence(r.last.value() - 1); }) ==
        ErrorCode::Corrupt);
  CHECK(changed([](SliceRecord& r) { r.last = Sequence(1'000'000); }) == ErrorCode::Corrupt);
  rows[key] = good;
  rows[key][100] ^= 1;
  CHECK(code() == ErrorCode::Corrupt);
  rows[key] = good;
  auto& meta = pool.store.rows(Family::Meta);
  for (const char* bad : {"0", "x", "99999999", ""}) {
    meta["slices_from"] = bad;
    CHECK(code() == ErrorCode::Corrupt);
  }
  meta.erase("slices_from");
  CHECK(code() == ErrorCode::Corrupt);
  meta["slices_from"] = "1";
  CHECK(code() == ErrorCode::NotFound);
}

TEST_CASE("slices: the newest ones cannot be taken out, nor given another hash") {
  Pool pool;
  mine(pool, 80);
  const MemoryStore whole = pool.store;
  const std::uint64_t newest = pool.ledger->last_slice().value();
  REQUIRE(newest > 3);
  const auto refused = [&] {
    const auto opened = Ledger::open(pool.store, pool.options, std::nullopt);
    return !pool.problems().empty() && !opened && opened.error().code == ErrorCode::Corrupt;
  };
  CHECK_FALSE(refused());
  for (const std::uint64_t keep : {newest - 1, newest - 2, std::uint64_t{0}}) {
    pool.store = whole;
    std::erase_if(pool.store.rows(Family::Slices),
                  [&](const auto& row) { return *u64_of_key(row.first) > keep; });
    CHECK(refused());
  }
  // Nothing but its row vouches for its time of closing.
  pool.store = whole;
  std::string& row = pool.store.rows(Family::Slices)[key_u64(newest)];
  SliceRecord changed = *SliceRecord::decode(bytes_of(row));
  changed.closed = UnixMillis(changed.closed.value() + 1);
  row = std::string(text_of(changed.encode()));
  CHECK(refused());
  pool.store = whole;
  for (const char* bad : {"", "x", "7"}) {
    pool.store.rows(Family::Meta)["slices_through"] = bad;
    CHECK(refused());
  }
}

TEST_CASE("rows of other rooms: written, synced, read back; addresses by account") {
  Pool pool;
  pool.options.sync = false;
  pool.reopen();
  REQUIRE(pool.append({pool.maker.share(pool.ledger->worker_id("alice", "rig"))}).ok());
  LedgerBatch batch;
  batch.put(Family::Credits, "k", "v");
  batch.put(Family::Payments, "p", "q");
  REQUIRE(pool.ledger->write(batch).ok());
  CHECK(pool.store.unsynced() == 0);
  CHECK(pool.store.rows(Family::Credits).at("k") == "v");
  CHECK(pool.store.rows(Family::Payments).at("p") == "q");
  CHECK(pool.ledger->address_of(AccountId(1)) == "alice");
  CHECK(pool.ledger->address_of(AccountId(2)).empty());
  CHECK(pool.ledger->address_of(AccountId(0)).empty());
}
