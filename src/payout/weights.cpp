// SPDX-License-Identifier: MIT
#include "payout/weights.h"

#include <algorithm>

#include "adit/base/check.h"
#include "adit/ledger/reader.h"
#include "adit/payout/treasury.h"
#include "payout/rounds.h"

namespace adit {
namespace {

/// How far from a block its own share's slice may stand.
constexpr std::int64_t kNearMillis = 600'000;
constexpr int kNearSlices = 64;

Error gone(SliceNumber number) {
  return {ErrorCode::NotFound,
          "slice " + std::to_string(number.value()) + " is no longer in the books"};
}

/// solo: the account whose share made the block that ended the slice.
Result<Derived> finder_of(LedgerStore& store, SliceNumber last) {
  const auto slice = slice_or_gone(store, last);
  if (!slice) return slice.error();
  Derived finder{last, {}, {}};
  if (slice->block == BlockHash{}) return finder;
  const Status s = for_each_share(store, slice->last, [&](const ShareRecord& share) {
    if (share.sequence == slice->last) finder.weights = {{share.account, share.work.value()}};
    return false;
  });
  if (!s) return s.error();
  return finder;
}

}  // namespace

Result<SliceRecord> slice_or_gone(LedgerStore& store, SliceNumber number) {
  auto slice = read_slice(store, number);
  if (!slice) return slice.error();
  if (!*slice) return gone(number);
  return **std::move(slice);
}

void add_work(WorkByAccount& to, const std::vector<AccountWork>& more) {
  for (const AccountWork& entry : more) {
    Uint128& sum = to[entry.account];
    CHECK(!__builtin_add_overflow(sum, entry.work, &sum));
  }
}

std::vector<AccountWork> as_weights(const WorkByAccount& works) {
  std::vector<AccountWork> weights;
  weights.reserve(works.size());
  for (const auto& [account, work] : works)
    if (work > 0) weights.push_back({account, work});
  return weights;
}

Uint128 window_size(const PayoutTerms& terms, const NetworkFacts& network) {
  Uint128 size = 0;
  const bool fits = !__builtin_mul_overflow(network.work, Uint128{terms.scheme.factor}, &size);
  return fits ? size : ~Uint128{0};
}

Result<SliceNumber> slice_floor(LedgerStore& store, SliceNumber last, const TermsHistory& history,
                                bool as_it_is) {
  const SliceNumber floor = history.paid_at_once(last);
  if (!as_it_is) return floor;
  const auto oldest = oldest_slice(store);
  if (!oldest) return oldest.error();
  if (!*oldest) return floor;
  return std::max(floor, SliceNumber((*oldest)->number.value() - 1));
}

Result<std::vector<SliceRecord>> needed_slices(LedgerStore& store, SliceNumber last,
                                               const PayoutTerms& terms,
                                               const TermsHistory& history, bool as_it_is) {
  const auto floored = slice_floor(store, last, history, as_it_is);
  if (!floored) return floored.error();
  std::optional<Uint128> enough;
  std::vector<SliceRecord> slices;
  Uint128 total = 0;
  for (SliceNumber n = last; n > *floored && (!enough || total < *enough);
       n = SliceNumber(n.value() - 1)) {
    auto slice = slice_or_gone(store, n);
    if (!slice) return slice.error();
    if (n == last) enough = window_size(terms, slice->network);
    CHECK(!__builtin_add_overflow(total, slice->slice.total(), &total));
    slices.push_back(*std::move(slice));
  }
  std::reverse(slices.begin(), slices.end());
  return slices;
}

Result<Derived> derive_weights(LedgerStore& store, SliceNumber last, const PayoutTerms& terms,
                               const TermsHistory& history, bool as_it_is) {
  if (last == SliceNumber() || pays_slices(terms.scheme.kind)) return Derived{};
  if (terms.scheme.kind == SchemeKind::Solo) return finder_of(store, last);
  if (terms.scheme.kind == SchemeKind::Prop) {
    const auto floor = slice_floor(store, last, history, as_it_is);
    if (!floor) return floor.error();
    const auto rounds = Rounds::read(store);
    if (!rounds) return rounds.error();
    return derive_round(store, rounds->at(last, *floor));
  }
  auto slices = needed_slices(store, last, terms, history, as_it_is);
  if (!slices) return slices.error();
  if (slices->empty()) return Derived{};
  const SliceNumber first = slices->front().number;
  Window window(window_size(terms, slices->back().network));
  for (SliceRecord& slice : *slices) window.add(std::move(slice.slice));
  return Derived{first, window.weights(), {}};
}

Result<Derived> derive_round(LedgerStore& store, const SliceSet& slices) {
  Derived round;
  WorkByAccount works;
  for (const SliceSet::Range& range : slices.ranges())
    for (std::uint64_t n = range.first; n <= range.last; ++n) {
      const auto slice = slice_or_gone(store, SliceNumber(n));
      if (!slice) return slice.error();
      add_work(works, slice->slice.entries());
    }
  if (!slices.empty()) round.first = SliceNumber(slices.ranges().front().first);
  round.weights = as_weights(works);
  round.slices = slices;
  return round;
}

Result<std::vector<AccountWork>> weights_at(LedgerStore& store, SliceNumber last,
                                            const PayoutTerms& terms) {
  const auto history = TermsHistory::read(store);
  if (!history) return history.error();
  auto derived = derive_weights(store, last, terms, *history, false);
  if (!derived) return derived.error();
  return std::move(derived->weights);
}

Result<std::optional<SliceNumber>> slice_closed_by(LedgerStore& store, const BlockRecord& block) {
  auto start = slice_holding(store, block.after);
  if (!start) return start.error();
  if (!*start) start = newest_slice(store);
  if (!start) return start.error();
  if (!*start) return std::optional<SliceNumber>();
  const std::uint64_t middle = (*start)->number.value();
  const auto search = [&](bool back) -> Result<std::optional<SliceNumber>> {
    for (std::uint64_t i = back ? 0 : 1; i < kNearSlices && (!back || i < middle); ++i) {
      const auto slice = read_slice(store, SliceNumber(back ? middle - i : middle + i));
      if (!slice) return slice.error();
      if (!*slice) break;
      if ((*slice)->block == block.hash) return std::optional((*slice)->number);
      if (back && (*slice)->closed.value() < block.found.value() - kNearMillis) break;
      if (!back && (*slice)->opened.value() > block.found.value() + kNearMillis) break;
    }
    return std::optional<SliceNumber>();
  };
  const auto before = search(true);
  if (!before || *before) return before;
  return search(false);
}

Result<SliceNumber> slice_before(LedgerStore& store, const BlockRecord& block) {
  const auto holding = slice_holding(store, block.after);
  if (!holding) return holding.error();
  if (*holding) {
    const SliceRecord& slice = **holding;
    return slice.last == block.after ? slice.number : SliceNumber(slice.number.value() - 1);
  }
  const auto newest = newest_slice(store);
  if (!newest) return newest.error();
  if (!*newest || (*newest)->last > block.after) return SliceNumber();
  return (*newest)->number;
}

}  // namespace adit
