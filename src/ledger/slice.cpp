// SPDX-License-Identifier: MIT
// The work of a slice, packed.
#include "adit/ledger/slice.h"

#include "adit/base/check.h"

namespace adit {
namespace {

constexpr unsigned kBits = 7;
constexpr std::uint8_t kMore = 0x80;
constexpr std::uint8_t kLow = kMore - 1;

void put(ByteVec& out, Uint128 value) {
  for (; value >= kMore; value >>= kBits) out.push_back(static_cast<std::uint8_t>(value | kMore));
  out.push_back(static_cast<std::uint8_t>(value));
}

Uint128 take(const std::uint8_t*& at) {
  Uint128 value = 0;
  for (unsigned shift = 0;; shift += kBits) {
    const std::uint8_t byte = *at++;
    value |= Uint128{static_cast<std::uint8_t>(byte & kLow)} << shift;
    if ((byte & kMore) == 0) return value;
  }
}

/// Takes a number from the front of `rest`: zero unless it is above zero, in shortest form, whole
/// and below 2^128.
Uint128 take_checked(Bytes& rest) {
  Uint128 value = 0;
  for (unsigned shift = 0; shift < 128 && !rest.empty(); shift += kBits) {
    const std::uint8_t byte = rest.front();
    const Uint128 part = static_cast<std::uint8_t>(byte & kLow);
    rest = rest.subspan(1);
    if (part << shift >> shift != part) return 0;
    value |= part << shift;
    if ((byte & kMore) == 0) return byte == 0 ? 0 : value;
  }
  return 0;
}

Error corrupt(const std::string& text) { return {ErrorCode::Corrupt, "slice: " + text}; }

}  // namespace

Slice::Slice(const std::vector<AccountWork>& entries) {
  std::uint32_t last = 0;
  for (const AccountWork& entry : entries) {
    const std::uint32_t account = entry.account.value();
    CHECK(account > last && entry.work > 0);
    put(packed_, account - last);
    put(packed_, entry.work);
    CHECK(!__builtin_add_overflow(total_, entry.work, &total_));
    last = account;
    ++count_;
  }
  packed_.shrink_to_fit();
}

Result<Slice> Slice::parse(Bytes packed, std::uint32_t count) {
  Slice slice;
  Bytes rest = packed;
  Uint128 account = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto entry = [&] { return "entry " + std::to_string(i) + " "; };
    const Uint128 step = take_checked(rest);
    if (step == 0 || step > ~std::uint32_t{0} - account)
      return corrupt(entry() + "names no account");
    account += step;
    const Uint128 work = take_checked(rest);
    if (work == 0) return corrupt(entry() + "has no work");
    if (__builtin_add_overflow(slice.total_, work, &slice.total_))
      return corrupt("the sum of the work is too large");
  }
  if (!rest.empty()) return corrupt(std::to_string(rest.size()) + " bytes after the last entry");
  slice.count_ = count;
  slice.packed_.assign(packed.begin(), packed.end());
  return slice;
}

std::vector<AccountWork> Slice::entries() const {
  std::vector<AccountWork> entries;
  entries.reserve(count_);
  std::uint32_t account = 0;
  const std::uint8_t* at = packed_.data();
  const std::uint8_t* const end = at + packed_.size();
  while (at != end) {
    account += static_cast<std::uint32_t>(take(at));
    entries.push_back({AccountId(account), take(at)});
  }
  return entries;
}

}  // namespace adit
