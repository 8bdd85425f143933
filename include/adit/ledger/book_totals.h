// SPDX-License-Identifier: MIT
// BookTotals: the totals of accounts and their workers for a reader that is asked often. The first
// refresh() reads every name once; each later one costs what was booked since, whatever the number
// of names. As exact as account_totals() and worker_totals(). Takes about 100 bytes a name.
// Thread: the store's.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "adit/ledger/reader.h"

namespace adit {

class BookTotals {
 public:
  /// Further behind than this, reading the names again costs less than the shares between.
  static constexpr std::uint64_t kSharesMost = 1'000'000;
  explicit BookTotals(std::uint64_t shares_most = kSharesMost) : shares_most_(shares_most) {}

  /// Takes in what `store` shows. After an error nothing is known until the next one succeeds.
  Status refresh(LedgerStore& store);
  /// Null for an address that the books do not know. Valid until the next refresh().
  const AccountTotal* account(std::string_view address) const;
  std::size_t workers(AccountId account) const;
  /// By rising name (bytes).
  void for_each_worker(AccountId account,
                       const std::function<void(const WorkerTotal&)>& visit) const;
  /// The newest share that is counted.
  Sequence counted() const { return counted_; }

 private:
  struct Account {
    AccountTotal total;
    Sequence through;                    // what its record counted when it was read
    std::vector<std::uint32_t> workers;  // ids, by name
  };
  struct Worker {
    WorkerTotal total;
    Sequence through;
  };
  Status begin_anew(LedgerStore& store);
  Status read_names(LedgerStore& store);
  Status read_shares(LedgerStore& store, bool& hole);
  Status count(LedgerStore& store, const ShareRecord& share);
  Status know_account(LedgerStore& store, std::uint32_t id);
  Status know_worker(LedgerStore& store, const ShareRecord& share);
  Status take_account(std::string_view key, std::string_view value);
  Status take_worker(LedgerStore& store, std::string_view key, std::string_view value);

  std::uint64_t shares_most_;
  bool whole_ = false;
  std::vector<Account> accounts_;  // by id; one without an address is no account
  std::vector<Worker> workers_;    // by id; one without an account is no worker
  std::unordered_map<std::string, std::uint32_t> by_address_;
  Sequence counted_;
};

}  // namespace adit
