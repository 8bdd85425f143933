// SPDX-License-Identifier: MIT
// From the shares to the weights of a block.
#include "adit/base/check.h"
#include "adit/ledger/reader.h"
#include "payout/audit_state.h"

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
  for (SliceNumber n(record.first_slice); n <= last && n > SliceNumber();
       n = SliceNumber(n.value() + 1)) {
    auto slice = read_slice(store_, n);
    if (!slice && slice.error().code == ErrorCode::Io) return slice.error();
    if (!slice || !*slice) {
      if (slice)
        note("the round cannot be derived again: " + slice_name(n) + " is no longer in the books");
      else
        problem(slice.error().text);
      return std::optional<std::vector<SliceRecord>>();
    }
    slices.push_back(**std::move(slice));
  }
  return std::optional(std::move(slices));
}

/// Whether a block's settlement was there when this one's was made. (One whose share never came was
/// waited for: nothing tells how long.)
Result<bool> Audit::settled_before(const SettlementRecord& other) const {
  const auto block = books_.blocks.find(other.block);
  if (block == books_.blocks.end() || block->second.after >= block_.after) return false;
  if (other.terms.way == PayWay::Coinbase && block->second.plan_slice == other.slice) return true;
  const auto closed = slice_closed_by(store_, block->second);
  if (!closed) return closed.error();
  return *closed == SliceNumber(other.slice);
}

/// A round begins where an earlier one ended, and holds none that ended before this block.
Status Audit::check_round() {
  const SettlementRecord& record = report_.settlement;
  if (record.first_slice == 0 || record.first_slice > record.slice) return {};
  const SliceNumber before(record.first_slice - 1);
  bool known = before == SliceNumber() || history_.paid_at_once(before) == before;
  for (const std::string& broken : books_.broken) problem(broken);
  for (const SettlementRecord& other : books_.settlements) {
    known = known || other.slice == before.value();
    const bool live = other.state == SettlementState::Pending ||
                      other.state == SettlementState::Booked || other.taken_by == block_.hash.hex();
    if (!live || other.slice < record.first_slice || other.slice >= record.slice) continue;
    const auto counted = settled_before(other);
    if (!counted) return counted.error();
    if (*counted)
      problem("the round begins with " + slice_name(SliceNumber(record.first_slice)) +
              ", but the block " + other.block.hex() + " was settled before by " +
              slice_name(SliceNumber(other.slice)));
  }
  if (!known)
    problem("the round begins with slice " + std::to_string(record.first_slice) +
            ", but no block was settled by the slice before it");
  return {};
}

Status Audit::check_weights() {
  const SettlementRecord& record = report_.settlement;
  claims_.emplace();
  if (record.slice == 0) return add_taken();
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
    if (Status s = check_round(); !s) return s;
    for (const SliceRecord& slice : **slices) claims_->add(slice.slice.entries(), pools);
  } else if (!(*slices)->empty()) {
    Window window(window_size(record.terms, (*slices)->back().network));
    for (SliceRecord& slice : **slices) window.add(std::move(slice.slice));
    claims_->add(window.weights(), pools);
  }
  return add_taken();
}

/// prop: the work of lost blocks that joined this one's round.
Status Audit::add_taken() {
  if (report_.settlement.terms.scheme.kind != SchemeKind::Prop) return {};
  for (const SettlementRecord& other : books_.settlements) {
    if (other.taken_by != block_.hash.hex()) continue;
    const auto block = books_.blocks.find(other.block);
    if (block == books_.blocks.end()) continue;
    const auto record = read_settlement(store_, block->second);
    if (!record && record.error().code == ErrorCode::Io) return record.error();
    if (record && *record)
      claims_->add(**record);
    else
      problem(record ? "the settlement of " + other.block.hex() + " is gone" : record.error().text);
  }
  return {};
}

Status Audit::check_chain(const std::vector<SliceRecord>& slices) {
  for (std::size_t i = 1; i < slices.size(); ++i)
    if (slices[i].previous != slices[i - 1].hash())
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
