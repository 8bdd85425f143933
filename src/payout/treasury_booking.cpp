// SPDX-License-Identifier: MIT
// From a settlement into the journal and back, as its block comes and goes.
#include "adit/base/log.h"
#include "payout/settlement_rows.h"
#include "payout/treasury_state.h"

namespace adit {
namespace {

bool in_chain(BlockState state) {
  return state == BlockState::Accepted || state == BlockState::Mature;
}
/// The chain has paid (way coinbase), or the reward has ripened.
bool is_due(PayWay way, BlockState state) {
  return way == PayWay::Coinbase ? in_chain(state) : state == BlockState::Mature;
}

const Book kBlocks{BookKind::Blocks, 0}, kPool{BookKind::Pool, 0}, kCoinbase{BookKind::Coinbase, 0},
    kUnknown{BookKind::Unknown, 0};

}  // namespace

using State = Treasury::State;

bool is_lost(BlockState state) {
  return state == BlockState::Orphaned || state == BlockState::Refused;
}

Status State::apply(const BlockRecord& block, SettlementRecord record, UnixMillis now) {
  const PayWay way = record.terms.way;
  switch (record.state) {
    case SettlementState::Booked:
      if (is_lost(block.state)) return reverse(std::move(record), now);
      if (block.state == BlockState::Mature) {
        unripe.remove(block.hash);
      } else if (way == PayWay::Coinbase && !unripe.blocks.contains(block.hash)) {
        const auto whole = with_shares(std::move(record));
        if (!whole) return whole.error();
        unripe.add(block.hash, whole->shares);
      }
      return {};
    case SettlementState::Pending:
      if (is_due(way, block.state)) return book(block, std::move(record), now);
      if (is_lost(block.state)) return drop(std::move(record));
      return {};
    case SettlementState::Dropped:
    case SettlementState::Reversed:
      // The chain has come back to it.
      return in_chain(block.state) ? book(block, std::move(record), now) : Status();
  }
  UNREACHABLE();
}

/// What follows from a settlement that was written: the next plan, and who is paid by which round.
Status State::changed(const SettlementRecord& record) {
  plan_stale = true;
  return live.settled(record);
}

Result<SettlementRecord> State::with_shares(SettlementRecord record) {
  if (record.shares.size() == record.share_count) return record;
  BlockRecord block;
  block.hash = record.block, block.height = record.height;
  auto whole = read_settlement(ledger->store(), block);
  if (!whole) return whole.error();
  record.shares = std::move((*whole)->shares);
  return record;
}

Status State::drop(SettlementRecord record) {
  record.state = SettlementState::Dropped;
  LedgerBatch batch;
  record.put(batch, false);
  if (Status s = write(batch); !s) return s;
  return changed(record);
}

/// Into the books, or, where it is not ripe, back among those that wait.
Status State::book(const BlockRecord& block, SettlementRecord known, UnixMillis now) {
  auto whole = with_shares(std::move(known));
  if (!whole) return whole.error();
  SettlementRecord& record = *whole;
  std::vector<Redone> redone;
  if (!is_live(record.state)) {
    auto others = make_room(record);
    if (!others) return others.error();
    redone = *std::move(others);
  }
  LedgerBatch batch;
  for (Redone& other : redone) {
    undo(batch, other.entries, now);
    if (other.record.state == SettlementState::Booked) enter(batch, other.record, now);
    other.record.put(batch, true);
  }
  const bool due = is_due(record.terms.way, block.state);
  if (due) enter(batch, record, now);
  record.state = due ? SettlementState::Booked : SettlementState::Pending;
  record.put(batch, false);
  journal.finish(batch);
  if (Status s = write(batch); !s) return s;
  for (const Redone& other : redone) {
    if (unripe.blocks.contains(other.record.block)) {
      unripe.remove(other.record.block);
      unripe.add(other.record.block, other.record.shares);
    }
    if (Status s = changed(other.record); !s) return s;
  }
  if (due && record.terms.way == PayWay::Coinbase && block.state != BlockState::Mature)
    unripe.add(block.hash, record.shares);
  return changed(record);
}

/// prop: blocks that took over the round of this lost one, divided without it.
Result<std::vector<State::Redone>> State::make_room(const SettlementRecord& back) {
  std::vector<Redone> redone;
  if (back.terms.scheme.kind != SchemeKind::Prop) return redone;
  const auto changes = live.returns(back);
  if (!changes) return changes.error();
  for (const Rounds::Change& change : *changes) {
    const auto before = read_settlement(ledger->store(), change.block);
    if (!before) return before.error();
    const auto round = derive_round(ledger->store(), change.slices);
    if (!round && round.error().code == ErrorCode::NotFound) {
      log_error("payout", "block {} keeps the work of block {}, which has come back: {}",
                change.block.hash.hex(), back.block.hex(), round.error().text);
      continue;
    }
    if (!round) return round.error();
    Redone other{**before, {}};
    CoinbaseFacts facts;
    facts.before = &**before;
    if (Status s = divide(other.record, *round, facts); !s) return s.error();
    if (other.record.state == SettlementState::Booked) {
      auto entries = entries_of(other.record);
      if (!entries) return entries.error();
      other.entries = *std::move(entries);
    }
    redone.push_back(std::move(other));
  }
  return redone;
}

void State::enter(LedgerBatch& batch, SettlementRecord& record, UnixMillis now) {
  const std::string ref = record.block.hex();
  record.first_entry = journal.last_entry() + 1;
  const auto move = [&](const Book& from, const Book& to, Satoshi amount, std::string_view kind) {
    if (amount > Satoshi{}) journal.move(batch, from, to, amount, kind, ref, now);
  };
  for (const PlanShare& share : record.shares)
    move(kBlocks, Book::account(share.account), share.entitled, "block");
  move(kBlocks, kPool, record.pool_entitled, "block");
  for (const PlanShare& share : record.shares)
    move(Book::account(share.account), kCoinbase, share.paid, "coinbase");
  move(kPool, kCoinbase, record.pool_paid, "coinbase");
  move(kUnknown, kCoinbase, record.unknown_paid, "coinbase");
  record.last_entry = journal.last_entry();
}

Result<std::vector<JournalEntry>> State::entries_of(const SettlementRecord& record) {
  std::vector<JournalEntry> entries;
  const Status read =
      for_each_entry(ledger->store(), record.first_entry, [&](const JournalEntry& entry) {
        if (entry.number > record.last_entry) return false;
        entries.push_back(entry);
        return true;
      });
  if (!read) return read.error();
  return entries;
}

void State::undo(LedgerBatch& batch, const std::vector<JournalEntry>& entries, UnixMillis now) {
  for (const JournalEntry& entry : entries)
    journal.move(batch, entry.to, entry.from, entry.amount, "reversal", entry.ref, now);
}

Status State::reverse(SettlementRecord record, UnixMillis now) {
  const auto entries = entries_of(record);
  if (!entries) return entries.error();
  LedgerBatch batch;
  undo(batch, *entries, now);
  record.state = SettlementState::Reversed;
  record.put(batch, false);
  journal.finish(batch);
  if (Status s = write(batch); !s) return s;
  unripe.remove(record.block);
  return changed(record);
}

}  // namespace adit
