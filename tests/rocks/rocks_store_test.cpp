// SPDX-License-Identifier: MIT
// The store's contract on RocksDB: batches, order, ranges, one writer, readers beside it, damage.
#include "rocks/rocks_store.h"

#include <sys/stat.h>

#include <algorithm>
#include <optional>

#include "adit/ledger/ledger.h"
#include "scratch.h"
#include "support/ledger_samples.h"

using namespace adit;
using adit::test::Scratch;
using adit::test::ShareMaker;

namespace {

std::unique_ptr<RocksStore> must_open(const std::string& path) {
  auto store = RocksStore::open(path);
  INFO((store ? "" : store.error().text));
  REQUIRE(store.ok());
  return std::move(*store);
}

std::string keys_of(LedgerStore& store, Family family, const std::string& first,
                    bool back = false) {
  std::string keys;
  const auto visit = [&](std::string_view key, std::string_view) {
    keys.append(key).push_back(' ');
    return true;
  };
  REQUIRE((back ? store.scan_back(family, visit) : store.scan(family, first, visit)).ok());
  return keys;
}

/// A folder for temporary files that no other program's readers come to.
class OwnTemporary {
 public:
  OwnTemporary() { ::setenv("TMPDIR", dir_.path().c_str(), 1); }
  ~OwnTemporary() {
    ::unsetenv("TMPDIR");
    if (before_) ::setenv("TMPDIR", before_->c_str(), 1);
  }
  std::size_t readers() const {
    std::size_t n = 0;
    for (const auto& e : std::filesystem::directory_iterator(dir_.path()))
      n += e.path().filename().string().starts_with("adit-reader-") ? 1 : 0;
    return n;
  }

 private:
  static std::optional<std::string> variable() {
    const char* value = ::getenv("TMPDIR");
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  }
  std::optional<std::string> before_ = variable();
  Scratch dir_;
};

LedgerOptions regtest() {
  LedgerOptions options;
  options.network = Network::Regtest;
  return options;
}

/// Appends `batches` batches of 20 shares; returns the mark.
HighWater write_shares(RocksStore& store, int batches, std::uint64_t seed) {
  auto ledger = Ledger::open(store, regtest(), std::nullopt);
  REQUIRE(ledger.ok());
  ShareMaker maker(seed);
  std::vector<DoorVerdict> verdicts;
  Sequence first;
  for (int b = 0; b < batches; ++b) {
    std::vector<ShareCandidate> shares;
    for (int i = 0; i < 20; ++i)
      shares.push_back(maker.share(ledger->worker_id("a", std::to_string(i % 5))));
    REQUIRE(ledger->append(shares, UnixMillis(1'700'000'000'000 + b), verdicts, first).ok());
  }
  return ledger->high_water();
}

}  // namespace

TEST_CASE("store: order, ranges, and everything after a reopen") {
  Scratch dir;
  {
    auto store = must_open(dir.at("new/deep/ledger"));
    LedgerBatch batch;
    for (const char* key : {"b", "a", "d", "c", "\xff"})
      batch.put(Family::Workers, key, std::string("v") + key);
    batch.put(Family::Blocks, "b", "other family");
    REQUIRE(store->commit(batch, true).ok());
    CHECK(store->get(Family::Workers, "c").value() == "vc");
    CHECK(store->get(Family::Blocks, "c").value() == std::nullopt);
    CHECK(keys_of(*store, Family::Workers, "b") == "b c d \xff ");
    CHECK(keys_of(*store, Family::Workers, "", true) == "\xff d c b a ");
    LedgerBatch change;
    change.deletes.push_back({Family::Workers, "b", "d"});
    change.put(Family::Workers, "e", std::string("nul\0", 4));
    REQUIRE(store->commit(change, false).ok());
    REQUIRE(store->commit({}, true).ok());
    REQUIRE(store->commit({}, false).ok());
  }
  auto store = must_open(dir.at("new/deep/ledger"));
  CHECK(keys_of(*store, Family::Workers, "") == "a d e \xff ");
  CHECK(store->get(Family::Workers, "e").value() == std::string("nul\0", 4));
  CHECK(store->get(Family::Meta, "rocksdb").value().has_value());
  int seen = 0;
  REQUIRE(store->scan(Family::Workers, "", [&](auto, auto) { return ++seen < 2; }).ok());
  CHECK(seen == 2);
}

TEST_CASE("store: a range deleted after a flush stays deleted and gives room back") {
  Scratch dir;
  {
    auto store = must_open(dir.at("db"));
    for (std::uint64_t i = 1; i <= 100; ++i) {
      LedgerBatch batch;
      batch.put(Family::Shares, key_u64(i), std::string(2000, static_cast<char>(i)));
      REQUIRE(store->commit(batch, false).ok());
      if (i % 50 == 0) REQUIRE(store->flush().ok());
    }
    LedgerBatch expire;
    expire.deletes.push_back({Family::Shares, key_u64(0), key_u64(61)});
    REQUIRE(store->commit(expire, true).ok());
  }
  auto store = must_open(dir.at("db"));
  std::uint64_t first = 0, count = 0;
  REQUIRE(store
              ->scan(Family::Shares, "",
                     [&](std::string_view key, auto) {
                       if (count++ == 0) first = *u64_of_key(key);
                       return true;
                     })
              .ok());
  CHECK(first == 61);
  CHECK(count == 40);
}

TEST_CASE("store: a second instance is refused at once, readers are not") {
  Scratch dir;
  auto store = must_open(dir.at("db"));
  const auto second = RocksStore::open(dir.at("db"));
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().code == ErrorCode::Conflict);
  CHECK(second.error().text == dir.at("db") + " is already in use by another adit");
  int status = 0;
  REQUIRE(::waitpid(adit::test::start_child("child: opens the same store", dir.at("db")), &status,
                    0) > 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  store.reset();
  must_open(dir.at("db"));
}

TEST_CASE("child: opens the same store" * doctest::skip()) {
  if (adit::test::child_folder().empty()) return;
  const auto second = RocksStore::open(adit::test::child_folder());
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().text == adit::test::child_folder() + " is already in use by another adit");
}

TEST_CASE("reader: sees what was there, catches up, writes nothing, leaves nothing") {
  Scratch dir;
  CHECK(RocksStore::open_reader(dir.at("db")).error().code == ErrorCode::NotFound);
  auto store = must_open(dir.at("db"));
  const HighWater early = write_shares(*store, 10, 1);
  const OwnTemporary temporary;
  {
    auto reader = RocksStore::open_reader(dir.at("db"));
    INFO((reader ? "" : reader.error().text));
    REQUIRE(reader.ok());
    CHECK(temporary.readers() == 0);  // killed from here on, it leaves nothing either
    CHECK(chain_end(**reader).value().sequence == early.sequence);
    const HighWater late = write_shares(*store, 10, 2);
    CHECK(chain_end(**reader).value().sequence == early.sequence);
    REQUIRE((*reader)->catch_up().ok());
    CHECK(chain_end(**reader).value().chain == late.chain);
    const auto report = verify_ledger(**reader);
    REQUIRE(report.ok());
    CHECK(report->problems.empty());
    CHECK(report->shares == 400);
    LedgerBatch batch;
    batch.put(Family::Meta, "x", "y");
    CHECK((*reader)->commit(batch, true).error().code == ErrorCode::Refused);
    // Flushes, deletes and a closed writer do not disturb it.
    REQUIRE(store->flush().ok());
    LedgerBatch expire;
    expire.deletes.push_back({Family::Shares, key_u64(0), key_u64(101)});
    REQUIRE(store->commit(expire, true).ok());
    REQUIRE(store->flush().ok());
    store.reset();
    CHECK(verify_ledger(**reader).value().shares == 400);
    REQUIRE((*reader)->catch_up().ok());
    CHECK(chain_end(**reader).value().chain == late.chain);
  }
  CHECK(temporary.readers() == 0);
  auto alone = RocksStore::open_reader(dir.at("db"));
  REQUIRE(alone.ok());
  CHECK(verify_ledger(**alone).value().shares == 300);
}

TEST_CASE("store: what cannot be opened says why") {
  Scratch dir;
  adit::test::spill(dir.at("file"), "x");
  const auto file = RocksStore::open(dir.at("file"));
  REQUIRE_FALSE(file.ok());
  CHECK(file.error().text.find(dir.at("file")) != std::string::npos);
  { must_open(dir.at("db")); }
  adit::test::spill(dir.at("db/CURRENT"), "MANIFEST-999999\n");
  const auto broken = RocksStore::open(dir.at("db"));
  REQUIRE_FALSE(broken.ok());
  CHECK(broken.error().text.find("RocksDB") != std::string::npos);
  CHECK_FALSE(RocksStore::open_reader(dir.at("db")).ok());
}

TEST_CASE("damage: a flipped byte anywhere is noticed, or was of no account") {
  Scratch dir;
  HighWater mark;
  {
    auto store = must_open(dir.at("db"));
    write_shares(*store, 20, 1);
    REQUIRE(store->flush().ok());
    mark = write_shares(*store, 20, 2);
  }
  ShareMaker random(3);
  int noticed = 0;
  for (int round = 0; round < 30; ++round) {
    const std::string copy = dir.at("copy");
    std::filesystem::remove_all(copy);
    std::filesystem::copy(dir.at("db"), copy, std::filesystem::copy_options::recursive);
    std::vector<std::string> files;
    for (const auto& e : std::filesystem::directory_iterator(copy)) {
      const std::string name = e.path().filename();
      const bool counts =
          name.ends_with(".sst") || name.ends_with(".log") || name.starts_with("MANIFEST");
      if (counts && e.file_size() > 0) files.push_back(e.path());
    }
    std::sort(files.begin(), files.end());
    const std::string& file = files[random.below(files.size())];
    std::string bytes = adit::test::slurp(file);
    const std::size_t at = random.below(bytes.size());
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
    adit::test::spill(file, bytes);
    auto store = RocksStore::open(copy);
    if (!store) {
      ++noticed;
      continue;
    }
    const auto report = verify_ledger(**store);
    const auto ledger = Ledger::open(**store, regtest(), mark);
    INFO(file, " at ", at);
    if (!report || !report->problems.empty() || !ledger)
      ++noticed;
    else
      CHECK(report->last == mark.sequence);
  }
  CHECK(noticed > 5);
}

TEST_CASE("damage: a log torn by a power loss is read up to there") {
  Scratch dir;
  {
    auto store = must_open(dir.at("db"));
    LedgerBatch safe, torn;
    safe.put(Family::Workers, "a", "safe");
    torn.put(Family::Workers, "b", std::string(3'000, 'x'));
    REQUIRE(store->commit(safe, true).ok());
    REQUIRE(store->commit(torn, false).ok());
    std::filesystem::copy(dir.at("db"), dir.at("copy"), std::filesystem::copy_options::recursive);
  }
  for (const auto& e : std::filesystem::directory_iterator(dir.at("copy"))) {
    std::string bytes = adit::test::slurp(e.path());
    const std::size_t at = bytes.find("xxxx");
    if (e.path().extension() != ".log" || at == std::string::npos) continue;
    bytes.replace(at + 500, 512, 512, '\0');  // a sector that was not written
    adit::test::spill(e.path(), bytes);
  }
  CHECK(RocksStore::open_reader(dir.at("copy")).error().code == ErrorCode::Corrupt);
  auto reader = RocksStore::open_reader(dir.at("copy"), true);
  REQUIRE(reader.ok());
  CHECK(keys_of(**reader, Family::Workers, "") == "a ");
  reader->reset();
  auto store = must_open(dir.at("copy"));
  CHECK(keys_of(*store, Family::Workers, "") == "a ");
}

TEST_CASE("damage: an old copy of the database is refused by the mark") {
  Scratch dir;
  HighWater mark;
  {
    auto store = must_open(dir.at("db"));
    write_shares(*store, 5, 1);
  }
  std::filesystem::copy(dir.at("db"), dir.at("old"), std::filesystem::copy_options::recursive);
  {
    auto store = must_open(dir.at("db"));
    mark = write_shares(*store, 5, 2);
  }
  auto store = must_open(dir.at("old"));
  const auto ledger = Ledger::open(*store, regtest(), mark);
  REQUIRE_FALSE(ledger.ok());
  CHECK(ledger.error().code == ErrorCode::Conflict);
}
