// SPDX-License-Identifier: MIT
#include "payout/priced_batch.h"

#include <algorithm>
#include "adit/crypto/sha256.h"
#include "payout/journal_rows.h"

namespace adit {
namespace {

constexpr char kBatchPrefix = 'f';
constexpr std::size_t kHeaderSize = 16, kLeftSize = 16;

std::optional<PricedBatch> decode(Bytes bytes) {
  if (bytes.size() < kHeaderSize + sizeof(Digest) || bytes.size() % kLeftSize != 0)
    return std::nullopt;
  const Bytes body = bytes.first(bytes.size() - sizeof(Digest));
  Digest seal{};
  std::copy(body.end(), bytes.end(), seal.begin());
  if (sha256(body) != seal) return std::nullopt;
  PricedBatch batch{SliceNumber(load_le<std::uint64_t>(body.data())),
                    SliceNumber(load_le<std::uint64_t>(body.data() + 8)),
                    {}};
  AccountId before;
  for (std::size_t at = kHeaderSize; at < body.size(); at += kLeftSize) {
    const AccountId account(load_le<std::uint32_t>(body.data() + at));
    const auto left = load_le<std::int64_t>(body.data() + at + 8);
    if (account <= before || account.value() > kMaxAccount || left < 0 ||
        left >= kMicroPerSatoshi || load_le<std::uint32_t>(body.data() + at + 4) != 0)
      return std::nullopt;
    before = account;
    batch.left.emplace_back(account, MicroSatoshi(left));
  }
  return batch;
}

}  // namespace

std::string PricedBatch::ref() const {
  return "slices:" + std::to_string(first.value()) + "-" + std::to_string(last.value());
}

void put_priced_batch(LedgerBatch& batch, const PricedBatch& priced) {
  ByteVec out(kHeaderSize + priced.left.size() * kLeftSize);
  store_le(out.data(), priced.first.value());
  store_le(out.data() + 8, priced.last.value());
  std::uint8_t* at = out.data() + kHeaderSize;
  for (const auto& [account, left] : priced.left) {
    store_le(at, account.value());
    store_le(at + 8, left.value());
    at += kLeftSize;
  }
  const Digest seal = sha256(out);
  out.insert(out.end(), seal.begin(), seal.end());
  batch.put(Family::Credits, kBatchPrefix + key_u64(priced.last.value()),
            std::string(text_of(out)));
}

Result<std::optional<PricedBatch>> next_priced_batch(LedgerStore& store, SliceNumber from) {
  std::optional<PricedBatch> found;
  Status verdict;
  const Status scanned = scan_prefix(
      store, kBatchPrefix, key_u64(from.value()),
      [&](std::string_view key, std::string_view value) {
        found = decode(bytes_of(value));
        if (!found || found->first > found->last || key.substr(1) != key_u64(found->last.value()))
          verdict = bad_row(key, "broken fractions of priced slices");
        return false;
      });
  if (!scanned) return scanned.error();
  if (!verdict) return verdict.error();
  return found;
}

}  // namespace adit
