// SPDX-License-Identifier: MIT
// What had to be settled, by which slice and terms: from the block's own record and the history of
// terms, not from the settlement.
#include <algorithm>

#include "adit/ledger/reader.h"
#include "adit/payout/treasury.h"
#include "payout/audit_state.h"
#include "payout/settlement_rows.h"

namespace adit {
namespace {

/// So near to the oldest slice on disk, the one that a block closed may be gone already.
constexpr std::uint64_t kNearOldest = 64;

}  // namespace

/// False: there is nothing (more) to compare. A row that is not what was written is a problem, and
/// is looked at all the same as far as it can be read.
Result<bool> Audit::find_settlement() {
  const std::string key = settled_block_key(block_.height, block_.hash);
  const auto value = store_.get(Family::Credits, kSettlementPrefix + key);
  if (!value) return value.error();
  if (!*value) return false;
  auto record = settlement_of(kSettlementPrefix + key, **value);
  if (!record) {
    problem(record.error().text);
    return false;
  }
  report_.settlement = *std::move(record);
  const auto rows = store_.get(Family::Credits, kSharesPrefix + key);
  if (!rows) return rows.error();
  auto shares = *rows ? decode_shares(bytes_of(**rows)) : std::nullopt;
  if (!shares) {
    problem("the settlement's shares are missing or broken");
    return false;
  }
  if (sha256(bytes_of(**rows)) != report_.settlement.shares_digest)
    problem("the settlement's shares are not those that were sealed in");
  report_.settlement.shares = *std::move(shares);
  return true;
}

/// A block is settled when it is found, or ten seconds later, or (after a crash in between) when
/// the pool starts again.
void Audit::check_missing() {
  if (!report_.problems.empty()) return;
  const std::string text =
      "the block is " + std::string(block_state_name(block_.state)) + " and has no settlement";
  const bool overdue =
      block_.value > Satoshi{} &&
      (block_.state == BlockState::Mature ||
       (block_.state == BlockState::Accepted && block_.plan_slice != 0 &&
        books_.newest_opened.value() - block_.found.value() >= Treasury::kShareWaitMillis));
  if (overdue)
    problem(text);
  else
    note(text);
}

void Audit::check_terms() {
  const SettlementRecord& record = report_.settlement;
  const std::string ours = record.terms.text(), script = to_hex(record.pool_script);
  if (!block_.pool_script.empty())
    compare_number("the block", "its job had the pool script", to_hex(block_.pool_script),
                   "its settlement has", script);
  if (const auto promised = PayoutTerms::parse(block_.terms)) {
    compare_number("the block", "its job promised", promised->text(), "its settlement has", ours);
    if (!history_.knows(record.terms, record.pool_script))
      problem("the settlement's terms were never in force: " + ours + ", pool script " + script);
  } else if (!history_.held(SliceNumber(record.slice), record.terms, record.pool_script)) {
    problem("the settlement's terms were not in force with " +
            slice_name(SliceNumber(record.slice)) + ": " + ours + ", pool script " + script);
  }
  compare_number("the block", "its record says a value of", money_text(block_.value),
                 "its settlement", money_text(record.value));
  Satoshi entitled = record.pool_entitled, paid = record.pool_paid + record.unknown_paid;
  for (const PlanShare& share : record.shares) entitled += share.entitled, paid += share.paid;
  compare_number("the settlement", "all its parts add up to", money_text(entitled), "the value is",
                 money_text(record.value));
  const bool coinbase = record.terms.way == PayWay::Coinbase;
  compare_number("the settlement", "what the coinbase paid adds up to", money_text(paid),
                 "it must be", money_text(coinbase ? record.value : Satoshi{}));
}

/// Of a block without a plan; none: they can no longer be told.
Result<std::vector<SliceNumber>> Audit::possible_slices() {
  const auto holding = slice_holding(store_, block_.after);
  if (!holding) return holding.error();
  if (books_.oldest > SliceNumber(1)) {
    const auto newest = newest_slice(store_);
    if (!newest) return newest.error();
    const bool open = !*holding && *newest && (*newest)->last < block_.after;
    const SliceNumber near = *holding ? (*holding)->number : open ? books_.newest : SliceNumber();
    if (near.value() <= books_.oldest.value() + kNearOldest) return std::vector<SliceNumber>();
  }
  const auto closed = slice_closed_by(store_, block_);
  if (!closed) return closed.error();
  const auto before = slice_before(store_, block_);
  if (!before) return before.error();
  if (!*closed) return std::vector{*before};
  const auto slice = read_slice(store_, **closed);
  if (!slice) return slice.error();
  // Its share may have come when nobody waited for it any more.
  const bool late =
      *slice && (*slice)->closed.value() - block_.found.value() >= Treasury::kShareWaitMillis;
  return late ? std::vector{**closed, *before} : std::vector{**closed};
}

Status Audit::check_slice() {
  const SettlementRecord& record = report_.settlement;
  const bool plans = record.terms.way == PayWay::Coinbase && by_weights(record.terms.scheme.kind);
  const bool by_plan = plans && block_.plan_slice != 0;
  const bool as_planned =
      by_plan && record.slice == block_.plan_slice && record.plan_entry == block_.plan_entry;
  compare_number("the settlement", "its plan's outputs could take",
                 std::to_string(record.plan_weight), "the block says",
                 std::to_string(as_planned ? block_.plan_weight : 0));
  if (as_planned) return {};
  auto slices = possible_slices();
  if (!slices && slices.error().code == ErrorCode::Io) return slices.error();
  if (!slices) {
    problem(slices.error().text);
    return {};
  }
  if (slices->empty() && !by_plan) {
    note("which slice the block closed is no longer in the books");
    return {};
  }
  // Of a plan whose slices a power loss took, the block is settled as if it had none.
  if (by_plan) {
    std::erase_if(*slices, [&](SliceNumber n) { return n.value() >= block_.plan_slice; });
    slices->insert(slices->begin(), SliceNumber(block_.plan_slice));
  }
  if (by_plan && record.slice == block_.plan_slice)
    problem("the settlement counts carries up to entry " + std::to_string(record.plan_entry) +
            ", the block's plan up to " + std::to_string(block_.plan_entry));
  else if (std::find(slices->begin(), slices->end(), SliceNumber(record.slice)) == slices->end())
    problem("the settlement counts up to " + slice_name(SliceNumber(record.slice)) +
            (by_plan ? ", the block's plan up to " : ", the block came with ") +
            slice_name(slices->front()));
  if (record.terms.way != PayWay::Coinbase
          ? record.plan_entry != 0
          : record.first_entry != 0 && record.plan_entry >= record.first_entry)
    problem("the settlement counts carries up to entry " + std::to_string(record.plan_entry) +
            ", which it cannot know");
  return {};
}

}  // namespace adit
