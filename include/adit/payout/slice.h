// SPDX-License-Identifier: MIT
// Slice: the work each account did in one stretch of the share log (60 s, or up to a found block).
// The unit of every window; closed slices never change.
#pragma once

#include <cstdint>
#include <vector>

#include "adit/base/bytes.h"
#include "adit/bitcoin/u256.h"
#include "adit/ledger/records.h"

namespace adit {

struct AccountWork {
  AccountId account;
  Uint128 work = 0;
  bool operator==(const AccountWork&) const = default;
};

/// Packed: windows hold millions of entries. An entry is the step from the previous account and the
/// work, both as base-128 numbers, so a usual one takes 8 bytes.
class Slice {
 public:
  Slice() = default;
  /// `entries` by rising account, each with work above zero (CHECK).
  explicit Slice(const std::vector<AccountWork>& entries);

  /// By rising account.
  std::vector<AccountWork> entries() const;
  Uint128 total() const { return total_; }
  std::size_t bytes() const { return packed_.size(); }

 private:
  ByteVec packed_;
  Uint128 total_ = 0;
};

}  // namespace adit
