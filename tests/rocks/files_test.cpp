// SPDX-License-Identifier: MIT
// Durable files, the block vault, the high-water mark, room on the disk.
#include <sys/stat.h>

#include <thread>

#include "rocks/block_vault.h"
#include "rocks/disk_space.h"
#include "rocks/durable_file.h"
#include "rocks/high_water_file.h"
#include "scratch.h"
#include "support/ledger_samples.h"

using namespace adit;
using adit::test::Scratch;
using adit::test::ShareMaker;
using adit::test::slurp;
using adit::test::spill;

namespace {

BlockRecord record(std::uint32_t height) {
  BlockRecord r;
  r.height = height;
  r.hash = ShareMaker::tip(height);
  r.prev = ShareMaker::tip(height - 1);
  r.found = UnixMillis(1'700'000'000'000);
  r.value = Satoshi(312'500'000);
  r.account = "bcrt1q\"x";
  r.worker = "rig\n1";
  r.plan_slice = height, r.plan_entry = 7, r.plan_weight = 1'240;
  r.pool_script = {0x51, 0x00};
  r.terms = "pplns factor=2 fee=0 way=coinbase threshold=546 weight=8000";
  return r;
}

std::string file_of(const BlockRecord& r) {
  return std::to_string(r.height) + "-" + r.hash.hex() + ".blk";
}

}  // namespace

TEST_CASE("durable files: replaced whole, errors name path and reason") {
  Scratch dir;
  const std::string path = dir.at("f");
  REQUIRE(write_durably(path, {bytes_of("one"), bytes_of(""), bytes_of("two")}).ok());
  CHECK(slurp(path) == "onetwo");
  REQUIRE(write_durably(path, {bytes_of("x")}).ok());
  CHECK(slurp(path) == "x");
  CHECK_FALSE(std::filesystem::exists(path + ".tmp"));
  const Status s = write_durably(dir.at("no/such/f"), {});
  REQUIRE_FALSE(s.ok());
  CHECK(s.error().text == dir.at("no/such/f.tmp") + ": cannot create: No such file or directory");
  CHECK(read_file(dir.at("none"), 10).value() == std::nullopt);
  CHECK(read_file(path, 1).value()->size() == 1);
  CHECK(read_file(path, 0).error().code == ErrorCode::Limit);
  CHECK(make_folder(dir.at("a/b/c")).ok());
  CHECK(make_folder(dir.at("a/b/c")).ok());
  CHECK_FALSE(make_folder(path).ok());
  CHECK_FALSE(make_folder(path + "/x").ok());
}

TEST_CASE("durable files: a reserve takes a file in its place") {
  Scratch dir;
  const std::string reserve = dir.at(".reserve"), path = dir.at("f");
  REQUIRE(make_reserve(reserve, 1 << 20).ok());
  struct stat s {};
  REQUIRE(::stat(reserve.c_str(), &s) == 0);
  CHECK(s.st_size == 1 << 20);
  CHECK(s.st_blocks * 512 >= 1 << 20);
  CHECK(write_into_reserve(path, reserve, {Bytes(ByteVec((1 << 20) + 1))}).error().code ==
        ErrorCode::Limit);
  REQUIRE(write_into_reserve(path, reserve, {bytes_of("head\n"), bytes_of("body")}).ok());
  CHECK(slurp(path) == "head\nbody");
  CHECK_FALSE(std::filesystem::exists(reserve));
  CHECK(write_into_reserve(path, reserve, {}).error().code == ErrorCode::NotFound);
}

TEST_CASE("vault: keeps, lists by height, settles; also over a restart") {
  Scratch dir;
  const ByteVec small(80, 1), large(3'999'000, 2);
  {
    auto vault = BlockVault::open(dir.at("blocks"));
    REQUIRE(vault.ok());
    CHECK(vault->list().value().empty());
    REQUIRE(vault->keep(record(1000), large).ok());
    REQUIRE(vault->keep(record(999), small).ok());
    REQUIRE(vault->keep(record(999), small).ok());
    REQUIRE(vault->keep(record(5), {}).ok());
  }
  auto vault = BlockVault::open(dir.at("blocks"));
  REQUIRE(vault.ok());
  const auto kept = vault->list();
  REQUIRE(kept.ok());
  REQUIRE(kept->size() == 3);
  CHECK((*kept)[1].record == record(999));
  CHECK((*kept)[1].bytes == small);
  CHECK((*kept)[2].record == record(1000));
  CHECK((*kept)[2].bytes == large);
  REQUIRE(vault->settle(record(999)).ok());
  REQUIRE(vault->settle(record(999)).ok());
  CHECK(vault->list().value().size() == 2);
  CHECK(std::filesystem::exists(dir.at("blocks/done/") + file_of(record(999))));
}

TEST_CASE("vault: of the settled blocks the highest stay, and nothing else is removed") {
  Scratch dir;
  auto vault = BlockVault::open(dir.at("blocks"), 1);
  REQUIRE(vault.ok());
  REQUIRE(vault->keep(record(7), ByteVec(80, 1)).ok());
  spill(dir.at("blocks/done/notes-of-mine"), "x");
  const auto is_done = [&](std::uint32_t height) {
    return std::filesystem::exists(dir.at("blocks/done/") + file_of(record(height)));
  };
  constexpr std::uint32_t kFirst = 95, kMore = 5, kAll = BlockVault::kDone + kMore;
  for (std::uint32_t height = kFirst; height < kFirst + kAll; ++height) {
    REQUIRE(vault->keep(record(height), ByteVec(80, 1)).ok());
    REQUIRE(vault->settle(record(height)).ok());
  }
  CHECK_FALSE(is_done(kFirst));
  CHECK_FALSE(is_done(kFirst + kMore - 1));
  CHECK(is_done(kFirst + kMore));
  CHECK(is_done(kFirst + kAll - 1));
  CHECK(std::filesystem::exists(dir.at("blocks/done/notes-of-mine")));
  CHECK(vault->list().value().size() == 1);
}

TEST_CASE("vault: the reserves are there from the start, a cut one is made whole") {
  Scratch dir;
  const auto size = [&](int n) {
    std::error_code error;
    const auto bytes =
        std::filesystem::file_size(dir.at("blocks/.reserve-") + std::to_string(n), error);
    return error ? 0 : static_cast<std::size_t>(bytes);
  };
  {
    auto vault = BlockVault::open(dir.at("blocks"), 2);
    REQUIRE(vault.ok());
    CHECK(vault->reserves_are_whole());
    CHECK(size(0) == BlockVault::kReserveBytes);
    CHECK(size(1) == BlockVault::kReserveBytes);
    CHECK(size(2) == 0);
    CHECK(vault->list().value().empty());
  }
  // As a crash leaves one that a block was written into.
  std::filesystem::resize_file(dir.at("blocks/.reserve-1"), 300);
  std::filesystem::remove(dir.at("blocks/.reserve-0"));
  auto vault = BlockVault::open(dir.at("blocks"), 2);
  REQUIRE(vault.ok());
  CHECK(size(0) == BlockVault::kReserveBytes);
  CHECK(size(1) == BlockVault::kReserveBytes);
}

TEST_CASE("vault: whatever stops a block's own file, a reserve takes it") {
  Scratch dir;
  auto vault = BlockVault::open(dir.at("blocks"), 2);
  REQUIRE(vault.ok());
  // Not a full disk: an error of another kind.
  std::filesystem::create_directory(dir.at("blocks/") + file_of(record(7)) + ".tmp");
  const Status kept = vault->keep(record(7), bytes_of("rawblock"));
  INFO((kept ? "" : kept.error().text));
  CHECK(kept.ok());
  CHECK_FALSE(vault->reserves_are_whole());
  const auto listed = vault->list();
  REQUIRE(listed.ok());
  REQUIRE(listed->size() == 1);
  CHECK(text_of(listed->front().bytes) == "rawblock");
  vault->refill();
  CHECK(vault->reserves_are_whole());
}

TEST_CASE("vault: a file's first line is JSON, the rest the raw block") {
  Scratch dir;
  auto vault = BlockVault::open(dir.at("blocks"));
  REQUIRE(vault->keep(record(7), bytes_of("rawblock")).ok());
  const std::string text = slurp(dir.at("blocks/") + file_of(record(7)));
  const std::size_t line = text.find('\n');
  CHECK(text.substr(line + 1) == "rawblock");
  CHECK(text.starts_with("{\"hash\":\"" + record(7).hash.hex() + "\",\"prev\":"));
  CHECK(text.substr(0, line).find("\"size\":8") != std::string::npos);
}

TEST_CASE("vault: every flipped bit and every cut is quarantined, the others stay") {
  Scratch dir;
  const std::string folder = dir.at("blocks");
  auto vault = BlockVault::open(folder);
  REQUIRE(vault->keep(record(7), bytes_of("rawblock")).ok());
  REQUIRE(vault->keep(record(8), bytes_of("other")).ok());
  const std::string path = folder + "/" + file_of(record(7)), whole = slurp(path);
  for (std::size_t i = 0; i < whole.size(); i += 3) {
    std::string bytes = whole;
    bytes[i] = static_cast<char>(bytes[i] ^ 4);
    if (i % 2 == 0) bytes.resize(i);
    spill(path, bytes);
    CHECK(vault->list().value().size() == 1);
    CHECK_FALSE(std::filesystem::exists(path));
    CHECK(slurp(path + ".bad") == bytes);
  }
  // A whole block under a wrong name, and one that was not finished.
  spill(folder + "/9-" + record(9).hash.hex() + ".blk", whole);
  spill(folder + "/10-x.blk.tmp", whole);
  CHECK(vault->list().value().size() == 1);
  CHECK_FALSE(std::filesystem::exists(folder + "/10-x.blk.tmp"));
}

TEST_CASE("vault: several threads at once") {
  Scratch dir;
  auto vault = BlockVault::open(dir.at("blocks"));
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < 4; ++t)
    threads.emplace_back([&vault, t] {
      for (std::uint32_t i = 0; i < 5; ++i)
        if (!vault->keep(record(i), bytes_of("same")) ||
            !vault->keep(record(100 * t + 100 + i), bytes_of("own")))
          std::abort();
    });
  for (auto& t : threads) t.join();
  CHECK(vault->list().value().size() == 25);
}

TEST_CASE("high-water file: there and back, replaced, broken") {
  Scratch dir;
  const HighWaterFile file(dir.path());
  CHECK(file.read().value() == std::nullopt);
  HighWater mark{Sequence(7), {}};
  mark.chain[31] = 9;
  REQUIRE(file.write(mark).ok());
  CHECK(file.read().value() == mark);
  mark.sequence = Sequence(~0ull);
  REQUIRE(file.write(mark).ok());
  CHECK(file.read().value() == mark);
  for (const std::string& bad :
       {std::string(), std::string("7"), slurp(dir.at("high_water")).substr(1, 30)}) {
    spill(dir.at("high_water"), bad);
    CHECK(file.read().error().code == ErrorCode::Corrupt);
  }
  CHECK_FALSE(HighWaterFile(dir.at("none")).write(mark).ok());
}

TEST_CASE("disk space: of this disk, and of nowhere") {
  Scratch dir;
  const DiskSpace space = disk_space(dir.path());
  CHECK(space.total_bytes > 0);
  CHECK(space.free_bytes <= space.total_bytes);
  CHECK(disk_free_fraction(dir.path()) > 0);
  CHECK(disk_free_fraction(dir.path()) <= 1);
  CHECK(disk_space("/no/such/place").total_bytes == 0);
  CHECK(disk_free_fraction("/no/such/place") == 1);
}
