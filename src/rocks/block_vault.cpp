// SPDX-License-Identifier: MIT
// Found blocks to files and back.
#include "rocks/block_vault.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "adit/base/json.h"
#include "adit/base/log.h"
#include "adit/ledger/json_fields.h"
#include "rocks/disk_space.h"
#include "rocks/durable_file.h"

namespace adit {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFileBytes = 16u << 20;  // four times a block, with room for the line
/// What a further reserve leaves to others: more than the books need to take shares.
constexpr std::uint64_t kLeaveBytes = 128u << 20;

std::string name_of(const BlockRecord& record) {
  return std::to_string(record.height) + "-" + record.hash.hex() + ".blk";
}

std::string head_of(const BlockRecord& record, Bytes block) {
  JsonWriter w;
  w.begin_object().key("hash").string(record.hash.hex()).key("prev").string(record.prev.hex());
  w.key("height").number(record.height).key("account").string(record.account);
  w.key("worker").string(record.worker).key("found_ms").number(record.found.value());
  w.key("value").number(record.value.value()).key("terms").string(record.terms);
  w.key("pool_script").string(to_hex(record.pool_script));
  w.key("plan_slice").number_u64(record.plan_slice).key("plan_entry").number_u64(record.plan_entry);
  w.key("plan_weight").number_u64(record.plan_weight).key("size").number_u64(block.size());
  w.key("sha256").string(to_hex(sha256(block))).end_object();
  return seal_json(w.take()) + "\n";
}

Error bad(std::string text) { return {ErrorCode::Corrupt, std::move(text)}; }

Result<VaultBlock> parse(Bytes file) {
  const auto end = std::find(file.begin(), file.end(), '\n');
  if (end == file.end()) return bad("no header line");
  const auto line = static_cast<std::size_t>(end - file.begin());
  const auto fields = open_sealed_json(text_of(file.first(line)));
  if (!fields) return bad("broken header line");
  VaultBlock out;
  const auto hash = BlockHash::from_hex(fields->string("hash").value_or(""));
  const auto prev = BlockHash::from_hex(fields->string("prev").value_or(""));
  const auto height = fields->u32("height");
  const auto found = fields->i64("found_ms"), value = fields->i64("value");
  const auto account = fields->string("account"), worker = fields->string("worker");
  const auto terms = fields->string("terms");
  auto pool_script = from_hex(fields->string("pool_script").value_or("?"));
  const auto slice = fields->u64("plan_slice"), entry = fields->u64("plan_entry");
  const auto weight = fields->u64("plan_weight");
  if (!hash || !prev || !height || !found || !value || !account || !worker || !terms || !slice ||
      !entry || !weight || !pool_script)
    return bad("header line misses a field");
  out.record.hash = *hash, out.record.prev = *prev, out.record.height = *height;
  out.record.found = UnixMillis(*found), out.record.value = Satoshi(*value);
  out.record.account = *account, out.record.worker = *worker, out.record.terms = *terms;
  out.record.pool_script = *std::move(pool_script);
  out.record.plan_slice = *slice, out.record.plan_entry = *entry, out.record.plan_weight = *weight;
  const Bytes block = file.subspan(line + 1);
  if (fields->u64("size") != block.size() || fields->string("sha256") != to_hex(sha256(block)))
    return bad("the block is not the one that was written");
  out.bytes.assign(block.begin(), block.end());
  return out;
}

}  // namespace

Result<BlockVault> BlockVault::open(const std::string& folder, std::size_t reserves) {
  BlockVault vault(folder, reserves);
  if (Status s = make_folder(folder); !s) return s.error();
  if (Status s = make_folder(folder + "/done"); !s) return s.error();
  vault.refill();
  return vault;
}

std::size_t BlockVault::wanted_reserves() const {
  const DiskSpace space = disk_space(folder_);
  if (space.total_bytes == 0) return reserves_;
  const auto fit = static_cast<std::size_t>(space.total_bytes / 8 / kReserveBytes);
  return std::min(reserves_, std::max<std::size_t>(fit, 1));
}

Status BlockVault::refill_one(std::size_t n) {
  std::error_code error;
  if (fs::file_size(reserve(n), error) == kReserveBytes && !error) return {};
  const DiskSpace space = disk_space(folder_);
  const std::uint64_t leave = std::min(kLeaveBytes, space.total_bytes / 10);
  if (n > 0 && space.total_bytes != 0 && space.free_bytes < kReserveBytes + leave)
    return Error{ErrorCode::Limit,
                 folder_ + ": " + std::to_string(space.free_bytes >> 20) + " MiB are left"};
  return make_reserve(reserve(n), kReserveBytes);
}

void BlockVault::refill() {
  const std::size_t wanted = wanted_reserves();
  std::size_t have = 0;
  Status problem;
  const std::uint64_t taken = [this] {
    const std::lock_guard lock(shared_->mutex);
    return shared_->taken;
  }();
  for (std::size_t n = 0; n < wanted; ++n) {
    const std::lock_guard lock(shared_->mutex);
    if (Status made = refill_one(n); made)
      ++have;
    else
      problem = made;
  }
  const std::lock_guard lock(shared_->mutex);
  if (taken != shared_->taken) return;  // a block came meanwhile: it has to be done again
  const bool whole = have == wanted;
  shared_->whole = whole;
  if (whole == !shared_->told) return;
  shared_->told = !whole;
  if (whole)
    log_info("vault", "{} found blocks would fit onto a full disk again", wanted);
  else
    log_warn("vault", "only {} found blocks, not {}, would fit onto a full disk: {}", have, wanted,
             problem.error().text);
}

Status BlockVault::write_anyhow(const std::string& path, Bytes head, Bytes block) {
  const Status plain = write_durably(path, {head, block});
  if (plain) return plain;
  // Most often the disk is full. Whatever it is: a reserve lies elsewhere on it.
  log_error("vault", "{}; using a reserve", plain.error().text);
  shared_->whole = false;
  ++shared_->taken;
  Status last = Error{plain.error().code, plain.error().text + ", and no reserve is left"};
  for (std::size_t n = 0; n < reserves_; ++n) {
    Status kept = write_into_reserve(path, reserve(n), {head, block});
    if (kept) return kept;
    if (kept.error().code != ErrorCode::NotFound) last = std::move(kept);
  }
  return last;
}

Status BlockVault::keep(const BlockRecord& record, Bytes block) {
  const std::string head = head_of(record, block);
  const std::lock_guard lock(shared_->mutex);
  const std::string path = folder_ + "/" + name_of(record);
  std::error_code ignored;
  if (fs::exists(path, ignored)) return {};
  return write_anyhow(path, bytes_of(head), block);
}

void BlockVault::quarantine(const std::string& path, const Error& why) {
  log_error("vault", "{}: {}; kept as {}.bad", path, why.text, path);
  if (Status s = move_durably(path, path + ".bad"); !s) log_error("vault", "{}", s.error().text);
}

Result<std::vector<VaultBlock>> BlockVault::list() {
  const std::lock_guard lock(shared_->mutex);
  std::vector<std::string> paths;
  std::error_code error;
  for (fs::directory_iterator at(folder_, error), end; !error && at != end; at.increment(error)) {
    const std::string path = at->path().string();
    // Left by a crash before the rename: that block was never said to be safe. It cannot be whole
    // for sure.
    if (path.ends_with(".blk.tmp")) fs::remove(path, error);
    if (path.ends_with(".blk")) paths.push_back(path);
  }
  if (error) return file_error(folder_, "list", error.value());
  std::vector<VaultBlock> out;
  for (const std::string& path : paths) {
    const auto file = read_file(path, kMaxFileBytes);
    if (!file) {
      log_error("vault", "{}", file.error().text);
      continue;
    }
    if (!*file) continue;
    auto block = parse(**file);
    if (block && !path.ends_with("/" + name_of(block->record)))
      block = bad("stands under another block's name");
    if (block)
      out.push_back(*std::move(block));
    else
      quarantine(path, block.error());
  }
  std::sort(out.begin(), out.end(), [](const VaultBlock& a, const VaultBlock& b) {
    return std::pair(a.record.height, a.record.hash) < std::pair(b.record.height, b.record.hash);
  });
  return out;
}

Status BlockVault::settle(const BlockRecord& record) {
  const std::lock_guard lock(shared_->mutex);
  const std::string name = name_of(record);
  Status s = move_durably(folder_ + "/" + name, folder_ + "/done/" + name);
  if (!s && s.error().code == ErrorCode::NotFound) return {};
  if (s) trim_done();
  return s;
}

/// What cannot be removed now will be the next time.
void BlockVault::trim_done() {
  std::vector<std::pair<std::uint32_t, fs::path>> files;
  std::error_code error;
  for (fs::directory_iterator at(folder_ + "/done", error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    std::uint32_t height = 0;
    const auto read = std::from_chars(name.data(), name.data() + name.size(), height);
    if (read.ec == std::errc{} && *read.ptr == '-' && name.ends_with(".blk"))
      files.emplace_back(height, at->path());
  }
  if (files.size() <= kDone) return;
  std::sort(files.begin(), files.end());
  for (std::size_t i = 0; i < files.size() - kDone; ++i) fs::remove(files[i].second, error);
}

}  // namespace adit
