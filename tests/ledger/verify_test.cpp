// SPDX-License-Identifier: MIT
// K06: verify reports every flipped bit of a small ledger, and what cleverer edits leave behind.
#include "fixture.h"
#include "ledger/share_run.h"

using namespace adit;
using adit::test::MemoryStore;
using adit::test::Pool;

namespace {

/// A small ledger of three slices and an open one, whose totals are partly on disk only, partly to
/// be replayed.
void fill(Pool& pool) {
  for (std::uint32_t i = 0; i < 4; ++i) {
    if (i == 2) pool.now = UnixMillis(pool.now.value() + 60'000);
    auto shares = pool.batch(3, 100 + i / 2);
    if (i != 1) shares[i / 2].is_block = true;
    REQUIRE(pool.append(shares).ok());
  }
  REQUIRE(pool.store.rows(Family::Slices).size() == 4);
}

bool mentions(const std::vector<std::string>& problems, std::string_view text) {
  return std::any_of(problems.begin(), problems.end(),
                     [&](const std::string& p) { return p.find(text) != std::string::npos; });
}

std::size_t problems_in(MemoryStore& store) {
  const auto report = verify_ledger(store);
  REQUIRE(report.ok());
  return report->problems.size();
}

/// Flips every bit of every key and value of a family, one at a time.
void flip_all(Pool& pool, Family family) {
  auto& rows = pool.store.rows(family);
  const MemoryStore::Rows whole = rows;
  for (const auto& [key, value] : whole)
    for (std::size_t i = 0; i < key.size() + value.size(); ++i)
      for (int bit = 0; bit < 8; ++bit) {
        std::string k = key, v = value;
        char& c = i < key.size() ? k[i] : v[i - key.size()];
        c = static_cast<char>(c ^ (1 << bit));
        rows.erase(key);
        const auto other = rows.find(k);
        if (other != rows.end()) {
          rows = whole;
          continue;  // the key of another row: not a flip that a disk can make
        }
        rows[k] = v;
        const std::size_t found = problems_in(pool.store);
        if (found == 0)
          FAIL_CHECK(family_name(family)
                     << " " << to_hex(bytes_of(key)) << " byte " << i << " bit " << bit);
        rows = whole;
      }
  CHECK(problems_in(pool.store) == 0);
}

/// The same shares as an earlier release wrote them: whole records.
void rewrite_as_version_1(MemoryStore::Rows& runs) {
  for (auto& [key, value] : runs) {
    const auto run = ShareRun::parse(value);
    REQUIRE(run.ok());
    std::string old(8, '\0');
    old[0] = 1;
    old[4] = static_cast<char>(run->count);
    old += text_of(run->before);
    for (std::uint32_t i = 0; i < run->count; ++i) old += text_of(run->record(i));
    old += text_of(run->after);
    value = std::move(old);
  }
}

}  // namespace

TEST_CASE("verify: every flipped bit of a share run is reported") {
  Pool pool;
  fill(pool);
  flip_all(pool, Family::Shares);
  rewrite_as_version_1(pool.store.rows(Family::Shares));
  flip_all(pool, Family::Shares);
}

TEST_CASE("books of an earlier release go on") {
  Pool pool;
  fill(pool);
  rewrite_as_version_1(pool.store.rows(Family::Shares));
  pool.reopen();
  CHECK(pool.ledger->last_sequence() == Sequence(12));
  REQUIRE(pool.append(pool.batch(3, 103)).ok());
  REQUIRE(pool.ledger->close(pool.now).ok());
  CHECK(problems_in(pool.store) == 0);
}

TEST_CASE("verify: every flipped bit of an account or worker is reported") {
  Pool pool;
  fill(pool);
  flip_all(pool, Family::Accounts);
  flip_all(pool, Family::Workers);
}

TEST_CASE(
    "verify: every flipped bit of a slice is reported, as long as its shares are there or not") {
  Pool pool;
  fill(pool);
  flip_all(pool, Family::Slices);
  Pool old;
  for (std::uint32_t i = 0; i < 4; ++i) {
    old.now = UnixMillis(old.now.value() + 60'000);
    REQUIRE(old.append(old.batch(2, 100 + i)).ok());
  }
  REQUIRE(old.ledger->close(old.now).ok());
  REQUIRE(old.ledger->expire_shares(UnixMillis(old.now.value() + 1)).ok());
  REQUIRE(adit::test::shares_of(old.store).front().sequence == Sequence(7));
  flip_all(old, Family::Slices);
}

TEST_CASE("verify: a missing run, a swapped run, a run twice") {
  Pool pool;
  fill(pool);
  auto& runs = pool.store.rows(Family::Shares);
  const auto whole = runs;
  runs.erase(key_u64(4));
  CHECK(problems_in(pool.store) > 0);
  runs = whole;
  std::swap(runs[key_u64(4)], runs[key_u64(7)]);
  CHECK(problems_in(pool.store) > 0);
  runs = whole;
  runs[key_u64(13)] = runs[key_u64(10)];
  CHECK(problems_in(pool.store) > 0);
  runs = whole;
  // The newest run cut off: totals know better (and the high-water mark).
  REQUIRE(pool.ledger->close(pool.now).ok());
  runs.erase(key_u64(10));
  CHECK(problems_in(pool.store) > 0);
}

TEST_CASE(
    "verify: an insider who rewrites the chain still has to prove work, sums and uniqueness") {
  Pool pool;
  fill(pool);
  auto& runs = pool.store.rows(Family::Shares);
  const auto whole = runs;
  // Rewrites every run after `change` so that the chain fits again.
  const auto forge = [&](const std::function<void(ShareRecord&)>& change) {
    runs = whole;
    LedgerBatch batch;
    ShareRunWriter writer(batch, Sequence(0), Digest{});
    for (const auto& [key, value] : whole) {
      const auto run = ShareRun::parse(value);
      for (std::uint32_t i = 0; i < run->count; ++i) {
        ShareRecord r = *ShareRecord::decode(run->record(i));
        change(r);
        writer.add(r);
      }
      writer.close();
    }
    for (const auto& put : batch.puts) runs[put.key] = put.value;
    return pool.problems();
  };
  CHECK(forge([](ShareRecord&) {}).empty());
  auto found = forge([](ShareRecord& r) {
    if (r.sequence == Sequence(5)) r.work = Work(Work::proved_by(r.hash).value() + 1);
  });
  REQUIRE_FALSE(found.empty());
  CHECK(found[0].find("more than its hash proves") != std::string::npos);
  found = forge([](ShareRecord& r) {
    if (r.sequence == Sequence(2)) r.work = Work(r.work.value() - 1);
  });
  CHECK(mentions(found, "add up to"));
  CHECK(mentions(found, "slices 0000000000000002: says "));
  const ShareRecord first = adit::test::shares_of(pool.store)[0];
  found = forge([&](ShareRecord& r) {
    if (r.sequence == Sequence(3)) r.hash = first.hash;
  });
  REQUIRE_FALSE(found.empty());
  CHECK(found[0].find("second time") != std::string::npos);
  found = forge([](ShareRecord& r) {
    if (r.sequence == Sequence(3)) r.account = AccountId(r.account.value() % 3 + 1);
  });
  CHECK_FALSE(found.empty());
  found = forge([](ShareRecord& r) {
    if (r.sequence == Sequence(3)) r.worker = LedgerWorkerId(1000);
  });
  CHECK_FALSE(found.empty());
}

TEST_CASE("verify: an insider who rewrites slices still has to fit the shares and the next slice") {
  Pool pool;
  fill(pool);
  auto& rows = pool.store.rows(Family::Slices);
  const auto whole = rows;
  // Changes slice `number`; with `relink` the later ones name what is before them now.
  const auto forge = [&](std::uint64_t number, const std::function<void(SliceRecord&)>& change,
                         bool relink = true) {
    rows = whole;
    std::optional<Digest> previous;
    for (auto& [key, value] : rows) {
      SliceRecord r = *SliceRecord::decode(bytes_of(value));
      if (r.number == SliceNumber(number)) change(r);
      if (previous && relink) r.previous = *previous;
      previous = r.hash();
      const ByteVec bytes = r.encode();
      value = std::string(text_of(bytes));
    }
    return pool.problems();
  };
  CHECK(forge(2, [](SliceRecord&) {}).empty());
  CHECK(mentions(forge(
                     2, [](SliceRecord& r) { r.network.subsidy = Satoshi(1); }, false),
                 "does not continue the chain of slices"));
  const auto move_work = [](SliceRecord& r) {
    auto entries = r.slice.entries();
    entries.front().work += 1;
    r.slice = Slice(entries);
  };
  for (const std::uint64_t n : {1u, 2u, 3u, 4u})
    CHECK(mentions(forge(n, move_work), "its shares are of"));
  CHECK(mentions(forge(3, [](SliceRecord& r) { r.root[5] ^= 1; }), "another root"));
  CHECK(mentions(forge(4, [](SliceRecord& r) { r.chain[5] ^= 1; }), "another chain value"));
  CHECK(mentions(forge(4, [](SliceRecord& r) { r.opened = UnixMillis(1); }), "another time"));
  CHECK(mentions(forge(1, [](SliceRecord& r) { r.block.bytes[0] ^= 1; }), "did not make"));
  CHECK(mentions(forge(2, [](SliceRecord& r) { r.block.bytes[0] ^= 1; }), "did not make"));
  CHECK(mentions(forge(2, [](SliceRecord& r) { r.first = Sequence(r.first.value() + 1); }),
                 "does not begin where"));
  CHECK(mentions(forge(3, [](SliceRecord& r) { r.first = Sequence(r.first.value() - 1); }),
                 "holds a share of slice 2"));
  CHECK(mentions(forge(1, [](SliceRecord& r) { r.previous[0] = 1; }), "names one before it"));
  CHECK(mentions(forge(4, [](SliceRecord& r) { r.last = Sequence(99); }), "do not exist"));
  rows = whole;
  rows.erase(key_u64(2));
  CHECK(mentions(pool.problems(), "slices are missing"));
  pool.store.rows(Family::Meta)["slices_from"] = "2";
  rows = whole;
  CHECK(mentions(pool.problems(), "slices_from"));
  for (const char* bad : {"x", "0", "99"}) {
    rows.clear();
    pool.store.rows(Family::Meta)["slices_from"] = bad;
    CHECK(mentions(pool.problems(), "meta slices_from"));
  }
}

TEST_CASE("verify: work that no sum can hold is reported, not added") {
  Pool pool;
  fill(pool);
  auto& runs = pool.store.rows(Family::Shares);
  LedgerBatch batch;
  ShareRunWriter writer(batch, Sequence(0), Digest{});
  for (const ShareRecord& share : adit::test::shares_of(pool.store)) {
    ShareRecord r = share;
    r.work = Work(~Uint128{0});
    if (runs.count(key_u64(r.sequence.value())) != 0) writer.close();
    writer.add(r);
  }
  writer.close();
  runs.clear();
  for (const auto& put : batch.puts) runs[put.key] = put.value;
  CHECK(pool.problems().size() > 10);
  CHECK_FALSE(Ledger::open(pool.store, pool.options, std::nullopt).ok());
  CHECK_FALSE(account_totals(pool.store).ok());
}

TEST_CASE("verify: totals_through that hides shares from the replay is reported") {
  Pool pool;
  fill(pool);
  pool.store.rows(Family::Meta)["totals_through"] =
      std::to_string(pool.ledger->last_sequence().value());
  CHECK(problems_in(pool.store) > 0);
  pool.store.rows(Family::Meta)["totals_through"] = "99999";
  CHECK(problems_in(pool.store) > 0);
  pool.store.rows(Family::Meta)["totals_through"] = "x";
  CHECK(problems_in(pool.store) > 0);
}

TEST_CASE("verify: stops counting problems at a hundred") {
  Pool pool;
  for (int i = 0; i < 150; ++i) REQUIRE(pool.append(pool.batch(1)).ok());
  for (auto& [key, value] : pool.store.rows(Family::Shares))
    value[60] = static_cast<char>(value[60] ^ 1);
  CHECK(problems_in(pool.store) == 100);
}

TEST_CASE("verify: empty books are in order") {
  MemoryStore store;
  const auto report = verify_ledger(store);
  REQUIRE(report.ok());
  CHECK(report->problems.empty());
  CHECK(report->shares == 0);
  store.fail_read_at = store.reads + 1;
  CHECK_FALSE(verify_ledger(store).ok());
}
