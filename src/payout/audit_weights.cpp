// SPDX-License-Identifier: MIT
// From the shares to the weights of a block.
#include "adit/base/check.h"
#include "adit/ledger/reader.h"
#include "payout/audit_state.h"

namespace adit {
namespace {

std::string slice_name(SliceNumber number) { return "slice " + std::to_string(number.value()); }

}  // namespace

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

/// A round begins where an earlier one ended.
Status Audit::check_round() {
  const SettlementRecord& record = report_.settlement;
  if (record.first_slice <= 1 || record.first_slice > record.slice) return {};
  const SliceNumber before(record.first_slice - 1);
  bool known = history_.paid_at_once(before) == before;
  const Status s = for_each_settlement(store_, false, [&](const SettlementRecord& other) {
    known = known || other.slice == before.value();
    return !known;
  });
  if (!s) return s;
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
  check_chain(**slices);
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
  std::vector<BlockRecord> taken;
  const Status s = for_each_settlement(store_, false, [&](const SettlementRecord& other) {
    if (other.taken_by != block_.hash.hex()) return true;
    taken.emplace_back();
    taken.back().hash = other.block, taken.back().height = other.height;
    return true;
  });
  if (!s) return s;
  for (const BlockRecord& block : taken) {
    const auto record = read_settlement(store_, block);
    if (!record) return record.error();
    if (*record) claims_->add(**record);
  }
  return {};
}

void Audit::check_chain(const std::vector<SliceRecord>& slices) {
  for (std::size_t i = 1; i < slices.size(); ++i)
    if (slices[i].previous != slices[i - 1].hash())
      problem(slice_name(slices[i].number) + " does not name " + slice_name(slices[i - 1].number) +
              " as it stands: one of them was changed");
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
