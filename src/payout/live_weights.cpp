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
  auto rounds = Rounds::read(store);
  if (!rounds) return rounds.error();
  rounds_ = *std::move(rounds);
  return {};
}

Status LiveWeights::load() {
  loaded_ = true;
  window_ = Window(0);
  round_.clear();
  slices_ = {};
  first_ = newest_;
  if (newest_ == SliceNumber() || terms_.scheme.kind == SchemeKind::Solo) return {};
  if (pays_slices(terms_.scheme.kind)) return {};
  if (terms_.scheme.kind == SchemeKind::Prop) return follow_round();
  auto slices = needed_slices(*store_, newest_, terms_, *history_, true);
  if (!slices) return slices.error();
  if (slices->empty()) {  // all of it was paid at once
    first_ = SliceNumber(newest_.value() + 1);
    return {};
  }
  first_ = slices->front().number;
  window_.resize(window_size(terms_, slices->back().network));
  for (SliceRecord& slice : *slices) window_.add(std::move(slice.slice));
  return {};
}

Result<SliceSet> LiveWeights::round_at(SliceNumber slice) const {
  const auto floor = slice_floor(*store_, slice, *history_, true);
  if (!floor) return floor.error();
  return rounds_.at(slice, *floor);
}

/// Reads the round again if it is not the one at hand with the newest slice.
Status LiveWeights::follow_round() {
  const auto slices = round_at(newest_);
  if (!slices) return slices.error();
  if (*slices == slices_) return {};
  const auto round = derive_round(*store_, *slices);
  if (!round) return round.error();
  round_.clear();
  add_work(round_, round->weights);
  slices_ = round->slices;
  first_ = slices_.empty() ? SliceNumber(newest_.value() + 1) : round->first;
  return {};
}

Status LiveWeights::settled(const SettlementRecord& record) {
  rounds_.note(record);
  const bool cuts = terms_.scheme.kind == SchemeKind::Prop && loaded_ && newest_ != SliceNumber();
  return cuts ? follow_round() : Status();
}

Result<std::vector<Rounds::Change>> LiveWeights::returns(const SettlementRecord& back) const {
  const auto floor = slice_floor(*store_, SliceNumber(back.slice), *history_, true);
  if (!floor) return floor.error();
  return rounds_.returns(back, *floor);
}

Status LiveWeights::add(const SliceRecord& slice) {
  CHECK(slice.number.value() == newest_.value() + 1);
  newest_ = slice.number;
  if (!loaded_) return load();
  switch (terms_.scheme.kind) {
    case SchemeKind::Prop: {
      SliceSet longer = slices_;
      longer.add(SliceSet(newest_, newest_));
      const auto slices = round_at(newest_);
      if (!slices) return slices.error();
      if (*slices != longer) return follow_round();
      if (slices_.empty()) first_ = newest_;
      slices_ = std::move(longer);
      add_work(round_, slice.slice.entries());
      return {};
    }
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
    if (terms_.scheme.kind == SchemeKind::Pplns) return Derived{first_, window_.weights(), {}};
    if (terms_.scheme.kind == SchemeKind::Prop) return Derived{first_, as_weights(round_), slices_};
  }
  if (terms_.scheme.kind == SchemeKind::Prop) {
    const auto slices = round_at(slice);
    return slices ? derive_round(*store_, *slices) : slices.error();
  }
  return derive_weights(*store_, slice, terms_, *history_, true);
}

}  // namespace adit
