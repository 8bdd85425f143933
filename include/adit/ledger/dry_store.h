// SPDX-License-Identifier: MIT
// DryStore: another store as it would be after commits that it never sees; they are kept in memory.
// For commands that tell what a step would do.
#pragma once

#include <array>
#include <map>
#include <memory>

#include "adit/ledger/store.h"

namespace adit {

class DryStore final : public LedgerStore {
 public:
  explicit DryStore(std::unique_ptr<LedgerStore> under) : under_(std::move(under)) {}

  Status commit(const LedgerBatch& batch, bool sync) override;
  Result<std::optional<std::string>> get(Family family, std::string_view key) override;
  Status scan(
      Family family, std::string_view first,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) override;
  Status scan_back(
      Family family,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) override;

 private:
  /// nullopt: deleted.
  using Rows = std::map<std::string, std::optional<std::string>, std::less<>>;
  Rows& over(Family family) { return over_[static_cast<std::size_t>(family)]; }

  std::unique_ptr<LedgerStore> under_;
  std::array<Rows, kFamilies> over_;
};

}  // namespace adit
