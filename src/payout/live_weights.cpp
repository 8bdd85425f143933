// SPDX-License-Identifier: MIT
#include "payout/live_weights.h"

#include <algorithm>

#include "adit/base/check.h"

namespace adit {

Status LiveWeights::open(LedgerStore& store, const PayoutTerms& terms, const TermsHistory& history,
                         SliceNumber newest) {
  store_ = &store;
  history_ = &history;
  terms_ = terms;
  first_ = newest_ = newest;
  loaded_ = false;
  settled_.clear();
  return for_each_settlement(store, false, [&](const SettlementRecord& record) {
    settled_.insert(SliceNumber(record.slice));
    return true;
  });
}

Status LiveWeights::load() {
  loaded_ = true;
  window_ = Window(0);
  round_.clear();
  first_ = newest_;
  if (newest_ == SliceNumber() || terms_.scheme.kind == SchemeKind::Solo) return {};
  if (pays_slices(terms_.scheme.kind)) return {};
  auto slices = needed_slices(*store_, newest_, terms_, *history_, true);
  if (!slices) return slices.error();
  if (slices->empty()) {  // all of it was paid at once
    first_ = SliceNumber(newest_.value() + 1);
    return {};
  }
  first_ = slices->front().number;
  window_.resize(window_size(terms_, slices->back().network));
  for (SliceRecord& slice : *slices) {
    if (terms_.scheme.kind == SchemeKind::Prop)
      add_work(round_, slice.slice.entries());
    else
      window_.add(std::move(slice.slice));
  }
  return {};
}

SliceNumber LiveWeights::round_first() const {
  const auto at = settled_.lower_bound(newest_);
  const SliceNumber before = at == settled_.begin() ? SliceNumber() : *std::prev(at);
  return SliceNumber(std::max(before, history_->paid_at_once(newest_)).value() + 1);
}

Status LiveWeights::settled(SliceNumber slice) {
  settled_.insert(slice);
  const bool cuts = terms_.scheme.kind == SchemeKind::Prop && slice >= first_ && slice < newest_;
  return cuts && loaded_ ? load() : Status();
}

Status LiveWeights::add(const SliceRecord& slice) {
  CHECK(slice.number.value() == newest_.value() + 1);
  newest_ = slice.number;
  if (!loaded_) return load();
  switch (terms_.scheme.kind) {
    case SchemeKind::Prop:
      if (first_ == SliceNumber() || round_first() > first_) return load();
      add_work(round_, slice.slice.entries());
      return {};
    case SchemeKind::Pplns:
      // Widened before it forgets: a new difficulty counts from this slice on.
      window_.resize(window_size(terms_, slice.network));
      window_.add(slice.slice);
      first_ = SliceNumber(newest_.value() - window_.slices() + 1);
      return look_back();
    case SchemeKind::Solo:
    case SchemeKind::Pps:
    case SchemeKind::Fpps:
      first_ = newest_;
      return {};
  }
  UNREACHABLE();
}

/// A window that has grown wants slices again that it had forgotten.
Status LiveWeights::look_back() {
  if (!window_.short_of_work() || first_ <= SliceNumber(1)) return {};
  const auto floor = slice_floor(*store_, newest_, *history_, true);
  if (!floor) return floor.error();
  while (window_.short_of_work() && first_.value() > floor->value() + 1) {
    first_ = SliceNumber(first_.value() - 1);
    auto slice = slice_or_gone(*store_, first_);
    if (!slice) return slice.error();
    window_.add_front(std::move(slice->slice));
  }
  return {};
}

Result<Derived> LiveWeights::at(SliceNumber slice) const {
  CHECK(slice <= newest_);
  if (loaded_ && slice == newest_ && slice != SliceNumber()) {
    if (terms_.scheme.kind == SchemeKind::Pplns) return Derived{first_, window_.weights()};
    if (terms_.scheme.kind == SchemeKind::Prop) return Derived{first_, as_weights(round_)};
  }
  return derive_weights(*store_, slice, terms_, *history_, true);
}

}  // namespace adit
