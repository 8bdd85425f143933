// SPDX-License-Identifier: MIT
// What a share costs the ledger: processor time per append by batch size (with sync, on a real
// disk), its parts, the speed of verify and of a start with many records, and memory. Arguments: a
// folder on that disk, shares per batch size, records for verify and start.
#include <fmt/format.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <filesystem>
#include <string>

#include "adit/base/check.h"
#include "adit/ledger/ledger.h"
#include "ledger/proof.h"
#include "rocks/rocks_store.h"
#include "support/ledger_samples.h"

using namespace adit;
using adit::test::ShareMaker;

namespace {

constexpr std::uint32_t kWorkers = 100;

struct Spent {
  double wall, cpu, thread;
};
double seconds(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}
Spent spent() {
  return {seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID),
          seconds(CLOCK_THREAD_CPUTIME_ID)};
}
Spent operator-(Spent a, Spent b) { return {a.wall - b.wall, a.cpu - b.cpu, a.thread - b.thread}; }

long resident_kib() {
  long pages = 0, ignored = 0;
  std::FILE* f = std::fopen("/proc/self/statm", "r");
  if (f == nullptr) return 0;
  const int got = std::fscanf(f, "%ld %ld", &ignored, &pages);
  std::fclose(f);
  return got == 2 ? pages * (sysconf(_SC_PAGESIZE) / 1024) : 0;
}

/// A store that takes batches and keeps nothing: what is left is the ledger's own cost.
class NoStore : public LedgerStore {
 public:
  Status commit(const LedgerBatch&, bool) override { return {}; }
  Result<std::optional<std::string>> get(Family, std::string_view) override {
    return std::optional<std::string>();
  }
  Status scan(Family, std::string_view,
              const std::function<bool(std::string_view, std::string_view)>&) override {
    return {};
  }
  Status scan_back(Family,
                   const std::function<bool(std::string_view, std::string_view)>&) override {
    return {};
  }
};

std::vector<LedgerWorkerId> make_workers(Ledger& ledger) {
  std::vector<LedgerWorkerId> ids;
  for (std::uint32_t i = 0; i < kWorkers; ++i)
    ids.push_back(
        ledger.worker_id("bc1qaccount" + std::to_string(i % 40), "rig" + std::to_string(i)));
  return ids;
}

void append_shares(const char* name, LedgerStore& store, std::size_t total, std::size_t batch) {
  auto ledger = Ledger::open(store, {}, std::nullopt);
  ADIT_CHECK(ledger.ok());
  ledger->set_network(test::kSampleNetwork);
  const auto workers = make_workers(*ledger);
  ShareMaker maker(ledger->last_sequence().value() + batch);
  std::vector<ShareCandidate> all;
  for (std::size_t i = 0; i < total; ++i)
    all.push_back(maker.share(workers[maker.below(kWorkers)], static_cast<std::uint32_t>(batch)));
  std::vector<DoorVerdict> verdicts;
  Sequence first;
  const Spent before = spent();
  for (std::size_t i = 0; i + batch <= total; i += batch) {
    const UnixMillis now(1'700'000'000'000 + static_cast<std::int64_t>(i / batch) * 5);
    ADIT_CHECK(ledger->append(std::span(all).subspan(i, batch), now, verdicts, first).ok());
    ADIT_CHECK(verdicts.back() == DoorVerdict::Durable);
  }
  const Spent cost = spent() - before;
  const double n = static_cast<double>(total / batch * batch);
  fmt::print(
      "{:<14} batch {:>4}: {:8.3f} us CPU a share ({:.3f} in the caller), {:9.0f} shares/s, {:.2f} "
      "ms a batch\n",
      name, batch, cost.cpu / n * 1e6, cost.thread / n * 1e6, n / cost.wall,
      cost.wall / n * static_cast<double>(batch) * 1e3);
}

/// One value of a run's size per commit: the least that RocksDB could take.
void floor_of(LedgerStore& store, std::size_t total, std::size_t batch) {
  std::string value(72 + batch * 112, '\0');
  ShareMaker maker(7);
  for (char& c : value) c = static_cast<char>(maker.number());
  const Spent before = spent();
  for (std::size_t i = 0; i + batch <= total; i += batch) {
    LedgerBatch b;
    b.put(Family::Stats, key_u64(i), value);
    ADIT_CHECK(store.commit(b, true).ok());
  }
  const Spent cost = spent() - before;
  const double n = static_cast<double>(total / batch * batch);
  fmt::print("{:<14} batch {:>4}: {:8.3f} us CPU a share ({:.3f} in the caller)\n", "RocksDB floor",
             batch, cost.cpu / n * 1e6, cost.thread / n * 1e6);
}

template <class F>
void part(const char* name, std::size_t count, F&& f) {
  const Spent before = spent();
  for (std::size_t i = 0; i < count; ++i) f(i);
  fmt::print("  {:<32} {:7.1f} ns\n", name,
             (spent() - before).cpu / static_cast<double>(count) * 1e9);
}

void parts() {
  constexpr std::size_t kCount = 400'000;
  ShareMaker maker(3);
  std::vector<ShareCandidate> shares;
  for (std::size_t i = 0; i < kCount; ++i) shares.push_back(maker.share(LedgerWorkerId(1)));
  std::uint64_t sum = 0;
  DuplicateFilter filter(shares.size());
  std::uint8_t bytes[ShareRecord::kSize] = {};
  Digest chain{};
  fmt::print("parts of an append, a share:\n");
  part("proof, without division", kCount,
       [&](std::size_t i) { sum += proves(shares[i].hash, shares[i].work); });
  part("proof, Work::proved_by", kCount,
       [&](std::size_t i) { sum += Work::proved_by(shares[i].hash) >= shares[i].work; });
  part("duplicate filter", kCount, [&](std::size_t i) {
    sum += filter.insert(shares[i].tip, shares[i].hash) == HashSet::Insert::Added;
  });
  part("encode", kCount, [&](std::size_t i) {
    ShareRecord r;
    r.hash = shares[i].hash, r.tip = shares[i].tip, r.work = shares[i].work;
    r.encode(bytes);
    sum += bytes[40];
  });
  part("chain", kCount, [&](std::size_t) { chain = chain_next(chain, bytes); });
  ShareTree tree;
  part("slice's tree", kCount, [&](std::size_t) { tree.add(chain); });
  ADIT_CHECK(sum + chain[0] != 1);
}

/// Books of `count` shares as a busy pool leaves them: batches of 500, 27,000 shares a second, a
/// new tip every ten minutes, a slice a minute.
void fill(LedgerStore& store, std::size_t count) {
  LedgerOptions options;
  options.sync = false;
  auto ledger = Ledger::open(store, options, std::nullopt);
  ADIT_CHECK(ledger.ok());
  ledger->set_network(test::kSampleNetwork);
  const auto workers = make_workers(*ledger);
  ShareMaker maker(11);
  std::vector<DoorVerdict> verdicts;
  Sequence first;
  constexpr std::size_t kBatch = 500, kSharesASecond = 27'000;
  std::vector<ShareCandidate> batch;
  for (std::size_t booked = 0; booked < count; booked += kBatch) {
    batch.clear();
    const std::size_t second = booked / kSharesASecond;
    for (std::size_t i = 0; i < kBatch; ++i)
      batch.push_back(
          maker.share(workers[maker.below(kWorkers)], static_cast<std::uint32_t>(second / 600)));
    const UnixMillis now(1'700'000'000'000 + static_cast<std::int64_t>(booked) * 1000 /
                                                 static_cast<std::int64_t>(kSharesASecond));
    ADIT_CHECK(ledger->append(batch, now, verdicts, first).ok());
    (void)ledger->take_closed_slices();
  }
  ADIT_CHECK(ledger->sync().ok());
}

/// A start, and verify, on a disk's books whose pages the system may still hold.
void start_and_verify(const std::string& folder, std::size_t records) {
  {
    auto store = RocksStore::open(folder);
    ADIT_CHECK(store.ok());
    fill(**store, records);
  }
  auto store = RocksStore::open(folder);
  ADIT_CHECK(store.ok());
  Spent start = spent();
  {
    auto ledger = Ledger::open(**store, {}, std::nullopt);
    ADIT_CHECK(ledger.ok());
    const Spent cost = spent() - start;
    fmt::print("start with {} share records, {} slices: {:.2f} s ({:.2f} s CPU), {} MiB resident\n",
               ledger->last_sequence().value(), ledger->last_slice().value(), cost.wall, cost.cpu,
               resident_kib() / 1024);
  }
  start = spent();
  const auto report = verify_ledger(**store);
  ADIT_CHECK(report.ok() && report->problems.empty());
  const Spent cost = spent() - start;
  const double million = static_cast<double>(report->shares) / 1e6;
  fmt::print(
      "verify of {} shares in {} slices: {:.2f} million shares/s ({:.2f} a second of CPU), {} MiB "
      "resident\n",
      report->shares, report->slices, million / cost.wall, million / cost.cpu,
      resident_kib() / 1024);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string folder = std::string(argc > 1 ? argv[1] : ".") + "/ledger-bench.db";
  std::size_t total = 200'000, records = 10'000'000;
  if (argc > 2) std::from_chars(argv[2], argv[2] + std::strlen(argv[2]), total);
  if (argc > 3) std::from_chars(argv[3], argv[3] + std::strlen(argv[3]), records);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  parts();
  NoStore nothing;
  for (const std::size_t batch : {1, 10, 100, 500})
    append_shares("no store", nothing, total, batch);
  const long before = resident_kib();
  {
    auto store = RocksStore::open(folder);
    ADIT_CHECK(store.ok());
    fmt::print("RocksDB open and idle: {} KiB resident more than before ({})\n",
               resident_kib() - before, before);
    for (const std::size_t batch : {1, 10, 100, 500}) {
      floor_of(**store, batch == 1 ? total / 20 : total, batch);
      append_shares("ledger, sync", **store, batch == 1 ? total / 20 : total, batch);
    }
    fmt::print("resident after the appends: {} KiB\n", resident_kib());
  }
  std::filesystem::remove_all(folder, ignored);
  start_and_verify(folder, records);
  std::filesystem::remove_all(folder, ignored);
  return 0;
}
