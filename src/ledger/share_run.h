// SPDX-License-Identifier: MIT
// A share run: the shares of one append under one key. Its value is a header {version u8 = 1, three
// zero bytes, count u32le}, the chain value before the run (32), the records (112 each), the chain
// value after it (32).
#pragma once

#include <string>

#include "adit/ledger/records.h"
#include "adit/ledger/store.h"

namespace adit {

/// A run's parts, as views into its value.
struct ShareRun {
  static constexpr std::uint8_t kVersion = 1;
  static constexpr std::size_t kHeaderSize = 8;
  static constexpr std::size_t kRecordsAt = kHeaderSize + sizeof(Digest);
  static constexpr std::size_t kOverhead = kRecordsAt + sizeof(Digest);
  static constexpr std::uint32_t kMaxRecords = 4096;

  Digest before{}, after{};
  std::uint32_t count = 0;
  Bytes records;

  /// Corrupt unless version, zeros, count (1 to kMaxRecords) and size fit. Records are not looked
  /// at.
  static Result<ShareRun> parse(std::string_view value);
  Bytes record(std::uint32_t index) const {
    return records.subspan(index * ShareRecord::kSize, ShareRecord::kSize);
  }
  BlockHash hash(std::uint32_t index) const {  ///< of a record, without decoding the rest
    BlockHash hash;
    std::memcpy(hash.bytes.data(), record(index).data() + kHashInRecord, hash.bytes.size());
    return hash;
  }
  static constexpr std::size_t kHashInRecord = 32;
};

/// Writes records into as many runs as they need, chaining as it goes.
class ShareRunWriter {
 public:
  ShareRunWriter(LedgerBatch& batch, Sequence last, const Digest& head)
      : batch_(&batch), next_(last.value() + 1), head_(head) {}
  /// At most `count` more records are to come.
  void expect(std::size_t count) { expected_ = count; }
  /// Takes the record under the next sequence, which it sets.
  void add(ShareRecord& record);
  /// Puts the open run into the batch.
  void close();
  Sequence last() const { return Sequence(next_ - 1); }
  const Digest& head() const { return head_; }

 private:
  void open();
  LedgerBatch* batch_;
  std::uint64_t next_;
  Digest head_;
  std::size_t expected_ = 1;
  std::uint64_t run_first_ = 0;
  std::uint32_t count_ = 0;
  std::string value_;
};

}  // namespace adit
