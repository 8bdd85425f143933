// SPDX-License-Identifier: MIT
// From the shares to the weights of a block.
#include "adit/base/check.h"
#include "adit/ledger/reader.h"
#include "payout/audit_state.h"
#include "payout/rounds.h"

namespace adit {

/// The slices the settlement says it counted; nullopt, with a note or a problem: they are not
/// there.
Result<std::optional<std::vector<SliceRecord>>> Audit::counted_slices() {
  const SettlementRecord& record = report_.settlement;
  const SliceNumber last(record.slice);
  if (record.terms.scheme.kind == SchemeKind::Pplns) {
    auto slices = needed_slices(store_, last, record.terms, history_, false);
    if (slices) return std::optional(*std::move(slices));
    if (slices.error().code == ErrorCode::Io) return slices.error();
    if (slices.error().code == ErrorCode::NotFound)
      note("the window cannot be derived again: " + slices.error().text);
    else
      problem(slices.error().text);
    return std::optional<std::vector<SliceRecord>>();
  }
  std::vector<SliceRecord> slices;
  for (const SliceSet::Range& range : record.slices.ranges())
    for (std::uint64_t n = range.first; n <= range.last; ++n) {
      auto slice = read_slice(store_, SliceNumber(n));
      if (!slice && slice.error().code == ErrorCode::Io) return slice.error();
      if (!slice || !*slice) {
        if (slice)
          note("the round cannot be derived again: " + slice_name(SliceNumber(n)) +
               " is no longer in the books");
        else
          problem(slice.error().text);
        return std::optional<std::vector<SliceRecord>>();
      }
      slices.push_back(**std::move(slice));
    }
  return std::optional(std::move(slices));
}

/// No slice pays two blocks, unless they share a round; none before the block's is left out, and
/// none is counted that was paid at once or came later, but for those of a round that is shared.
void Audit::check_round() {
  const SettlementRecord& record = report_.settlement;
  const auto& ranges = record.slices.ranges();
  compare_number("the round", "its settlement says it begins with slice",
                 std::to_string(record.first_slice), "its slices with",
                 std::to_string(ranges.empty() ? 0 : ranges.front().first));
  if (!is_live(record.state)) return;
  const SliceNumber last(record.slice);
  SliceSet left_out(SliceNumber(1), last);
  left_out.remove(record.slices);
  const SliceNumber paid = history_.paid_at_once(last);
  left_out.remove(SliceSet(SliceNumber(1), paid));
  SliceSet beyond = record.slices;
  beyond.remove(SliceSet(SliceNumber(paid.value() + 1), last));
  if (books_.oldest > SliceNumber(1))
    left_out.remove(SliceSet(SliceNumber(1), SliceNumber(books_.oldest.value() - 1)));
  for (const std::string& broken : books_.broken) problem(broken);
  for (const SettlementRecord& other : books_.settlements) {
    if (other.terms.scheme.kind != SchemeKind::Prop) {
      if (other.slice < record.slice)
        left_out.remove(SliceSet(SliceNumber(1), SliceNumber(other.slice)));
      continue;
    }
    left_out.remove(other.slices);
    if (other.block != record.block && other.slices.contains(last)) beyond.remove(other.slices);
    const bool apart = other.block == record.block || !other.slices.meets(record.slices);
    if (!apart && is_live(other.state) &&
        !(other.slices.contains(last) && record.slices.contains(SliceNumber(other.slice))))
      problem("the round counts slices that block " + other.block.hex() + " was divided by");
  }
  if (!left_out.empty())
    problem("the round leaves out slices " + left_out.text() + ", which no block was divided by");
  if (!beyond.empty())
    problem("the round counts slices " + beyond.text() + ", which its block has no part in");
}

Status Audit::check_weights() {
  const SettlementRecord& record = report_.settlement;
  claims_.emplace();
  if (record.slice == 0) return {};
  auto slices = counted_slices();
  if (!slices) return slices.error();
  if (!*slices) {
    claims_.reset();
    return {};
  }
  report_.slices_checked = (*slices)->size();
  if (Status s = check_chain(**slices); !s) return s;
  if (scope_.with_shares)
    if (Status s = check_shares(**slices); !s) return s;
  const IsPool pools = [this](AccountId account) { return is_pool(account); };
  if (record.terms.scheme.kind == SchemeKind::Prop) {
    check_round();
    for (const SliceRecord& slice : **slices) claims_->add(slice.slice.entries(), pools);
  } else if (!(*slices)->empty()) {
    Window window(window_size(record.terms, (*slices)->back().network));
    for (SliceRecord& slice : **slices) window.add(std::move(slice.slice));
    claims_->add(window.weights(), pools);
  }
  return {};
}

Status Audit::check_chain(const std::vector<SliceRecord>& slices) {
  for (std::size_t i = 1; i < slices.size(); ++i)
    if (slices[i].number.value() == slices[i - 1].number.value() + 1 &&
        slices[i].previous != slices[i - 1].hash())
      problem(slice_name(slices[i].number) + " does not name " + slice_name(slices[i - 1].number) +
              " as it stands: one of them was changed");
  // The newest one, too, is named by the one after it.
  if (slices.empty()) return {};
  const SliceRecord& last = slices.back();
  const auto next = read_slice(store_, SliceNumber(last.number.value() + 1));
  if (!next && next.error().code == ErrorCode::Io) return next.error();
  if (next && *next && (*next)->previous != last.hash())
    problem(slice_name((*next)->number) + " does not name " + slice_name(last.number) +
            " as it stands: one of them was changed");
  return {};
}

Status Audit::check_shares(const std::vector<SliceRecord>& slices) {
  if (slices.empty()) return {};
  const Sequence first = slices.front().first, last = slices.back().last;
  WorkByAccount sums;
  std::size_t at = 0;
  std::uint64_t looked = 0, complete = 0;
  Sequence oldest;
  const Status s = for_each_share(store_, first, [&](const ShareRecord& share) {
    if (oldest == Sequence()) oldest = share.sequence;
    while (at < slices.size() && share.sequence > slices[at].last) ++at, sums.clear();
    if (at == slices.size() || share.sequence > last) return false;
    if (share.sequence < slices[at].first) return true;  // of another block's round
    ++looked;
    add_work(sums, {{share.account, share.work.value()}});
    if (share.sequence == slices[at].last && oldest <= slices[at].first) {
      check_slice(slices[at], sums);
      ++complete;
    }
    return true;
  });
  if (!s && s.error().code == ErrorCode::Io) return s;
  if (!s) problem(s.error().text);
  report_.shares_checked = looked;
  if (complete < slices.size())
    note("the shares of " + std::to_string(slices.size() - complete) + " of " +
         std::to_string(slices.size()) + " slices are no longer in the books");
  return {};
}

void Audit::check_slice(const SliceRecord& slice, const WorkByAccount& shares) {
  WorkByAccount entries;
  for (const AccountWork& entry : slice.slice.entries()) entries[entry.account] = entry.work;
  compare(entries, shares, slice_name(slice.number) + " says work", "its shares add up to");
}

}  // namespace adit
