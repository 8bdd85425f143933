// SPDX-License-Identifier: MIT
#include "ledger/verify_slices.h"

#include <algorithm>
#include <string>

#include "ledger/books.h"

namespace adit {

Status SliceChecker::read_rows(std::optional<Sequence> from) {
  return store_.scan(Family::Slices, "", [&](std::string_view key, std::string_view value) {
    ++rows_;
    const auto slice = SliceRecord::decode(bytes_of(value));
    if (!slice)
      problem_(key, slice.error().text);
    else if (u64_of_key(key) != slice->number.value())
      problem_(key, "stands under another slice's key");
    else
      check_row(key, *slice, from);
    broken_ = !slice;
    return true;
  });
}

void SliceChecker::check_row(std::string_view key, const SliceRecord& slice,
                             std::optional<Sequence> from) {
  if (slice.number == SliceNumber(1)) {
    if (slice.previous != Digest{}) problem_(key, "is the first and names one before it");
    if (from != slice.first) problem_(key, "does not begin where meta slices_from says");
  }
  if (!bounds_.empty()) {
    const Bounds& before = bounds_.back();
    if (slice.first.value() <= before.last)
      return problem_(key, "holds a share of slice " + std::to_string(before.number.value()));
    if (!broken_) {
      if (slice.number.value() != before.number.value() + 1)
        problem_(key,
                 "follows slice " + std::to_string(before.number.value()) + ": slices are missing");
      else if (slice.first.value() != before.last + 1)
        problem_(key,
                 "does not begin where slice " + std::to_string(before.number.value()) + " ends");
      else if (slice.previous != previous_)
        problem_(key, "does not continue the chain of slices");
    }
  }
  bounds_.push_back({slice.number, slice.first.value(), slice.last.value()});
  previous_ = slice.hash();
}

/// The slice that holds `sequence`, or the one after it. A wild sequence may skip some: that it is
/// wild has been told already.
void SliceChecker::next_slice(std::uint64_t sequence) {
  while (at_ < bounds_.size() && bounds_[at_].last < sequence) ++at_;
  if (at_ == bounds_.size()) return;
  begin_ = bounds_[at_].first;
  end_ = bounds_[at_].last;
  whole_ = false;
}

Status SliceChecker::count(const ShareRecord& share, const Digest& chain) {
  if (share.sequence.value() == begin_) {
    whole_ = true;
    opened_ = share.time;
    total_ = 0;
    tree_.clear();
    for (const std::uint32_t account : touched_) works_[account] = 0;
    touched_.clear();
  } else if (share.sequence.value() != expected_) {
    whole_ = false;
  }
  expected_ = share.sequence.value() + 1;
  const std::uint32_t account = share.account.value();
  const Uint128 work = share.work.value();
  if (account == 0 || account > kMaxBookId || work == 0 ||
      __builtin_add_overflow(total_, work, &total_))
    whole_ = false;
  if (whole_) {
    if (account >= works_.size())
      works_.resize(std::max<std::size_t>(account + 1, works_.size() * 2));
    if (works_[account] == 0) touched_.push_back(account);
    works_[account] += work;
    tree_.add(chain);
  }
  return share.sequence.value() == end_ ? compare(share, chain) : Status();
}

Slice SliceChecker::take_sums() {
  std::sort(touched_.begin(), touched_.end());
  std::vector<AccountWork> sums;
  sums.reserve(touched_.size());
  for (const std::uint32_t account : touched_)
    sums.push_back({AccountId(account), works_[account]});
  return Slice(sums);
}

Status SliceChecker::compare(const ShareRecord& last, const Digest& chain) {
  const std::string key = key_u64(bounds_[at_].number.value());
  const auto value = store_.get(Family::Slices, key);
  if (!value) return value.error();
  // A row that cannot be read, or is gone since, was or is no part of these bounds.
  const auto slice =
      *value ? SliceRecord::decode(bytes_of(**value)) : Error{ErrorCode::NotFound, ""};
  if (!slice) return {};
  if (slice->chain != chain) problem_(key, "has another chain value than its last share");
  if (slice->block != BlockHash{} && (slice->block != last.hash || !last.is_block))
    problem_(key, "names a block that its last share did not make");
  if (!whole_) return {};
  if (slice->opened != opened_) problem_(key, "has another time than its first share");
  if (slice->root != tree_.root()) problem_(key, "has another root than its shares");
  if (slice->slice != take_sums())
    problem_(key, "says " + std::to_string(slice->slice.count()) + " accounts and work " +
                      Work(slice->slice.total()).decimal() + "; its shares are of " +
                      std::to_string(touched_.size()) + " accounts with work " +
                      Work(total_).decimal() + ", or divide it otherwise");
  return {};
}

void SliceChecker::finish(Sequence last, const SliceMark& through) {
  const SliceMark newest =
      bounds_.empty() ? SliceMark{} : SliceMark{bounds_.back().number, previous_};
  if (newest != through)
    problem_(key_u64(newest.number.value()),
             "is the newest, but not the one that meta slices_through names: slice " +
                 std::to_string(through.number.value()) + " " + to_hex(through.hash));
  for (const Bounds& bounds : bounds_)
    if (bounds.last > last.value())
      return problem_(key_u64(bounds.number.value()), "holds shares that do not exist");
}

}  // namespace adit
