// SPDX-License-Identifier: MIT
#include "adit/ledger/slice.h"

#include "adit/base/check.h"

namespace adit {
namespace {

constexpr unsigned kBits = 7;
constexpr std::uint8_t kMore = 0x80;

void put(ByteVec& out, Uint128 value) {
  for (; value >= kMore; value >>= kBits) out.push_back(static_cast<std::uint8_t>(value | kMore));
  out.push_back(static_cast<std::uint8_t>(value));
}

Uint128 take(const std::uint8_t*& at) {
  Uint128 value = 0;
  for (unsigned shift = 0;; shift += kBits) {
    const std::uint8_t byte = *at++;
    value |= Uint128{byte & (kMore - 1u)} << shift;
    if ((byte & kMore) == 0) return value;
  }
}

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
  }
  packed_.shrink_to_fit();
}

std::vector<AccountWork> Slice::entries() const {
  std::vector<AccountWork> entries;
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
