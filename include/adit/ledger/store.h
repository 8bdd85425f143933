// SPDX-License-Identifier: MIT
// LedgerStore: the port to the disk. A sorted map per family, atomic batches, and a commit that is
// durable when it returns. Production is RocksDB (rocks room); tests have it in memory and break
// it. (After LevelDB's Env.)
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adit/base/bytes.h"
#include "adit/base/result.h"

namespace adit {

enum class Family : std::uint8_t {
  Meta,
  Shares,
  Slices,
  Accounts,
  Workers,
  Blocks,
  Credits,
  Payments,
  Stats
};
inline constexpr std::size_t kFamilies = 9;
std::string_view family_name(Family family);  ///< "meta", "shares", ...

struct LedgerBatch {
  struct Put {
    Family family;
    std::string key;
    std::string value;
  };
  std::vector<Put> puts;
  /// Keys in [first, last) of a family go.
  struct Range {
    Family family;
    std::string first, last;
  };
  std::vector<Range> deletes;
  void put(Family family, std::string key, std::string value) {
    puts.push_back({family, std::move(key), std::move(value)});
  }
  bool empty() const { return puts.empty() && deletes.empty(); }
};

class LedgerStore {
 public:
  virtual ~LedgerStore() = default;
  /// All or nothing. With `sync` it, and all before it, is on the medium when this returns ok; an
  /// empty batch with `sync` only brings earlier ones there. After an error the store refuses every
  /// later commit: the end of the log is unknown.
  virtual Status commit(const LedgerBatch& batch, bool sync) = 0;
  virtual Result<std::optional<std::string>> get(Family family, std::string_view key) = 0;
  /// In key order from `first` (inclusive) until `visit` returns false or the family ends.
  virtual Status scan(
      Family family, std::string_view first,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) = 0;
  /// In reverse key order from the end.
  virtual Status scan_back(
      Family family,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) = 0;
};

std::string key_u64(std::uint64_t value);  ///< 8 bytes big-endian
std::string key_u32(std::uint32_t value);  ///< 4 bytes big-endian
std::optional<std::uint64_t> u64_of_key(std::string_view key);
std::optional<std::uint32_t> u32_of_key(std::string_view key);

}  // namespace adit
