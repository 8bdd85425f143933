// SPDX-License-Identifier: MIT
// From a found block to its settlement, and from there into the journal and back.
#include "adit/base/check.h"
#include "adit/ledger/json_fields.h"
#include "adit/ledger/reader.h"
#include "payout/journal_rows.h"
#include "payout/settlement_rows.h"
#include "payout/treasury_state.h"

namespace adit {
namespace {

bool is_lost(BlockState state) {
  return state == BlockState::Orphaned || state == BlockState::Refused;
}
bool in_chain(BlockState state) {
  return state == BlockState::Accepted || state == BlockState::Mature;
}
/// The chain has paid (way coinbase), or the reward has ripened.
bool is_due(PayWay way, BlockState state) {
  return way == PayWay::Coinbase ? in_chain(state) : state == BlockState::Mature;
}

const Book kBlocks{BookKind::Blocks, 0}, kPool{BookKind::Pool, 0}, kCoinbase{BookKind::Coinbase, 0};

}  // namespace

using State = Treasury::State;

/// The books know who found a block and when; messages about its state may not.
Result<BlockRecord> State::stored(const BlockRecord& block) {
  const std::string key = settled_block_key(block.height, block.hash);
  const auto value = ledger->store().get(Family::Blocks, key);
  if (!value) return value.error();
  if (!*value) return block;
  if (!open_sealed_json(**value))
    return Error{ErrorCode::Corrupt, "blocks " + to_hex(bytes_of(key)) + ": broken JSON or seal"};
  return BlockRecord::from_json(**value);
}

Status State::handle(const BlockRecord& given, std::span<const TxOut> outputs, UnixMillis now) {
  const auto block = stored(given);
  if (!block) return block.error();
  auto record = read_settlement(ledger->store(), *block, false);
  if (!record) return record.error();
  if (*record) return apply(*block, **std::move(record), now);
  if (is_lost(block->state)) {
    waiting.erase(block->hash);
    return {};
  }
  const auto [at, added] = waiting.try_emplace(block->hash);
  Waiting& entry = at->second;
  entry.block = *block;
  if (!outputs.empty()) entry.outputs.assign(outputs.begin(), outputs.end());
  if (added) entry.since = now;
  if (planned(*block)) return settle_waiting(block->hash, SliceNumber(block->plan_slice), now);
  const auto slice = slice_closed_by(ledger->store(), *block);
  if (!slice) return slice.error();
  // One that is closed but not counted yet comes by slices_closed.
  if (*slice && **slice <= live.newest()) return settle_waiting(block->hash, **slice, now);
  return {};
}

Status State::settle_waiting(const BlockHash& hash, SliceNumber slice, UnixMillis now) {
  const auto at = waiting.find(hash);
  // Without a value there is nothing to divide: a later message brings it.
  if (at == waiting.end() || at->second.block.value <= Satoshi{}) return {};
  const Waiting entry = std::move(at->second);
  waiting.erase(at);
  const bool by_plan = planned(entry.block);
  return settle(entry.block, by_plan ? SliceNumber(entry.block.plan_slice) : slice,
                by_plan ? entry.block.plan_entry : newest_carry(), {entry.outputs, by_plan}, now);
}

/// Only coinbases look at carries.
std::uint64_t State::newest_carry() const {
  return terms.way == PayWay::Coinbase ? journal.last_entry() : 0;
}

Status State::settle(const BlockRecord& block, SliceNumber slice, std::uint64_t entry,
                     const CoinbaseFacts& facts, UnixMillis now) {
  const auto booked =
      booked_for(ledger->store(), journal.last_entry(), block.hash.hex(), block.found);
  if (!booked) return booked.error();
  if (*booked != Satoshi{})
    return Error{ErrorCode::Corrupt, "block " + block.hash.hex() +
                                         " is in the journal, but its settlement is missing: it "
                                         "would be paid twice"};
  SettlementRecord record;
  record.block = block.hash, record.height = block.height;
  record.slice = slice.value(), record.plan_entry = entry;
  record.terms = terms, record.pool_script = options.pool_script;
  record.value = block.value;
  if (Status s = settle_shares(record, block, facts); !s) return s;
  LedgerBatch batch;
  record.put(batch, true);
  if (terms.scheme.kind == SchemeKind::Prop) take_lost(record, batch);
  if (Status s = write(batch); !s) return s;
  if (Status s = live.settled(slice); !s) return s;
  plan_stale = true;
  return apply(block, std::move(record), now);
}

Status State::settle_shares(SettlementRecord& record, const BlockRecord& block,
                            const CoinbaseFacts& facts) {
  if (pays_slices(terms.scheme.kind)) {
    settle_pool(record);
    return {};
  }
  if (terms.scheme.kind == SchemeKind::Solo) {
    const AccountId finder = ledger->account_of(block.account);
    const bool known = finder != AccountId{} && !is_pool(finder);
    settle_solo(record, known ? finder : AccountId{}, script_of(finder), facts);
    return {};
  }
  const SliceNumber slice(record.slice);
  // Reading a long window again would keep miners waiting. (A round may have changed meanwhile.)
  const RecentPlan* recent = recent_plan(slice, record.plan_entry);
  if (facts.as_planned && recent != nullptr && terms.scheme.kind == SchemeKind::Pplns) {
    record.first_slice = recent->first.value();
    settle_plan(record, *recent->plan, facts);
    return {};
  }
  const auto derived = live.at(slice);
  if (!derived) return derived.error();
  record.first_slice = derived->first.value();
  const Claims claims = claims_of(*derived);
  Balances balances;
  if (terms.way == PayWay::Coinbase) {
    auto then = balances_at(record.plan_entry);
    if (!then) return then.error();
    balances = *std::move(then);
  }
  settle_plan(record,
              assemble_plan(terms, slice, record.plan_entry, claims, balances, scripts(), pools()),
              facts);
  return {};
}

Result<Balances> State::balances_at(std::uint64_t entry) {
  Balances balances;
  for (const AccountBalance& row : journal.accounts()) balances[row.account] = row.balance;
  if (entry >= journal.last_entry()) return balances;
  const Status s = for_each_entry(ledger->store(), entry + 1, [&](const JournalEntry& later) {
    const auto undo = [&](const Book& book, Satoshi amount) {
      if (book.kind == BookKind::Account)
        balances[AccountId(static_cast<std::uint32_t>(book.id))] += amount;
    };
    undo(later.from, later.amount);
    undo(later.to, Satoshi{} - later.amount);
    return true;
  });
  if (!s) return s.error();
  return balances;
}

/// prop: the work of lost blocks is this one's now.
void State::take_lost(const SettlementRecord& by, LedgerBatch& batch) {
  for (auto& [hash, record] : lost) {
    record.taken_by = by.block.hex();
    record.put(batch, false);
  }
  lost.clear();
}

bool State::joins_next_round(const SettlementRecord& record) {
  const bool is_lost =
      record.state == SettlementState::Dropped || record.state == SettlementState::Reversed;
  return is_lost && record.taken_by.empty() && record.terms.scheme.kind == SchemeKind::Prop;
}

Status State::apply(const BlockRecord& block, SettlementRecord record, UnixMillis now) {
  const PayWay way = record.terms.way;
  const bool due = is_due(way, block.state);
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
      if (due) return book(block, std::move(record), now);
      if (is_lost(block.state)) return move_to(std::move(record), SettlementState::Dropped);
      return {};
    case SettlementState::Dropped:
    case SettlementState::Reversed:
      if (due) return book(block, std::move(record), now);
      // The chain has come back to it.
      if (in_chain(block.state)) return move_to(std::move(record), SettlementState::Pending);
      return {};
  }
  UNREACHABLE();
}

Status State::move_to(SettlementRecord record, SettlementState state) {
  record.state = state;
  LedgerBatch batch;
  record.put(batch, false);
  if (Status s = write(batch); !s) return s;
  return moved(std::move(record));
}

/// prop: the round changes with what is lost.
Status State::moved(SettlementRecord record) {
  plan_stale = true;
  if (!joins_next_round(record)) {
    lost.erase(record.block);
    return {};
  }
  auto whole = with_shares(std::move(record));
  if (!whole) return whole.error();
  lost[whole->block] = *std::move(whole);
  return {};
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

Status State::book(const BlockRecord& block, SettlementRecord known, UnixMillis now) {
  auto whole = with_shares(std::move(known));
  if (!whole) return whole.error();
  SettlementRecord& record = *whole;
  const std::string ref = block.hash.hex();
  LedgerBatch batch;
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
  record.last_entry = journal.last_entry();
  record.state = SettlementState::Booked;
  record.put(batch, false);
  journal.finish(batch);
  if (Status s = write(batch); !s) return s;
  lost.erase(record.block);
  if (record.terms.way == PayWay::Coinbase && block.state != BlockState::Mature)
    unripe.add(block.hash, record.shares);
  return {};
}

Status State::reverse(SettlementRecord record, UnixMillis now) {
  std::vector<JournalEntry> entries;
  const Status read =
      for_each_entry(ledger->store(), record.first_entry, [&](const JournalEntry& entry) {
        if (entry.number > record.last_entry) return false;
        entries.push_back(entry);
        return true;
      });
  if (!read) return read;
  LedgerBatch batch;
  for (const JournalEntry& entry : entries)
    journal.move(batch, entry.to, entry.from, entry.amount, "reversal", entry.ref, now);
  record.state = SettlementState::Reversed;
  record.put(batch, false);
  journal.finish(batch);
  if (Status s = write(batch); !s) return s;
  unripe.remove(record.block);
  return moved(std::move(record));
}

}  // namespace adit
