// SPDX-License-Identifier: MIT
// MemoryStore: the ledger's store in memory, made to be broken. It can fail its n-th commit (with
// or without the batch having reached the log), count calls, and show what a power loss at any
// moment would leave: every synced batch, and any number of the unsynced ones that follow, in
// order.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "adit/ledger/store.h"

namespace adit::test {

class MemoryStore : public LedgerStore {
 public:
  using Rows = std::map<std::string, std::string, std::less<>>;

  Status commit(const LedgerBatch& batch, bool sync) override {
    ++commits;
    if (broken_) return Error{ErrorCode::Io, "memory store: refuses since its first error"};
    if (commits == fail_at) {
      broken_ = true;
      if (failure_reaches_log) log_.push_back(batch);
      return Error{ErrorCode::Limit, "memory store: No space left on device"};
    }
    apply(batch);
    log_.push_back(batch);
    if (sync) {
      ++syncs;
      synced_ = log_.size();
    }
    return {};
  }

  Result<std::optional<std::string>> get(Family family, std::string_view key) override {
    ++reads;
    if (reads == fail_read_at) return Error{ErrorCode::Io, "memory store: Input/output error"};
    const auto at = rows(family).find(key);
    if (at == rows(family).end()) return std::optional<std::string>();
    return std::optional<std::string>(at->second);
  }

  Status scan(Family family, std::string_view first,
              const std::function<bool(std::string_view, std::string_view)>& visit) override {
    if (++reads == fail_read_at) return Error{ErrorCode::Io, "memory store: Input/output error"};
    for (auto at = rows(family).lower_bound(first); at != rows(family).end(); ++at)
      if (!visit(at->first, at->second)) break;
    return {};
  }

  Status scan_back(Family family,
                   const std::function<bool(std::string_view, std::string_view)>& visit) override {
    if (++reads == fail_read_at) return Error{ErrorCode::Io, "memory store: Input/output error"};
    for (auto at = rows(family).rbegin(); at != rows(family).rend(); ++at)
      if (!visit(at->first, at->second)) break;
    return {};
  }

  /// What is left when power fails now and `unsynced` of the unsynced batches had reached the disk.
  MemoryStore after_power_loss(std::size_t unsynced) const {
    MemoryStore left;
    for (std::size_t i = 0; i < std::min(synced_ + unsynced, log_.size()); ++i) {
      left.apply(log_[i]);
      left.log_.push_back(log_[i]);
    }
    left.synced_ = left.log_.size();
    return left;
  }
  std::size_t unsynced() const { return log_.size() - synced_; }

  Rows& rows(Family family) { return rows_[static_cast<std::size_t>(family)]; }

  int commits = 0, syncs = 0, reads = 0;
  int fail_at = 0;                   ///< which commit fails (from 1); 0: none
  bool failure_reaches_log = false;  ///< the failed batch is in the log all the same
  int fail_read_at = 0;

 private:
  void apply(const LedgerBatch& batch) {
    for (const auto& range : batch.deletes) {
      Rows& r = rows(range.family);
      r.erase(r.lower_bound(range.first), r.lower_bound(range.last));
    }
    for (const auto& put : batch.puts) rows(put.family)[put.key] = put.value;
  }

  std::array<Rows, kFamilies> rows_;
  std::vector<LedgerBatch> log_;
  std::size_t synced_ = 0;
  bool broken_ = false;
};

}  // namespace adit::test
