// SPDX-License-Identifier: MIT
// A share run: the shares of one append under one key. What its records have in common with the one
// before them is written once: a share of a busy pool takes 41 bytes of its 112. docs/ledger.md has
// the tables. Runs of version 1, which hold whole records, are read as before.
#pragma once

#include <string>

#include "adit/ledger/records.h"
#include "adit/ledger/store.h"

namespace adit {

/// A run's parts. Views into its value, which must outlive it, but for unpacked records.
struct ShareRun {
  static constexpr std::uint8_t kVersion = 2, kWholeRecords = 1;
  static constexpr std::size_t kHeaderSize = 8;
  static constexpr std::size_t kSequenceAt = kHeaderSize + sizeof(Digest);
  static constexpr std::size_t kEntriesAt = kSequenceAt + sizeof(std::uint64_t);
  static constexpr std::size_t kOverhead = kEntriesAt + sizeof(Digest);
  static constexpr std::uint32_t kMaxRecords = 4096;

  Digest before{}, after{};
  std::uint32_t count = 0;

  /// Corrupt unless version, zeros, count (1 to kMaxRecords), entries and size fit. Records are not
  /// looked at.
  static Result<ShareRun> parse(std::string_view value);
  Bytes record(std::uint32_t index) const {
    const Bytes all = unpacked_.empty() ? whole_ : Bytes(unpacked_);
    return all.subspan(index * ShareRecord::kSize, ShareRecord::kSize);
  }
  BlockHash hash(std::uint32_t index) const {  ///< of a record, without decoding the rest
    BlockHash hash;
    std::memcpy(hash.bytes.data(), record(index).data() + kHashInRecord, hash.bytes.size());
    return hash;
  }
  static constexpr std::size_t kHashInRecord = 32;

 private:
  bool unpack(Bytes entries, std::uint64_t sequence);
  Bytes whole_;       // version 1: in the value
  ByteVec unpacked_;  // version 2
};

/// What an entry's first byte says.
struct ShareEntry {
  static constexpr std::uint8_t kBlock = 1;   ///< the hash met the network's target
  static constexpr std::uint8_t kTime = 2;    ///< the time follows, 8 bytes
  static constexpr std::uint8_t kTip = 4;     ///< height and tip follow, 4 + 32
  static constexpr std::uint8_t kWorker = 8;  ///< account and worker follow, 4 + 4
  static constexpr std::uint8_t kWork = 16;   ///< the work follows, 16
  static constexpr std::uint8_t kAll = kTime | kTip | kWorker | kWork;  ///< in a run's first entry
  static constexpr std::size_t kLeast = 1 + sizeof(BlockHash);
  static constexpr std::size_t kMost = kLeast + 8 + 36 + 8 + 16;
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
  void append_entry(const ShareRecord& record);
  LedgerBatch* batch_;
  std::uint64_t next_;
  Digest head_;
  std::size_t expected_ = 1;
  std::uint64_t run_first_ = 0;
  std::uint32_t count_ = 0;
  ShareRecord previous_;  // of the open run
  std::string value_;
};

}  // namespace adit
