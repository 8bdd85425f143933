// SPDX-License-Identifier: MIT
// RocksDB's options. Figures: docs/ledger.md and tests/bench/ledger_bench.cpp.
#include "rocks/rocks_options.h"

#include <rocksdb/cache.h>
#include <rocksdb/table.h>

#include <array>
#include <cstdarg>
#include <cstdio>

#include "adit/base/log.h"

namespace adit {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

/// RocksDB's warnings, into our log. Not into its own file: when the disk is full, 7.8.3's logger
/// fails an assertion (Debian builds with assertions) and takes the process down.
class Warnings : public rocksdb::Logger {
 public:
  Warnings() : Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}
  using Logger::Logv;
  void Logv(const char* format, va_list list) override {
    std::array<char, 1024> text{};
    if (std::vsnprintf(text.data(), text.size(), format, list) > 0)
      log_warn("rocksdb", "{}", text.data());
  }
};

rocksdb::ColumnFamilyOptions family_options(bool shares,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions o;
  o.write_buffer_size = shares ? 16 * kMiB : 2 * kMiB;
  o.arena_block_size = shares ? 256 * 1024 : 32 * 1024;
  o.max_write_buffer_number = 3;
  // Runs arrive in key order, so files never overlap and move down the levels without being
  // rewritten, as long as all levels compress alike.
  o.compression = rocksdb::kLZ4Compression;
  o.target_file_size_base = 64 * kMiB;
  // Old files need no refresh: shares go by range, the rest is small.
  o.ttl = 0;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.block_size = shares ? 32 * 1024 : 4 * 1024;
  o.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return o;
}

}  // namespace

rocksdb::DBOptions rocks_db_options() {
  rocksdb::DBOptions o;
  o.create_if_missing = true;
  o.create_missing_column_families = true;
  o.paranoid_checks = true;
  o.track_and_verify_wals_in_manifest = true;
  o.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  o.max_total_wal_size = 256 * kMiB;
  // An error must end the pool's promises at once (background listener), not heal behind its back.
  o.max_bgerror_resume_count = 0;
  o.max_background_jobs = 2;
  o.bytes_per_sync = kMiB;
  o.max_open_files = 256;  // bounds the memory for indexes of old shares
  // One writer: its turn needs no queue juggling.
  o.allow_concurrent_memtable_write = false;
  o.enable_write_thread_adaptive_yield = false;
  o.stats_dump_period_sec = 0;
  o.stats_persist_period_sec = 0;
  o.info_log = std::make_shared<Warnings>();
  o.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  return o;
}

std::vector<rocksdb::ColumnFamilyDescriptor> rocks_families() {
  const auto cache = rocksdb::NewLRUCache(8 * kMiB);
  std::vector<rocksdb::ColumnFamilyDescriptor> out;
  for (std::size_t i = 0; i < kFamilies; ++i) {
    const auto family = static_cast<Family>(i);
    out.emplace_back(std::string(family_name(family)),
                     family_options(family == Family::Shares, cache));
  }
  out.emplace_back(rocksdb::kDefaultColumnFamilyName, family_options(false, cache));
  return out;
}

}  // namespace adit
