// SPDX-License-Identifier: MIT
#include "adit/payout/window.h"

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

void Window::count(const Slice& slice, bool in) {
  for (const AccountWork& entry : slice.entries()) {
    const auto place = sums_.try_emplace(entry.account, 0).first;
    place->second += in ? entry.work : -entry.work;
    if (place->second == 0) sums_.erase(place);
  }
  if (in)
    CHECK(!__builtin_add_overflow(total_, slice.total(), &total_));
  else
    total_ -= slice.total();
}

std::vector<AccountWork> Window::weights() const {
  std::map<AccountId, Uint128> sums = sums_;
  if (total_ > size_) {
    const std::vector<AccountWork> oldest = slices_.front().entries();
    std::vector<Uint128> works;
    works.reserve(oldest.size());
    for (const AccountWork& entry : oldest) works.push_back(entry.work);
    const std::vector<Uint128> outside = split(total_ - size_, works);
    for (std::size_t i = 0; i < oldest.size(); ++i) sums[oldest[i].account] -= outside[i];
  }
  std::vector<AccountWork> weights;
  weights.reserve(sums.size());
  for (const auto& [account, work] : sums)
    if (work > 0) weights.push_back({account, work});
  return weights;
}

std::size_t Window::bytes() const {
  constexpr std::size_t kNode = sizeof(std::pair<AccountId, Uint128>) + 4 * sizeof(void*);
  std::size_t sum = sums_.size() * kNode;
  for (const Slice& slice : slices_) sum += sizeof(Slice) + slice.bytes();
  return sum;
}

}  // namespace adit
