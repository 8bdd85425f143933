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
#include "adit/bitcoin/address.h"
#include "adit/ledger/ledger.h"
#include "adit/payout/treasury.h"
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
  std::string value(148 + batch * 41, '\0');  // a share run's size
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

constexpr std::uint32_t kAccounts = 10'000;

Script script_of(std::uint32_t member) {
  Script script = {0x00, 0x14};
  script.resize(22, 7);
  store_le(script.data() + 2, member);
  return script;
}

void must(const Status& s) {
  if (!s) fmt::print("{}\n", s.error().text);
  ADIT_CHECK(s.ok());
}

/// Books as a pool of 10,000 accounts leaves them: slices with everybody in it, `kept` share
/// records, all on one tip (the worst for a start: each hash must be known again); the half of the
/// log before them has expired. The window needs all slices.
void fill(LedgerStore& store, std::size_t kept) {
  LedgerOptions options;
  options.sync = false;
  auto ledger = Ledger::open(store, options, std::nullopt);
  ADIT_CHECK(ledger.ok());
  NetworkFacts facts = test::kSampleNetwork;
  facts.work = kept * test::kSampleWork.value();
  ledger->set_network(facts);
  std::vector<LedgerWorkerId> workers;
  for (std::uint32_t m = 1; m <= kAccounts; ++m)
    workers.push_back(ledger->worker_id(*address_of(script_of(m), Network::Main), "rig"));
  ShareMaker maker(11);
  std::vector<DoorVerdict> verdicts;
  Sequence first;
  constexpr std::size_t kBatch = 500;
  std::vector<ShareCandidate> batch;
  const auto time_of = [](std::size_t booked) {
    return UnixMillis(1'700'000'000'000 + static_cast<std::int64_t>(booked / kAccounts) * 60'000);
  };
  // The last slice stays open.
  for (std::size_t booked = 0; booked < 2 * kept + kAccounts; booked += kBatch) {
    batch.clear();
    for (std::size_t i = 0; i < kBatch; ++i)
      batch.push_back(maker.share(workers[(booked + i) % kAccounts], booked < kept ? 1 : 2));
    must(ledger->append(batch, time_of(booked), verdicts, first));
    (void)ledger->take_closed_slices();
  }
  must(ledger->close(time_of(2 * kept + kAccounts)));
  must(ledger->expire_shares(time_of(kept)));
}

/// The books and the money, as a pool opens them; on a disk whose pages the system may still hold.
void start(LedgerStore& store, std::string_view terms) {
  const long resident = resident_kib();
  const Spent begin = spent();
  auto ledger = Ledger::open(store, {}, std::nullopt);
  ADIT_CHECK(ledger.ok());
  const Spent books = spent() - begin;
  TreasuryOptions options;
  options.terms = *PayoutTerms::parse(terms);
  options.pool_script = script_of(kAccounts + 1);
  auto treasury = Treasury::open(*ledger, options, UnixMillis(1'800'000'000'000));
  ADIT_CHECK(treasury.ok());
  const Spent all = spent() - begin;
  ADIT_CHECK(treasury->plan()->accounts.size() == kAccounts);
  fmt::print(
      "start, {} slices of {} accounts, \"{}\": {:.2f} s ({:.2f} s CPU; books {:.2f} s, money "
      "{:.2f} s), {} MiB resident more\n",
      ledger->last_slice().value(), kAccounts, terms, all.wall, all.cpu, books.wall,
      all.wall - books.wall, (resident_kib() - resident) / 1024);
}

void start_and_verify(const std::string& folder, std::size_t records) {
  {
    auto store = RocksStore::open(folder);
    ADIT_CHECK(store.ok());
    fill(**store, records);
  }
  auto store = RocksStore::open(folder);
  ADIT_CHECK(store.ok());
  start(**store, "pplns factor=2 fee=150 way=coinbase threshold=1048576 weight=8000");
  start(**store, "pplns factor=2 fee=150 way=coinbase threshold=1048576 weight=8000");
  start(**store, "pplns factor=2 fee=200 way=coinbase threshold=1048576 weight=8000");
  const Spent begin = spent();
  const auto report = verify_ledger(**store);
  ADIT_CHECK(report.ok() && report->problems.empty());
  const Spent cost = spent() - begin;
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
