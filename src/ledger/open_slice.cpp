// SPDX-License-Identifier: MIT
#include "ledger/open_slice.h"

#include <algorithm>

#include "adit/base/check.h"

namespace adit {

void OpenSlice::set_network(const NetworkFacts& facts) {
  next_network_ = facts;
  if (!may_close()) network_ = facts;
}

void OpenSlice::follow(const SliceRecord& newest) {
  network_ = next_network_ = newest.network;
  number_ = newest.number;
  closed_through_ = newest.last;
  previous_ = newest.hash();
  if (newest.block != BlockHash{}) newest_block_ = newest.block;
}

void OpenSlice::grow(std::uint32_t account) {
  works_.resize(std::max<std::size_t>(account + 1, works_.size() * 2));
}

SliceRecord OpenSlice::close(UnixMillis now, const BlockHash& block) {
  CHECK(may_close());
  std::sort(touched_.begin(), touched_.end());
  std::vector<AccountWork> entries;
  entries.reserve(touched_.size());
  for (const std::uint32_t account : touched_) {
    entries.push_back({AccountId(account), works_[account]});
    works_[account] = 0;
  }
  touched_.clear();
  SliceRecord record;
  record.number = SliceNumber(number_.value() + 1);
  record.first = first_;
  record.last = Sequence(first_.value() + tree_.size() - 1);
  record.opened = opened_;
  record.closed = now;
  record.network = network_;
  record.block = block;
  record.chain = chain_;
  record.root = tree_.root();
  record.previous = previous_;
  record.slice = Slice(entries);
  tree_.clear();
  const NetworkFacts next = next_network_;
  follow(record);
  set_network(next);
  return record;
}

}  // namespace adit
