// SPDX-License-Identifier: MIT
// Window: the newest slices up to a given amount of work, and the work of each account in them. For
// PPLNS, whose window follows the network's difficulty. One thread.
//
// The oldest slice that reaches beyond the window is cut by work: its accounts share what is inside
// by the rule of split.h. A log shorter than the window counts as it is.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "adit/ledger/slice.h"

namespace adit {

class Window {
 public:
  /// Room for `size` work; slices beyond are forgotten.
  explicit Window(Uint128 size) : size_(size) {}

  /// The newest slice. Empty ones are not kept.
  void add(Slice slice);
  /// A new difficulty. A window that grows does not bring forgotten slices back: add_front does.
  void resize(Uint128 size);
  /// The one before the oldest; while short_of_work() (CHECK).
  void add_front(Slice slice);
  /// True when the window could use more slices than it has been given.
  bool short_of_work() const { return total_ < size_; }

  /// The work inside by rising account; sums to min(size, the work there is), exactly.
  std::vector<AccountWork> weights() const;
  Uint128 size() const { return size_; }
  std::size_t slices() const { return slices_.size(); }
  std::size_t bytes() const;  ///< of memory, nearly

 private:
  void forget_beyond();
  void count(const Slice& slice, bool in);

  Uint128 size_;
  Uint128 total_ = 0;              // of the slices kept, the oldest whole
  std::deque<Slice> slices_;       // oldest first
  std::vector<AccountWork> sums_;  // by rising account, some of them zero
  std::size_t zeros_ = 0;
};

}  // namespace adit
