// SPDX-License-Identifier: MIT
// Reading the books: for the command line, the API, payouts and audits, on any store (the pool's
// own, or a reader beside it). Totals are exact: records on disk may lag behind the shares, and are
// completed from the newest runs. Thread: the store's.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "adit/ledger/records.h"
#include "adit/ledger/slice.h"
#include "adit/ledger/store.h"

namespace adit {

struct AccountTotal {
  AccountId id;
  std::string address;
  UnixMillis first_seen;
  std::uint64_t shares = 0;
  Work work;
};

struct WorkerTotal {
  LedgerWorkerId id;
  AccountId account;
  std::string name;
  std::uint64_t shares = 0;
  Work work;
};

/// In order of id. Totals count every share ever booked, expired ones too.
Result<std::vector<AccountTotal>> account_totals(LedgerStore& store);
Result<std::vector<WorkerTotal>> worker_totals(LedgerStore& store);

/// Shares from `first` on, in order, until `visit` returns false. Corrupt on the first bad record.
Status for_each_share(LedgerStore& store, Sequence first,
                      const std::function<bool(const ShareRecord&)>& visit);

/// Found blocks by height.
Result<std::vector<BlockRecord>> all_blocks(LedgerStore& store);

/// The newest booked share and the chain value after it; zero for empty books.
struct ChainEnd {
  Sequence sequence;
  Digest chain{};
};
Result<ChainEnd> chain_end(LedgerStore& store);

/// The chain value after share `sequence`: nullopt if it is not (or no longer) on disk.
Result<std::optional<Digest>> chain_at(LedgerStore& store, Sequence sequence);

/// Slices from `first` on, in order, until `visit` returns false. Corrupt on the first bad record,
/// or where the chain of slices breaks.
Status for_each_slice(LedgerStore& store, SliceNumber first,
                      const std::function<bool(const SliceRecord&)>& visit);
/// nullopt: there is no such slice, or it is no longer on disk.
Result<std::optional<SliceRecord>> read_slice(LedgerStore& store, SliceNumber number);
Result<std::optional<SliceRecord>> newest_slice(LedgerStore& store);
Result<std::optional<SliceRecord>> oldest_slice(LedgerStore& store);
/// The slice that holds a share (bisection); nullopt: still open, or no longer on disk.
Result<std::optional<SliceRecord>> slice_holding(LedgerStore& store, Sequence sequence);

}  // namespace adit
