// SPDX-License-Identifier: MIT
#include "adit/payout/window.h"

#include <algorithm>

#include "adit/base/check.h"
#include "adit/payout/split.h"

namespace adit {

void Window::add(Slice slice) {
  if (slice.total() == 0) return;
  count(slice, true);
  slices_.push_back(std::move(slice));
  forget_beyond();
}

void Window::resize(Uint128 size) {
  size_ = size;
  forget_beyond();
}

/// Keeps the slice that the window's edge runs through.
void Window::forget_beyond() {
  while (!slices_.empty() && total_ - slices_.front().total() >= size_) {
    count(slices_.front(), false);
    slices_.pop_front();
  }
}

void Window::add_front(Slice slice) {
  CHECK(short_of_work());
  if (slice.total() == 0) return;
  count(slice, true);
  slices_.push_front(std::move(slice));
}

/// Both are by rising account: one walk instead of a search for each.
void Window::count(const Slice& slice, bool in) {
  std::vector<AccountWork> unknown;
  auto at = sums_.begin();
  for (const AccountWork& entry : slice.entries()) {
    while (at != sums_.end() && at->account < entry.account) ++at;
    if (at == sums_.end() || at->account != entry.account) {
      unknown.push_back(entry);
      continue;
    }
    if (at->work == 0) --zeros_;
    at->work += in ? entry.work : -entry.work;
    if (at->work == 0) ++zeros_;
  }
  const auto by_account = [](const AccountWork& a, const AccountWork& b) {
    return a.account < b.account;
  };
  const auto known = static_cast<std::ptrdiff_t>(sums_.size());
  sums_.insert(sums_.end(), unknown.begin(), unknown.end());
  std::inplace_merge(sums_.begin(), sums_.begin() + known, sums_.end(), by_account);
  if (zeros_ > sums_.size() / 2) {
    std::erase_if(sums_, [](const AccountWork& sum) { return sum.work == 0; });
    zeros_ = 0;
  }
  if (in)
    CHECK(!__builtin_add_overflow(total_, slice.total(), &total_));
  else
    total_ -= slice.total();
}

std::vector<AccountWork> Window::weights() const {
  std::vector<AccountWork> weights = sums_;
  if (total_ > size_) {
    const std::vector<AccountWork> oldest = slices_.front().entries();
    std::vector<Uint128> works;
    works.reserve(oldest.size());
    for (const AccountWork& entry : oldest) works.push_back(entry.work);
    const std::vector<Uint128> outside = split(total_ - size_, works);
    auto at = weights.begin();
    for (std::size_t i = 0; i < oldest.size(); ++i) {
      while (at->account < oldest[i].account) ++at;
      at->work -= outside[i];
    }
  }
  std::erase_if(weights, [](const AccountWork& weight) { return weight.work == 0; });
  return weights;
}

std::size_t Window::bytes() const {
  std::size_t sum = sums_.capacity() * sizeof(AccountWork);
  for (const Slice& slice : slices_) sum += sizeof(Slice) + slice.bytes();
  return sum;
}

}  // namespace adit
