// SPDX-License-Identifier: MIT
// docs/ledger.md against the code: families, offsets, fields, arrows.
#include <fstream>
#include <map>
#include <span>
#include <sstream>

#include "adit/ledger/share_proof.h"
#include "fixture.h"
#include "ledger/books.h"
#include "ledger/share_run.h"
#include "support/docs_tables.h"

using namespace adit;
using namespace adit::test;

TEST_CASE("docs: the families, in order") {
  const auto rows = table_after("## Column families");
  REQUIRE(rows.size() == kFamilies);
  for (std::size_t i = 0; i < kFamilies; ++i)
    CHECK(bare(rows[i][0]) == family_name(static_cast<Family>(i)));
}

TEST_CASE("docs: each field of the share record stands where the table says") {
  std::array<std::uint8_t, ShareRecord::kSize> zero{};
  ShareRecord().encode(zero.data());
  std::map<std::string, ShareRecord> samples;
  samples["flags"].is_block = true;
  samples["height"].height = ~0u;
  samples["sequence"].sequence = Sequence(~0ull);
  samples["time"].time = UnixMillis(-1);
  samples["account"].account = AccountId(~0u);
  samples["worker"].worker = LedgerWorkerId(~0u);
  samples["hash"].hash.bytes.fill(0xFF);
  samples["tip"].tip.bytes.fill(0xFF);
  samples["work"].work = Work(~Uint128{0});
  std::size_t end = 0;
  for (const Row& row : table_after("A record:")) {
    const std::size_t offset = std::stoul(row[0]), size = std::stoul(row[1]);
    INFO(row[2]);
    CHECK(offset == end);
    end = offset + size;
    if (row[2] == "version") CHECK(zero[offset] == ShareRecord::kVersion);
    if (row[2] == "hash") CHECK(offset == ShareRun::kHashInRecord);
    if (row[2] == "version" || row[2] == "reserved") continue;
    REQUIRE(samples.count(row[2]) == 1);
    std::array<std::uint8_t, ShareRecord::kSize> bytes{};
    samples[row[2]].encode(bytes.data());
    for (std::size_t i = 0; i < bytes.size(); ++i)
      CHECK((bytes[i] != zero[i]) == (i >= offset && i < offset + size));
    samples.erase(row[2]);
  }
  CHECK(end == ShareRecord::kSize);
  CHECK(samples.empty());
}

TEST_CASE("docs: the parts of a run and of its entries") {
  const auto rows = table_after("## shares");
  REQUIRE(rows.size() == 7);
  CHECK(rows[0][2].find(std::to_string(ShareRun::kVersion)) != std::string::npos);
  CHECK(rows[3][0] == std::to_string(ShareRun::kHeaderSize));
  CHECK(rows[4][0] == std::to_string(ShareRun::kSequenceAt));
  CHECK(rows[5][0] == std::to_string(ShareRun::kEntriesAt));
  CHECK(rows[2][2].find(std::to_string(ShareRun::kMaxRecords)) != std::string::npos);
  CHECK(ShareRun::kOverhead == ShareRun::kEntriesAt + std::stoul(rows[6][1]));
  // Of the entry: which bit says that a field is there, and how long all of them are.
  const std::map<std::string, std::uint8_t> bits = {
      {"time", ShareEntry::kTime},     {"height", ShareEntry::kTip},
      {"tip", ShareEntry::kTip},       {"account", ShareEntry::kWorker},
      {"worker", ShareEntry::kWorker}, {"work", ShareEntry::kWork}};
  std::size_t most = 0, fields = 0;
  for (const Row& row : table_after("An entry of a run:")) {
    INFO(row[1]);
    most += std::stoul(row[0]);
    const auto bit = bits.find(row[1]);
    if (bit == bits.end()) continue;
    ++fields;
    const unsigned long number = std::stoul(row[2].substr(4));  // "bit N"
    CHECK((1u << number) == bit->second);
  }
  CHECK(fields == bits.size());
  CHECK(most == ShareEntry::kMost);
}

TEST_CASE("docs: each field of the slice record stands where the table says") {
  const ByteVec zero = SliceRecord().header();
  std::map<std::string, SliceRecord> samples;
  samples["number"].number = SliceNumber(~0ull);
  samples["first"].first = Sequence(~0ull);
  samples["last"].last = Sequence(~0ull);
  samples["opened"].opened = UnixMillis(-1);
  samples["closed"].closed = UnixMillis(-1);
  samples["network work"].network.work = ~Uint128{0};
  samples["subsidy"].network.subsidy = Satoshi(-1);
  samples["mean fees"].network.mean_fees = Satoshi(-1);
  samples["block"].block.bytes.fill(0xFF);
  samples["chain"].chain.fill(0xFF);
  samples["root"].root.fill(0xFF);
  samples["previous"].previous.fill(0xFF);
  const auto rows = table_after("## slices");
  REQUIRE(rows.size() == 17);
  std::size_t end = 0;
  for (const Row& row : std::span(rows).first(15)) {
    const std::size_t offset = std::stoul(row[0]), size = std::stoul(row[1]);
    INFO(row[2]);
    CHECK(offset == end);
    end = offset + size;
    if (row[2] == "version") CHECK(zero[offset] == SliceRecord::kVersion);
    if (row[2] == "version" || row[2] == "reserved" || row[2] == "entries") continue;
    REQUIRE(samples.count(row[2]) == 1);
    const ByteVec bytes = samples[row[2]].header();
    for (std::size_t i = 0; i < bytes.size(); ++i)
      CHECK((bytes[i] != zero[i]) == (i >= offset && i < offset + size));
    samples.erase(row[2]);
  }
  CHECK(end == SliceRecord::kHeaderSize);
  CHECK(samples.empty());
  CHECK(rows[15][0] == std::to_string(end));
  CHECK(rows[16][1] == "32");
  // The example of packed work, and the number of entries at its offset.
  SliceRecord record;
  record.slice = Slice({{AccountId(5), 300}, {AccountId(8), 7}});
  CHECK(to_hex(record.slice.packed()) == "05ac020307");
  CHECK(load_le<std::uint32_t>(record.header().data() + 4) == 2);
  CHECK(record.encode().size() == SliceRecord::kHeaderSize + 5 + 32);
}

TEST_CASE("docs: the fields of an inclusion proof") {
  Pool pool;
  REQUIRE(pool.append(pool.batch(3)).ok());
  REQUIRE(pool.ledger->close_due_slice(UnixMillis(pool.now.value() + 60'000)).ok());
  const auto proof = make_share_proof(pool.store, Sequence(2));
  REQUIRE(proof.ok());
  CHECK(fields_of(*proof) == first_column(table_after("### Inclusion proofs")));
}

TEST_CASE("docs: what is on disk has the fields of the tables") {
  Pool pool;
  REQUIRE(pool.append(pool.batch(3)).ok());
  REQUIRE(pool.ledger->put_block(BlockRecord()).value());
  REQUIRE(pool.ledger->close_due_slice(UnixMillis(pool.now.value() + 60'000)).ok());
  LedgerBatch money;
  REQUIRE(pool.ledger->write(money).ok());
  REQUIRE(pool.ledger->close(pool.now).ok());
  const auto value = [&](Family family) { return pool.store.rows(family).begin()->second; };
  CHECK(fields_of(value(Family::Accounts)) == first_column(table_after("`accounts`:")));
  CHECK(fields_of(value(Family::Workers)) == first_column(table_after("`workers`:")));
  CHECK(fields_of(value(Family::Blocks)) == first_column(table_after("`blocks`:")));
  std::vector<std::string> meta = first_column(table_after("## meta"));
  std::erase(meta, "rocksdb");  // the store writes that one
  std::sort(meta.begin(), meta.end());
  std::vector<std::string> stored;
  for (const auto& [key, text] : pool.store.rows(Family::Meta)) stored.push_back(key);
  CHECK(stored == meta);
}

TEST_CASE("docs: the arrows of blocks") {
  const auto rows = table_after("States move");
  CHECK(rows.size() == 7);
  for (const Row& row : rows) {
    const auto from = block_state_from(bare(row[0]));
    REQUIRE(from);
    const std::string targets = row.size() > 1 ? ", " + bare(row[1]) + "," : "";
    for (const Row& other : rows) {
      const std::string name = bare(other[0]);
      INFO(row[0], " -> ", name);
      const bool listed = targets.find(", " + name + ",") != std::string::npos;
      CHECK(listed == block_may_move(*from, *block_state_from(name)));
    }
  }
}
