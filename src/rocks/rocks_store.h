// SPDX-License-Identifier: MIT
// RocksStore: the ledger's store on RocksDB. A family is a column family; a batch is one
// WriteBatch, durable by one sync of the write-ahead log. Thread: one at a time (RocksDB's own
// threads flush and compact).
#pragma once

#include <memory>
#include <string>

#include "adit/ledger/store.h"
#include "rocks/disk_space.h"

namespace adit {

class RocksStore : public LedgerStore {
 public:
  /// Opens or creates the database at `path` for this process alone. Conflict: another adit has it
  /// open, or a newer one wrote it. Corrupt, Io, Limit (disk full) as RocksDB says, with the path.
  static Result<std::unique_ptr<RocksStore>> open(const std::string& path);
  /// A reader beside whoever writes, or alone: sees what was committed when it was opened or last
  /// caught up, nothing after. commit() is refused. NotFound if there is no database. Its scratch
  /// folder (below $TMPDIR or /tmp) goes with it. Corrupt also for a log that a power loss left
  /// torn: with `torn` it is read up to there, as the next start will read it. Whether all that was
  /// promised stands before, only the caller's high-water mark can tell.
  static Result<std::unique_ptr<RocksStore>> open_reader(const std::string& path,
                                                         bool torn = false);

  /// After the first error, also one of RocksDB's background threads, every commit fails. Limit:
  /// the disk is full.
  Status commit(const LedgerBatch& batch, bool sync) override;
  Result<std::optional<std::string>> get(Family family, std::string_view key) override;
  Status scan(
      Family family, std::string_view first,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) override;
  Status scan_back(
      Family family,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) override;

  /// Readers only: see what was committed meanwhile. Ranges deleted meanwhile may still show
  /// (RocksDB 7.8.3 looks for deletions in newer files only); where that matters, as in verify,
  /// open a new reader.
  Status catch_up();
  /// Writes memtables to tables, so that the next open reads no log. For tests and an ordered end.
  Status flush();
  ~RocksStore() override;

 private:
  struct Impl;
  explicit RocksStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace adit
