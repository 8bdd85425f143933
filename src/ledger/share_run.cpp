// SPDX-License-Identifier: MIT
// Share runs to bytes and back.
#include "ledger/share_run.h"

#include <algorithm>

namespace adit {
namespace {

std::uint8_t* byte_at(std::string& text, std::size_t at) {
  return reinterpret_cast<std::uint8_t*>(text.data()) + at;
}

}  // namespace

Result<ShareRun> ShareRun::parse(std::string_view value) {
  const Bytes bytes = bytes_of(value);
  if (bytes.size() < kOverhead)
    return Error{ErrorCode::Corrupt, "share run of " + std::to_string(bytes.size()) + " bytes"};
  if (bytes[0] != kVersion)
    return Error{ErrorCode::Corrupt, "share run of unknown version " + std::to_string(bytes[0])};
  if ((bytes[1] | bytes[2] | bytes[3]) != 0)
    return Error{ErrorCode::Corrupt, "share run with a nonzero reserved byte"};
  ShareRun run;
  run.count = load_le<std::uint32_t>(bytes.data() + 4);
  if (run.count == 0 || run.count > kMaxRecords ||
      bytes.size() != kOverhead + run.count * ShareRecord::kSize)
    return Error{ErrorCode::Corrupt, "share run of " + std::to_string(run.count) + " records in " +
                                         std::to_string(bytes.size()) + " bytes"};
  std::memcpy(run.before.data(), bytes.data() + kHeaderSize, sizeof(Digest));
  run.records = bytes.subspan(kRecordsAt, run.count * ShareRecord::kSize);
  std::memcpy(run.after.data(), bytes.data() + bytes.size() - sizeof(Digest), sizeof(Digest));
  return run;
}

void ShareRunWriter::open() {
  run_first_ = next_;
  count_ = 0;
  const std::size_t room =
      std::min<std::size_t>(std::max<std::size_t>(expected_, 1), ShareRun::kMaxRecords);
  value_.reserve(ShareRun::kOverhead + room * ShareRecord::kSize);
  value_.assign(ShareRun::kRecordsAt, '\0');
  *byte_at(value_, 0) = ShareRun::kVersion;
  std::memcpy(byte_at(value_, ShareRun::kHeaderSize), head_.data(), head_.size());
}

void ShareRunWriter::add(ShareRecord& record) {
  if (value_.empty()) open();
  record.sequence = Sequence(next_++);
  std::array<std::uint8_t, ShareRecord::kSize> bytes;
  record.encode(bytes.data());
  head_ = chain_next(head_, bytes);
  value_.append(text_of(bytes));
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
