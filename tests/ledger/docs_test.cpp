// SPDX-License-Identifier: MIT
// docs/ledger.md against the code: families, offsets, fields, arrows.
#include <fstream>
#include <map>
#include <sstream>

#include "fixture.h"
#include "ledger/books.h"
#include "ledger/share_run.h"

using namespace adit;
using adit::test::Pool;

namespace {

using Row = std::vector<std::string>;

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(' ');
  return first == std::string::npos ? ""
                                    : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::string bare(std::string cell) {
  std::erase(cell, '`');
  return cell;
}

/// The rows of the first table after a line that starts with `heading`.
std::vector<Row> table_after(const std::string& heading) {
  const char* data = ::getenv("ADIT_TEST_DATA");
  REQUIRE(data != nullptr);
  std::ifstream in(std::string(data) + "/../docs/ledger.md");
  REQUIRE(in.good());
  std::vector<Row> rows;
  bool found = false;
  for (std::string line; std::getline(in, line);) {
    if (!found) {
      found = line.starts_with(heading);
      continue;
    }
    if (!line.starts_with("|")) {
      if (!rows.empty()) break;
      continue;
    }
    Row row;
    std::istringstream cells(line.substr(1));
    for (std::string cell; std::getline(cells, cell, '|');) row.push_back(trimmed(cell));
    rows.push_back(row);
  }
  REQUIRE(rows.size() > 2);
  rows.erase(rows.begin(), rows.begin() + 2);  // the head and the rule
  return rows;
}

/// The names of a flat JSON object's fields, in order; good enough for values without quotes.
std::vector<std::string> fields_of(const std::string& json) {
  std::vector<std::string> names;
  for (std::size_t at = 0; (at = json.find("\":", at)) != std::string::npos; ++at)
    names.push_back(json.substr(json.rfind('"', at - 1) + 1, at - json.rfind('"', at - 1) - 1));
  return names;
}

std::vector<std::string> first_column(const std::vector<Row>& rows) {
  std::vector<std::string> out;
  for (const Row& row : rows) out.push_back(bare(row[0]));
  return out;
}

}  // namespace

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

TEST_CASE("docs: the parts of a run") {
  const auto rows = table_after("## shares");
  REQUIRE(rows.size() == 6);
  CHECK(rows[3][0] == std::to_string(ShareRun::kHeaderSize));
  CHECK(rows[4][0] == std::to_string(ShareRun::kRecordsAt));
  CHECK(rows[4][1] == std::to_string(ShareRecord::kSize) + " × count");
  CHECK(rows[2][2].find(std::to_string(ShareRun::kMaxRecords)) != std::string::npos);
  CHECK(ShareRun::kOverhead == ShareRun::kRecordsAt + std::stoul(rows[5][1]));
}

TEST_CASE("docs: what is on disk has the fields of the tables") {
  Pool pool;
  REQUIRE(pool.append(pool.batch(3)).ok());
  REQUIRE(pool.ledger->put_block(BlockRecord()).value());
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
