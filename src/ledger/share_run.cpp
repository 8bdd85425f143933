// SPDX-License-Identifier: MIT
// Share runs to bytes and back.
#include "ledger/share_run.h"

#include <algorithm>

namespace adit {
namespace {

std::uint8_t* byte_at(std::string& text, std::size_t at) {
  return reinterpret_cast<std::uint8_t*>(text.data()) + at;
}

Error wrong_size(std::uint32_t count, std::size_t bytes) {
  return {ErrorCode::Corrupt, "share run of " + std::to_string(count) + " records in " +
                                  std::to_string(bytes) + " bytes"};
}

/// A share of a busy pool: nothing but a worker besides its hash.
constexpr std::size_t kUsualEntry = ShareEntry::kLeast + 8;

std::size_t entry_size(std::uint8_t flags) {
  const auto part = [&](std::uint8_t bit, std::size_t size) { return flags & bit ? size : 0; };
  return ShareEntry::kLeast + part(ShareEntry::kTime, 8) + part(ShareEntry::kTip, 36) +
         part(ShareEntry::kWorker, 8) + part(ShareEntry::kWork, 16);
}

/// Reads an entry over the record of the one before.
void read_entry(ShareRecord& record, const std::uint8_t* at) {
  const std::uint8_t flags = *at++;
  const auto take = [&](std::uint8_t* to, std::size_t size) {
    std::memcpy(to, at, size);
    at += size;
  };
  record.is_block = (flags & ShareEntry::kBlock) != 0;
  take(record.hash.bytes.data(), 32);
  if (flags & ShareEntry::kTime) {
    record.time = UnixMillis(load_le<std::int64_t>(at));
    at += 8;
  }
  if (flags & ShareEntry::kTip) {
    record.height = load_le<std::uint32_t>(at);
    at += 4;
    take(record.tip.bytes.data(), 32);
  }
  if (flags & ShareEntry::kWorker) {
    record.account = AccountId(load_le<std::uint32_t>(at));
    record.worker = LedgerWorkerId(load_le<std::uint32_t>(at + 4));
    at += 8;
  }
  if (flags & ShareEntry::kWork) record.work = Work(load_le<Uint128>(at));
}

}  // namespace

Result<ShareRun> ShareRun::parse(std::string_view value) {
  const Bytes bytes = bytes_of(value);
  constexpr std::size_t kLeast = kSequenceAt + sizeof(Digest);
  if (bytes.size() < kLeast)
    return Error{ErrorCode::Corrupt, "share run of " + std::to_string(bytes.size()) + " bytes"};
  if (bytes[0] != kVersion && bytes[0] != kWholeRecords)
    return Error{ErrorCode::Corrupt, "share run of unknown version " + std::to_string(bytes[0])};
  if ((bytes[1] | bytes[2] | bytes[3]) != 0)
    return Error{ErrorCode::Corrupt, "share run with a nonzero reserved byte"};
  ShareRun run;
  run.count = load_le<std::uint32_t>(bytes.data() + 4);
  if (run.count == 0 || run.count > kMaxRecords) return wrong_size(run.count, bytes.size());
  std::memcpy(run.before.data(), bytes.data() + kHeaderSize, sizeof(Digest));
  std::memcpy(run.after.data(), bytes.data() + bytes.size() - sizeof(Digest), sizeof(Digest));
  const Bytes body = bytes.subspan(kSequenceAt, bytes.size() - kLeast);
  if (bytes[0] == kWholeRecords) {
    run.whole_ = body;
    if (body.size() != run.count * ShareRecord::kSize) return wrong_size(run.count, bytes.size());
    return run;
  }
  if (body.size() < sizeof(std::uint64_t) ||
      !run.unpack(body.subspan(sizeof(std::uint64_t)), load_le<std::uint64_t>(body.data())))
    return wrong_size(run.count, bytes.size());
  return run;
}

bool ShareRun::unpack(Bytes entries, std::uint64_t sequence) {
  constexpr unsigned kKnown = ShareEntry::kAll | ShareEntry::kBlock;
  if (entries.empty() || (entries[0] & ShareEntry::kAll) != ShareEntry::kAll) return false;
  unpacked_.resize(count * ShareRecord::kSize);
  std::uint8_t* out = unpacked_.data();
  ShareRecord record;
  for (std::uint32_t i = 0; i < count; ++i, out += ShareRecord::kSize) {
    if (entries.empty() || (entries[0] & ~kKnown) != 0) return false;
    const std::size_t size = entry_size(entries[0]);
    if (entries.size() < size) return false;
    read_entry(record, entries.data());
    record.sequence = Sequence(sequence + i);
    record.encode(out);
    entries = entries.subspan(size);
  }
  return entries.empty();
}

void ShareRunWriter::open() {
  run_first_ = next_;
  count_ = 0;
  const std::size_t room =
      std::min<std::size_t>(std::max<std::size_t>(expected_, 1), ShareRun::kMaxRecords);
  value_.reserve(ShareRun::kOverhead + ShareEntry::kMost + room * kUsualEntry);
  value_.assign(ShareRun::kEntriesAt, '\0');
  *byte_at(value_, 0) = ShareRun::kVersion;
  std::memcpy(byte_at(value_, ShareRun::kHeaderSize), head_.data(), head_.size());
  store_le(byte_at(value_, ShareRun::kSequenceAt), run_first_);
}

void ShareRunWriter::append_entry(const ShareRecord& record) {
  std::array<std::uint8_t, ShareEntry::kMost> entry;
  std::uint8_t flags = record.is_block ? ShareEntry::kBlock : 0;
  std::uint8_t* at = entry.data() + 1;
  const auto put = [&](const auto& value) { at = std::copy(value.begin(), value.end(), at); };
  const auto put_number = [&](auto value) {
    store_le(at, value);
    at += sizeof value;
  };
  put(record.hash.bytes);
  const bool first = count_ == 0;
  if (first || record.time != previous_.time) {
    flags |= ShareEntry::kTime;
    put_number(record.time.value());
  }
  if (first || record.height != previous_.height || record.tip != previous_.tip) {
    flags |= ShareEntry::kTip;
    put_number(record.height);
    put(record.tip.bytes);
  }
  if (first || record.account != previous_.account || record.worker != previous_.worker) {
    flags |= ShareEntry::kWorker;
    put_number(record.account.value());
    put_number(record.worker.value());
  }
  if (first || record.work != previous_.work) {
    flags |= ShareEntry::kWork;
    put_number(record.work.value());
  }
  entry[0] = flags;
  value_.append(text_of(Bytes(entry.data(), static_cast<std::size_t>(at - entry.data()))));
}

void ShareRunWriter::add(ShareRecord& record) {
  if (value_.empty()) open();
  record.sequence = Sequence(next_++);
  std::array<std::uint8_t, ShareRecord::kSize> bytes;
  record.encode(bytes.data());
  head_ = chain_next(head_, bytes);
  append_entry(record);
  previous_ = record;
  if (expected_ > 0) --expected_;
  if (++count_ == ShareRun::kMaxRecords) close();
}

void ShareRunWriter::close() {
  if (value_.empty()) return;
  store_le(byte_at(value_, 4), count_);
  value_.append(text_of(head_));
  batch_->put(Family::Shares, key_u64(run_first_), std::move(value_));
  value_.clear();
}

}  // namespace adit
