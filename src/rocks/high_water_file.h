// SPDX-License-Identifier: MIT
// HighWaterFile: data_dir/high_water, how far shares, slices and money have come, kept outside the
// database: RocksDB's recovery stops silently at the first bad log record, and an old backup opens
// without a word. Three lines of text, replaced atomically. Blocking; one thread at a
// time.
#pragma once

#include <optional>
#include <string>

#include "adit/ledger/ledger.h"

namespace adit {

class HighWaterFile {
 public:
  explicit HighWaterFile(const std::string& data_dir) : path_(data_dir + "/high_water") {}
  /// nullopt if there is none (a new pool). Corrupt if it does not parse.
  Result<std::optional<HighWater>> read() const;
  /// The mark is on the medium when this returns ok.
  Status write(const HighWater& mark) const;

 private:
  std::string path_;
};

}  // namespace adit
