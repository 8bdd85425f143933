// SPDX-License-Identifier: MIT
// SliceSet: numbers of slices, as ranges.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adit/ledger/slice.h"

namespace adit {

class SliceSet {
 public:
  struct Range {
    std::uint64_t first = 0, last = 0;  ///< both in it
    auto operator<=>(const Range&) const = default;
  };
  SliceSet() = default;
  /// `first` to `last`; nothing if that is empty.
  SliceSet(SliceNumber first, SliceNumber last);

  void add(const SliceSet& more);
  void remove(const SliceSet& less);
  bool contains(SliceNumber number) const;
  bool meets(const SliceSet& other) const;
  bool empty() const { return ranges_.empty(); }
  /// Rising, with a gap between any two.
  const std::vector<Range>& ranges() const { return ranges_; }
  /// "1-5,9-9"; empty: "".
  std::string text() const;
  /// Exactly what text() gives.
  static std::optional<SliceSet> parse(std::string_view text);
  bool operator==(const SliceSet&) const = default;

 private:
  std::vector<Range> ranges_;
};

}  // namespace adit
