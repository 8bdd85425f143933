// SPDX-License-Identifier: MIT
// LedgerStore on RocksDB.
#include "rocks/rocks_store.h"

#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/listener.h>
#include <rocksdb/version.h>
#include <rocksdb/write_batch.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <utility>

#include "rocks/durable_file.h"
#include "rocks/rocks_options.h"

namespace adit {
namespace {

constexpr std::string_view kVersionKey = "rocksdb";

rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view(const rocksdb::Slice& s) { return {s.data(), s.size()}; }

Error map_error(const std::string& path, const rocksdb::Status& s) {
  const std::string text = s.ToString();
  if (s.IsIOError() && (text.find("lock hold by current process") != std::string::npos ||
                        text.find("While lock file") != std::string::npos))
    return {ErrorCode::Conflict, path + " is already in use by another adit"};
  const auto says = [&](ErrorCode code) { return Error{code, path + ": RocksDB: " + text}; };
  if (s.IsNoSpace() || text.find("No space left on device") != std::string::npos)
    return says(ErrorCode::Limit);
  if (s.IsCorruption()) return says(ErrorCode::Corrupt);
  if (s.IsInvalidArgument()) return says(ErrorCode::Conflict);
  return says(ErrorCode::Io);
}

/// Remembers the first error of flush and compaction, which no caller sees otherwise.
class BackgroundErrors : public rocksdb::EventListener {
 public:
  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) override {
    const std::lock_guard lock(mutex_);
    if (first_.ok()) first_ = *status;
    // A Status must be looked at; RocksDB's own copy is.
    status->PermitUncheckedError();
  }
  rocksdb::Status first() {
    const std::lock_guard lock(mutex_);
    return first_;
  }

 private:
  std::mutex mutex_;
  rocksdb::Status first_;
};

bool there_is_a_database(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path + "/CURRENT", ignored);
}

/// A folder that a secondary insists on when it is opened, and never looks at again, as its log is
/// ours. So it goes at once: a reader that is killed later leaves nothing.
class Scratch {
 public:
  Status make() {
    std::error_code error;
    const auto base = std::filesystem::temp_directory_path(error);
    path_ = (error ? std::string("/tmp") : base.string()) + "/adit-reader-XXXXXX";
    if (::mkdtemp(path_.data()) != nullptr) return {};
    return file_error(std::exchange(path_, {}), "make folder", errno);
  }
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

struct RocksStore::Impl {
  std::string path;
  std::shared_ptr<BackgroundErrors> background = std::make_shared<BackgroundErrors>();
  rocksdb::DB* db = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;  // by family; null if the database lacks it
  rocksdb::ColumnFamilyHandle* fallback = nullptr;
  std::optional<Error> refused;

  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    for (auto* handle : handles)
      if (handle != nullptr) (void)db->DestroyColumnFamilyHandle(handle).ok();
    if (fallback != nullptr) (void)db->DestroyColumnFamilyHandle(fallback).ok();
    delete db;
  }

  rocksdb::ColumnFamilyHandle* handle(Family family) {
    return handles[static_cast<std::size_t>(family)];
  }

  /// Sorts the opened handles into their places.
  void take(const std::vector<rocksdb::ColumnFamilyHandle*>& opened) {
    handles.assign(kFamilies, nullptr);
    for (auto* h : opened) {
      bool placed = false;
      for (std::size_t i = 0; i < kFamilies; ++i)
        if (h->GetName() == family_name(static_cast<Family>(i))) handles[i] = h, placed = true;
      if (!placed) fallback = h;
    }
  }

  Status refuse(Error error) {
    if (!refused) refused = error;
    return error;
  }

  Status note_version();
};

RocksStore::RocksStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RocksStore::~RocksStore() = default;

/// Which library wrote last: going back to an older one is not always possible.
Status RocksStore::Impl::note_version() {
  const std::string version = rocksdb::GetRocksVersionAsString();
  std::string stored;
  const auto s = db->Get({}, handle(Family::Meta), slice(kVersionKey), &stored);
  if (!s.ok() && !s.IsNotFound()) return map_error(path, s);
  if (s.ok() && stored == version) return {};
  rocksdb::WriteOptions write;
  write.sync = true;
  const auto put = db->Put(write, handle(Family::Meta), slice(kVersionKey), version);
  return put.ok() ? Status() : map_error(path, put);
}

Result<std::unique_ptr<RocksStore>> RocksStore::open(const std::string& path) {
  if (Status s = make_folder(path); !s) return s.error();
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  rocksdb::DBOptions options = rocks_db_options();
  options.listeners.push_back(impl->background);
  std::vector<rocksdb::ColumnFamilyHandle*> opened;
  const auto s = rocksdb::DB::Open(options, path, rocks_families(), &opened, &impl->db);
  if (!s.ok()) return map_error(path, s);
  impl->take(opened);
  if (Status noted = impl->note_version(); !noted) return noted.error();
  return std::unique_ptr<RocksStore>(new RocksStore(std::move(impl)));
}

Result<std::unique_ptr<RocksStore>> RocksStore::open_reader(const std::string& path, bool torn) {
  if (!there_is_a_database(path))
    return Error{ErrorCode::NotFound, path + ": there is no ledger yet"};
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  rocksdb::DBOptions options = rocks_db_options();
  options.create_if_missing = options.create_missing_column_families = false;
  // All tables are opened at once, so that the writer may delete any of them meanwhile.
  options.max_open_files = -1;
  std::vector<std::string> names;
  auto s = rocksdb::DB::ListColumnFamilies(options, path, &names);
  if (!s.ok()) return map_error(path, s);
  auto families = rocks_families();
  std::erase_if(families, [&](const auto& f) {
    return std::find(names.begin(), names.end(), f.name) == names.end();
  });
  Scratch scratch;
  if (const Status made = scratch.make(); !made) return made.error();
  std::vector<rocksdb::ColumnFamilyHandle*> opened;
  for (int attempt = 0; attempt < 5; ++attempt) {
    // The writer may delete a file between the list and the look; the next list is newer.
    s = rocksdb::DB::OpenAsSecondary(options, path, scratch.path(), families, &opened, &impl->db);
    if (s.ok()) break;
  }
  // A secondary refuses a log that ends torn; read as the next start would, it ends before that.
  if (s.IsCorruption() && torn)
    s = rocksdb::DB::OpenForReadOnly(options, path, families, &opened, &impl->db);
  if (!s.ok()) return map_error(path, s);
  impl->take(opened);
  impl->refused = Error{ErrorCode::Refused, path + ": opened for reading"};
  return std::unique_ptr<RocksStore>(new RocksStore(std::move(impl)));
}

Status RocksStore::commit(const LedgerBatch& batch, bool sync) {
  if (impl_->refused) return *impl_->refused;
  if (const auto background = impl_->background->first(); !background.ok())
    return impl_->refuse(map_error(impl_->path, background));
  if (batch.empty()) {
    if (!sync) return {};
    const auto s = impl_->db->SyncWAL();
    return s.ok() ? Status() : impl_->refuse(map_error(impl_->path, s));
  }
  std::size_t size = 64;
  for (const auto& put : batch.puts) size += put.key.size() + put.value.size() + 16;
  rocksdb::WriteBatch write(size);
  rocksdb::Status s;
  for (const auto& range : batch.deletes)
    if (s.ok()) s = write.DeleteRange(impl_->handle(range.family), range.first, range.last);
  for (const auto& put : batch.puts)
    if (s.ok()) s = write.Put(impl_->handle(put.family), put.key, put.value);
  rocksdb::WriteOptions options;
  options.sync = sync;
  if (s.ok()) s = impl_->db->Write(options, &write);
  if (!s.ok()) return impl_->refuse(map_error(impl_->path, s));
  // The range is gone already; whole files of it give their room back at once.
  for (const auto& range : batch.deletes) {
    const rocksdb::Slice first(range.first), last(range.last);
    s = rocksdb::DeleteFilesInRange(impl_->db, impl_->handle(range.family), &first, &last, false);
    if (!s.ok()) return impl_->refuse(map_error(impl_->path, s));
  }
  return {};
}

Result<std::optional<std::string>> RocksStore::get(Family family, std::string_view key) {
  std::string value;
  if (impl_->handle(family) == nullptr) return std::optional<std::string>();
  const auto s = impl_->db->Get({}, impl_->handle(family), slice(key), &value);
  if (s.IsNotFound()) return std::optional<std::string>();
  if (!s.ok()) return map_error(impl_->path, s);
  return std::optional<std::string>(std::move(value));
}

Status RocksStore::scan(
    Family family, std::string_view first,
    const std::function<bool(std::string_view key, std::string_view value)>& visit) {
  if (impl_->handle(family) == nullptr) return {};
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> at(
      impl_->db->NewIterator(options, impl_->handle(family)));
  for (at->Seek(slice(first)); at->Valid(); at->Next())
    if (!visit(view(at->key()), view(at->value()))) break;
  return at->status().ok() ? Status() : map_error(impl_->path, at->status());
}

Status RocksStore::scan_back(
    Family family, const std::function<bool(std::string_view key, std::string_view value)>& visit) {
  if (impl_->handle(family) == nullptr) return {};
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> at(
      impl_->db->NewIterator(options, impl_->handle(family)));
  for (at->SeekToLast(); at->Valid(); at->Prev())
    if (!visit(view(at->key()), view(at->value()))) break;
  return at->status().ok() ? Status() : map_error(impl_->path, at->status());
}

Status RocksStore::catch_up() {
  const auto s = impl_->db->TryCatchUpWithPrimary();
  return s.ok() ? Status() : map_error(impl_->path, s);
}

Status RocksStore::flush() {
  std::vector<rocksdb::ColumnFamilyHandle*> all = impl_->handles;
  const auto s = impl_->db->Flush({}, all);
  return s.ok() ? Status() : impl_->refuse(map_error(impl_->path, s));
}

}  // namespace adit
