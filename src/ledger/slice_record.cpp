// SPDX-License-Identifier: MIT
// The slice record's bytes, and the hash that the next slice names.
#include <algorithm>
#include <string>

#include "adit/ledger/slice.h"

namespace adit {
namespace {

// Offsets of the fields; docs/ledger.md shows the same table, and a test compares the two.
constexpr std::size_t kReserved = 1, kEntries = 4, kNumber = 8, kFirst = 16, kLast = 24,
                      kOpened = 32, kClosed = 40, kNetworkWork = 48, kSubsidy = 64, kMeanFees = 72,
                      kBlock = 80, kChain = 112, kRoot = 144, kPrevious = 176;
static_assert(kPrevious + sizeof(Digest) == SliceRecord::kHeaderSize);

Error corrupt(const std::string& text) { return {ErrorCode::Corrupt, "slice record: " + text}; }

void read_fields(const std::uint8_t* in, SliceRecord& record) {
  record.number = SliceNumber(load_le<std::uint64_t>(in + kNumber));
  record.first = Sequence(load_le<std::uint64_t>(in + kFirst));
  record.last = Sequence(load_le<std::uint64_t>(in + kLast));
  record.opened = UnixMillis(load_le<std::int64_t>(in + kOpened));
  record.closed = UnixMillis(load_le<std::int64_t>(in + kClosed));
  record.network.work = load_le<Uint128>(in + kNetworkWork);
  record.network.subsidy = Satoshi(load_le<std::int64_t>(in + kSubsidy));
  record.network.mean_fees = Satoshi(load_le<std::int64_t>(in + kMeanFees));
  std::memcpy(record.block.bytes.data(), in + kBlock, 32);
  std::memcpy(record.chain.data(), in + kChain, sizeof(Digest));
  std::memcpy(record.root.data(), in + kRoot, sizeof(Digest));
  std::memcpy(record.previous.data(), in + kPrevious, sizeof(Digest));
}

}  // namespace

ByteVec SliceRecord::header() const {
  ByteVec bytes(kHeaderSize);
  std::uint8_t* out = bytes.data();
  out[0] = kVersion;
  store_le(out + kEntries, slice.count());
  store_le(out + kNumber, number.value());
  store_le(out + kFirst, first.value());
  store_le(out + kLast, last.value());
  store_le(out + kOpened, opened.value());
  store_le(out + kClosed, closed.value());
  store_le(out + kNetworkWork, network.work);
  store_le(out + kSubsidy, network.subsidy.value());
  store_le(out + kMeanFees, network.mean_fees.value());
  std::memcpy(out + kBlock, block.bytes.data(), 32);
  std::memcpy(out + kChain, chain.data(), chain.size());
  std::memcpy(out + kRoot, root.data(), root.size());
  std::memcpy(out + kPrevious, previous.data(), previous.size());
  return bytes;
}

ByteVec SliceRecord::encode() const {
  ByteVec bytes = header();
  const Digest hash = slice_hash(bytes, sha256(slice.packed()));
  append(bytes, slice.packed());
  append(bytes, hash);
  return bytes;
}

Result<std::uint32_t> SliceRecord::decode_header(Bytes bytes, SliceRecord& record) {
  if (bytes.size() < kHeaderSize) return corrupt(std::to_string(bytes.size()) + " bytes");
  const std::uint8_t* in = bytes.data();
  if (in[0] != kVersion) return corrupt("unknown version " + std::to_string(in[0]));
  if ((in[kReserved] | in[kReserved + 1] | in[kReserved + 2]) != 0)
    return corrupt("a nonzero reserved byte");
  read_fields(in, record);
  if (record.number.value() == 0) return corrupt("number 0");
  if (record.first.value() == 0 || record.first > record.last)
    return corrupt("no shares: " + std::to_string(record.first.value()) + " to " +
                   std::to_string(record.last.value()));
  if (record.network.work == 0) return corrupt("the network's work is zero");
  if (record.network.subsidy < Satoshi() || record.network.subsidy > kMaxMoney ||
      record.network.mean_fees < Satoshi() || record.network.mean_fees > kMaxMoney)
    return corrupt("subsidy or fees are no amounts");
  const auto entries = load_le<std::uint32_t>(in + kEntries);
  if (entries == 0 || entries - 1 > record.last.value() - record.first.value())
    return corrupt(std::to_string(entries) + " accounts");
  return entries;
}

Result<SliceRecord> SliceRecord::decode(Bytes bytes) {
  SliceRecord record;
  const auto entries = decode_header(bytes, record);
  if (!entries) return entries.error();
  if (bytes.size() < kHeaderSize + sizeof(Digest)) return corrupt("it ends before its hash");
  const Bytes hash = bytes.last(sizeof(Digest));
  const Bytes packed = bytes.subspan(kHeaderSize, bytes.size() - kHeaderSize - sizeof(Digest));
  auto slice = Slice::parse(packed, *entries);
  if (!slice) return slice.error();
  const Digest right = slice_hash(bytes.first(kHeaderSize), sha256(packed));
  if (!std::equal(hash.begin(), hash.end(), right.begin())) return corrupt("the hash does not fit");
  record.slice = *std::move(slice);
  return record;
}

Digest SliceRecord::hash() const { return slice_hash(header(), sha256(slice.packed())); }

Digest slice_hash(Bytes header, const Digest& entries_hash) {
  return Sha256().write(header).write(entries_hash).finish();
}

}  // namespace adit
