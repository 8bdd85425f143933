// SPDX-License-Identifier: MIT
// Books: who is credited. Names and totals of accounts and workers, in memory; totals reach the
// disk later than the shares they count (each record says through which sequence it counts), and
// are made whole again at open by replaying the runs after meta "totals_through". Why: writing 100
// totals with each batch of 100 shares would triple its cost. Thread: the ledger writer's.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "adit/ledger/reader.h"
#include "adit/ledger/records.h"
#include "adit/ledger/store.h"

namespace adit {

/// No id on disk is larger: a wild key must not allocate the world.
inline constexpr std::uint32_t kMaxBookId = 10'000'000;

/// Sums of one account or worker. `through` is what its record on disk counts to.
struct Tally {
  std::uint64_t shares = 0;
  Work work;
  Sequence through;
  bool written = false;  ///< has a record on disk
  bool dirty = false;    ///< has shares that its record does not count

  void add(Work more) {
    ++shares;
    work += more;
  }
};

struct BookedAccount {
  std::string address;
  UnixMillis first_seen;
  Tally tally;
  std::uint32_t workers = 0;  ///< its names
};

struct BookedWorker {
  AccountId account;
  std::string name;
  Tally tally;
};

std::string account_json(std::uint32_t id, const BookedAccount& account);
Result<BookedAccount> account_from_json(std::uint32_t id, std::string_view text);
std::string worker_json(std::uint32_t id, const BookedWorker& worker);
Result<BookedWorker> worker_from_json(std::uint32_t id, std::string_view text);

class Books {
 public:
  static constexpr std::size_t kMaxNameBytes = 256;
  /// What comes beyond is booked to the account's unnamed worker.
  static constexpr std::uint32_t kWorkersPerAccount = 10'000;
  static constexpr std::int64_t kWriteAfterMillis = 10'000;
  static constexpr std::uint64_t kWriteAfterShares = 4'000'000;
  static constexpr std::size_t kWritesPerBatch = 64;

  explicit Books(std::size_t worker_limit) : worker_limit_(worker_limit) {}

  /// Reads names, totals and `totals_through`, then replays the newer shares.
  Status load(LedgerStore& store);

  /// Finds or makes; 0 when the limit is reached or a name is longer than kMaxNameBytes.
  LedgerWorkerId worker_id(std::string_view account, std::string_view worker);
  /// 0 for an id that worker_id never gave.
  AccountId account_of(LedgerWorkerId worker) const {
    return worker.value() < workers_.size() ? workers_[worker.value()].account : AccountId();
  }

  /// 0 for an address that has no record on disk: its id could become another's.
  AccountId booked_account(std::string_view address) const {
    const auto at = account_ids_.find(std::string(address));
    if (at == account_ids_.end() || !accounts_[at->second].tally.written) return {};
    return AccountId(at->second);
  }

  /// An account of its own right, without shares; 0 as for worker_id.
  AccountId book_account(LedgerBatch& batch, std::string_view address, UnixMillis now,
                         Sequence last);

  /// Counts one share of the batch that starts at `batch_first`.
  void add(LedgerWorkerId worker, Work work, Sequence batch_first, UnixMillis now) {
    BookedWorker& w = workers_[worker.value()];
    BookedAccount& a = accounts_[w.account.value()];
    w.tally.add(work);
    a.tally.add(work);
    if (!w.tally.dirty || !a.tally.dirty) touch(worker, batch_first, now);
  }

  /// Adds to `batch`, whose last share is `last`: every record seen for the first time, and up to
  /// kWritesPerBatch (with `all`: all) of those waiting longest.
  void write(LedgerBatch& batch, UnixMillis now, Sequence last, bool all);

  /// Every share up to here is counted by the records on disk (after the batch last written to).
  Sequence totals_through() const { return through_; }

  /// By id; the entry 0 is unused, and so is one without address or account.
  const std::vector<BookedAccount>& accounts() const { return accounts_; }
  const std::vector<BookedWorker>& workers() const { return workers_; }

 private:
  /// One account (worker id 0) or worker whose record is behind.
  struct Waiting {
    AccountId account;
    LedgerWorkerId worker;
    Sequence since;  ///< first share of the batch that made it wait
    UnixMillis at;
  };
  void touch(LedgerWorkerId worker, Sequence batch_first, UnixMillis now);
  void touch_one(Tally& tally, AccountId account, LedgerWorkerId worker, Sequence since);
  void put(LedgerBatch& batch, const Waiting& entry, Sequence last);
  bool due(const Waiting& entry, UnixMillis now, Sequence last) const;
  AccountId account_id(std::string_view address);
  Status load_accounts(LedgerStore& store);
  Status load_workers(LedgerStore& store);
  Status replay(LedgerStore& store);

  std::size_t worker_limit_;
  std::vector<BookedAccount> accounts_{1};
  std::vector<BookedWorker> workers_{1};
  std::unordered_map<std::string, std::uint32_t> account_ids_;
  std::unordered_map<std::string, std::uint32_t> worker_ids_;  // account id (4 bytes) + name
  std::deque<Waiting> waiting_;
  std::vector<Waiting> fresh_;
  Sequence through_;
};

}  // namespace adit
