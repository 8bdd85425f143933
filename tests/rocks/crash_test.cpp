// SPDX-License-Identifier: MIT
// K01 and K05 in small: a child that books and acknowledges is killed at random; a disk that fills
// up.
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include "adit/ledger/ledger.h"
#include "rocks/block_vault.h"
#include "rocks/high_water_file.h"
#include "rocks/rocks_store.h"
#include "scratch.h"
#include "support/ledger_samples.h"

using namespace adit;
using adit::test::Scratch;
using adit::test::ShareMaker;

namespace {

LedgerOptions regtest() {
  LedgerOptions options;
  options.network = Network::Regtest;
  return options;
}

struct Acknowledged {
  std::uint64_t sequence = 0;
  std::uint64_t hash_start = 0;  ///< first eight bytes of that share's hash
};

/// Reads acknowledgements until `count` came or the writer is gone; returns the last whole one.
std::size_t read_acknowledged(int in, std::size_t count, std::vector<Acknowledged>& out) {
  std::size_t got = 0;
  Acknowledged a;
  while (got < count && ::read(in, &a, sizeof a) == static_cast<ssize_t>(sizeof a)) {
    out.push_back(a);
    ++got;
  }
  return got;
}

}  // namespace

TEST_CASE("child: books until it is killed" * doctest::skip()) {
  const std::string folder = adit::test::child_folder();
  if (folder.empty()) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const HighWaterFile file(folder);
  const auto mark = file.read();
  REQUIRE(mark.ok());
  auto store = RocksStore::open(folder + "/ledger");
  REQUIRE(store.ok());
  auto ledger = Ledger::open(**store, regtest(), *mark);
  REQUIRE(ledger.ok());
  ShareMaker maker(ledger->boot());
  std::vector<DoorVerdict> verdicts;
  Sequence first;
  for (int n = 0;; ++n) {
    std::vector<ShareCandidate> shares;
    for (std::uint64_t i = 0; i <= maker.below(30); ++i)
      shares.push_back(maker.share(ledger->worker_id("a", std::to_string(maker.below(40)))));
    const UnixMillis now(1'700'000'000'000 + std::int64_t{ledger->boot()} * 60'000 + n * 500);
    REQUIRE(ledger->append(shares, now, verdicts, first).ok());
    const Acknowledged a{ledger->last_sequence().value(),
                         load_le<std::uint64_t>(shares.back().hash.bytes.data())};
    REQUIRE(::write(3, &a, sizeof a) == static_cast<ssize_t>(sizeof a));
    if (n % 5 == 4) REQUIRE(file.write(ledger->high_water()).ok());
  }
}

TEST_CASE("kill -9: no acknowledged share is lost, in any of twenty lives") {
  Scratch dir;
  ShareMaker random(11);
  std::vector<Acknowledged> acknowledged;
  for (int life = 0; life < 20; ++life) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const pid_t child =
        adit::test::start_child("child: books until it is killed", dir.path(), ends[1]);
    REQUIRE(child > 0);
    ::close(ends[1]);
    // After a random number of acknowledgements, then at a random moment of the next commits.
    const std::size_t wanted = random.below(12);
    CHECK(read_acknowledged(ends[0], wanted, acknowledged) == wanted);
    ::usleep(static_cast<useconds_t>(random.below(15'000)));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    read_acknowledged(ends[0], ~std::size_t{0}, acknowledged);
    ::close(ends[0]);
  }
  REQUIRE(acknowledged.size() > 20);
  const auto mark = HighWaterFile(dir.path()).read();
  REQUIRE(mark.ok());
  auto store = RocksStore::open(dir.at("ledger"));
  REQUIRE(store.ok());
  const auto report = verify_ledger(**store);
  REQUIRE(report.ok());
  CHECK(report->problems.empty());
  std::size_t next = 0;
  REQUIRE(for_each_share(**store, Sequence(1), [&](const ShareRecord& r) {
            if (next < acknowledged.size() && r.sequence.value() == acknowledged[next].sequence) {
              CHECK(load_le<std::uint64_t>(r.hash.bytes.data()) == acknowledged[next].hash_start);
              ++next;
            }
            return true;
          }).ok());
  CHECK(next == acknowledged.size());
  const auto ledger = Ledger::open(**store, regtest(), *mark);
  REQUIRE(ledger.ok());
}

/// Until not a page is left.
void fill(const std::string& filler) {
  const int fd = ::open(filler.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  REQUIRE(fd >= 0);
  for (const std::size_t size : {65536u, 4096u, 1u}) {
    const std::string piece(size, 'x');
    while (::write(fd, piece.data(), piece.size()) > 0) {
    }
  }
  ::close(fd);
}

/// As many as there are reserves, though each leaves what it does not need to the neighbour; one
/// more is refused. With room again there are reserves again.
void keep_blocks_on_a_full_disk(BlockVault& vault, const std::string& filler,
                                std::uint32_t height) {
  const ByteVec bytes(3'900'000, 0x5A);
  std::vector<BlockRecord> records(3);
  for (std::size_t i = 0; i < records.size(); ++i) {
    records[i].height = height + static_cast<std::uint32_t>(i);
    records[i].hash = ShareMaker::tip(records[i].height);
    fill(filler);
    CHECK(vault.reserves_are_whole() == (i == 0));
    const Status kept = vault.keep(records[i], bytes);
    INFO((kept ? "" : kept.error().text));
    CHECK(kept.ok() == (i < 2));
    if (!kept) CHECK(kept.error().code == ErrorCode::Limit);
    if (!kept) CHECK(kept.error().text.ends_with("no reserve is left"));
  }
  vault.refill();
  CHECK_FALSE(vault.reserves_are_whole());
  const auto listed = vault.list();
  REQUIRE(listed.ok());
  REQUIRE(listed->size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK((*listed)[i].record.hash == records[i].hash);
    CHECK((*listed)[i].bytes == bytes);
  }
  std::filesystem::remove(filler);
  vault.refill();
  CHECK(vault.reserves_are_whole());
  for (const BlockRecord& record : records) CHECK(vault.settle(record).ok());
}

TEST_CASE("child: fills a small disk" * doctest::skip()) {
  const std::string folder = adit::test::child_folder();
  if (folder.empty()) return;
  if (::unshare(CLONE_NEWNS) != 0 ||
      ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=80m") != 0)
    ::_exit(77);
  auto vault = BlockVault::open(folder + "/blocks");
  REQUIRE(vault.ok());
  std::uint64_t acknowledged = 0;
  for (int cycle = 0; cycle < 3; ++cycle) {
    const std::string filler = folder + "/filler";
    {
      auto store = RocksStore::open(folder + "/ledger");
      REQUIRE(store.ok());
      auto ledger = Ledger::open(**store, regtest(), std::nullopt);
      REQUIRE(ledger.ok());
      CHECK(ledger->last_sequence().value() >= acknowledged);
      ShareMaker maker(100 + static_cast<std::uint64_t>(cycle));
      std::vector<DoorVerdict> verdicts;
      Sequence first;
      for (int n = 0; !ledger->failed(); ++n) {
        REQUIRE(n < 5000);
        if (n == 20) {  // a neighbour takes all that is left
          fill(filler);
        }
        std::vector<ShareCandidate> shares;
        for (int i = 0; i < 100; ++i) shares.push_back(maker.share(ledger->worker_id("a", "b")));
        const Status s = ledger->append(shares, UnixMillis(n), verdicts, first);
        if (s)
          acknowledged = ledger->last_sequence().value();
        else
          CHECK(s.error().code == ErrorCode::Limit);
      }
      CHECK_FALSE(ledger->append({}, UnixMillis(0), verdicts, first).ok());
      keep_blocks_on_a_full_disk(*vault, filler, static_cast<std::uint32_t>(cycle) * 10);
      std::filesystem::remove_all(folder + "/blocks/done");
      std::filesystem::create_directory(folder + "/blocks/done");
    }
  }
  auto store = RocksStore::open(folder + "/ledger");
  REQUIRE(store.ok());
  const auto report = verify_ledger(**store);
  REQUIRE(report.ok());
  CHECK(report->problems.empty());
  CHECK(report->last.value() >= acknowledged);
}

TEST_CASE(
    "full disk: nothing acknowledged is lost, a block is kept, and it goes on when there is room") {
  Scratch dir;
  const pid_t child = adit::test::start_child("child: fills a small disk", dir.path());
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77)
    MESSAGE("skipped: mounting a tmpfs is not permitted here");
  else
    CHECK(WEXITSTATUS(status) == 0);
}
