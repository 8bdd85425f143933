// SPDX-License-Identifier: MIT
// The share record's bytes and the hash chain over them.
#include "adit/ledger/records.h"

#include <string>

namespace adit {
namespace {

constexpr std::uint8_t kFlagBlock = 1;

// Offsets of the fields; docs/ledger.md shows the same table, and a test compares the two.
constexpr std::size_t kFlags = 1, kReserved = 2, kHeight = 4, kSequence = 8, kTime = 16,
                      kAccount = 24, kWorker = 28, kHash = 32, kTip = 64, kWork = 96;
static_assert(kWork + sizeof(Uint128) == ShareRecord::kSize);

}  // namespace

void ShareRecord::encode(std::uint8_t* out) const {
  out[0] = kVersion;
  out[kFlags] = is_block ? kFlagBlock : 0;
  store_le<std::uint16_t>(out + kReserved, 0);
  store_le(out + kHeight, height);
  store_le(out + kSequence, sequence.value());
  store_le(out + kTime, time.value());
  store_le(out + kAccount, account.value());
  store_le(out + kWorker, worker.value());
  std::memcpy(out + kHash, hash.bytes.data(), 32);
  std::memcpy(out + kTip, tip.bytes.data(), 32);
  store_le(out + kWork, work.value());
}

Result<ShareRecord> ShareRecord::decode(Bytes bytes) {
  if (bytes.size() != kSize)
    return Error{ErrorCode::Corrupt, "share record of " + std::to_string(bytes.size()) +
                                         " bytes, not " + std::to_string(kSize)};
  const std::uint8_t* in = bytes.data();
  if (in[0] != kVersion)
    return Error{ErrorCode::Corrupt, "share record of unknown version " + std::to_string(in[0])};
  if ((in[kFlags] & ~kFlagBlock) != 0 || load_le<std::uint16_t>(in + kReserved) != 0)
    return Error{ErrorCode::Corrupt, "share record with unknown flags"};
  ShareRecord record;
  record.is_block = in[kFlags] != 0;
  record.height = load_le<std::uint32_t>(in + kHeight);
  record.sequence = Sequence(load_le<std::uint64_t>(in + kSequence));
  record.time = UnixMillis(load_le<std::int64_t>(in + kTime));
  record.account = AccountId(load_le<std::uint32_t>(in + kAccount));
  record.worker = LedgerWorkerId(load_le<std::uint32_t>(in + kWorker));
  std::memcpy(record.hash.bytes.data(), in + kHash, 32);
  std::memcpy(record.tip.bytes.data(), in + kTip, 32);
  record.work = Work(load_le<Uint128>(in + kWork));
  return record;
}

Digest chain_next(const Digest& previous, Bytes record) {
  // One call over one buffer: the streaming hasher's bookkeeping would cost a tenth more.
  if (record.size() == ShareRecord::kSize) {
    std::array<std::uint8_t, sizeof(Digest) + ShareRecord::kSize> buffer;
    std::memcpy(buffer.data(), previous.data(), previous.size());
    std::memcpy(buffer.data() + previous.size(), record.data(), record.size());
    return sha256(buffer);
  }
  return Sha256().write(previous).write(record).finish();
}

}  // namespace adit
