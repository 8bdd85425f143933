// SPDX-License-Identifier: MIT
// From a found block to its settlement.
#include "adit/base/check.h"
#include "adit/base/log.h"
#include "adit/bitcoin/address.h"
#include "adit/ledger/json_fields.h"
#include "adit/ledger/reader.h"
#include "payout/journal_rows.h"
#include "payout/settlement_rows.h"
#include "payout/treasury_state.h"

namespace adit {

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
  return settle_waiting(block->hash, now);
}

/// Does it when all is known, or when that has taken too long.
Status State::settle_waiting(const BlockHash& hash, UnixMillis now) {
  const auto at = waiting.find(hash);
  // Without a value there is nothing to divide: a later message brings it.
  if (at == waiting.end() || at->second.block.value <= Satoshi{}) return {};
  const auto slice = slice_for(at->second, now);
  if (!slice) return slice.error();
  if (!*slice || **slice > live.newest()) return {};  // not closed, or on its way here
  const Waiting entry = std::move(at->second);
  waiting.erase(at);
  return settle(entry, **slice, now);
}

/// The slice that it is settled by; nullopt: it has to wait.
Result<std::optional<SliceNumber>> State::slice_for(const Waiting& entry, UnixMillis now) {
  const BlockRecord& block = entry.block;
  const bool late = entry.late(now);
  // After a crash the vault tells what its coinbase paid.
  const bool unknown = promised(block).way == PayWay::Coinbase && entry.outputs.empty();
  if (unknown && !late) return std::optional<SliceNumber>();
  if (planned(block)) return std::optional(SliceNumber(block.plan_slice));
  auto closed = slice_closed_by(ledger->store(), block);
  if (!closed || *closed || !late) return closed;
  const auto before = slice_before(ledger->store(), block);
  if (!before) return before.error();
  return std::optional(*before);
}

Status State::settle(const Waiting& entry, SliceNumber slice, UnixMillis now) {
  const BlockRecord& block = entry.block;
  const auto booked =
      booked_for(ledger->store(), journal.last_entry(), block.hash.hex(), block.found);
  if (!booked) return booked.error();
  if (*booked != Satoshi{})
    return Error{ErrorCode::Corrupt, "block " + block.hash.hex() +
                                         " is in the journal, but its settlement is missing: it "
                                         "would be paid twice"};
  const bool by_plan = planned(block);
  SettlementRecord record;
  record.block = block.hash, record.height = block.height;
  record.terms = promised(block);
  record.pool_script = block.pool_script.empty() ? options.pool_script : block.pool_script;
  record.value = block.value, record.slice = slice.value();
  record.plan_weight = by_plan ? block.plan_weight : 0;
  if (record.terms.way == PayWay::Coinbase)  // only coinbases look at carries
    record.plan_entry = by_plan ? block.plan_entry : journal.last_entry();
  const CoinbaseFacts facts{entry.outputs, by_plan,
                            [this](const Script& script) { return account_of(script); }};
  if (Status s = settle_shares(record, block, facts); !s) return s;
  if (record.unknown_paid > Satoshi{})
    log_error("payout",
              "block {}: its coinbase pays {} sat to scripts that are nobody's in the books",
              block.hash.hex(), record.unknown_paid.value());
  LedgerBatch batch;
  record.put(batch, true);
  if (Status s = write(batch); !s) return s;
  if (Status s = changed(record); !s) return s;
  return apply(block, std::move(record), now);
}

/// The weights of its slice, by its own terms.
Result<Derived> State::derive(const SettlementRecord& record) {
  const SchemeOptions &own = record.terms.scheme, &now = terms.scheme;
  const SliceNumber slice(record.slice);
  if (own.kind == now.kind && own.factor == now.factor) return live.at(slice);
  return derive_weights(ledger->store(), slice, record.terms, history, true);
}

Status State::settle_shares(SettlementRecord& record, const BlockRecord& block,
                            const CoinbaseFacts& facts) {
  const SchemeKind kind = record.terms.scheme.kind;
  if (pays_slices(kind)) {
    settle_pool(record);
    return {};
  }
  if (kind == SchemeKind::Solo) {
    const auto finder = finder_of(record, block);
    if (!finder) return finder.error();
    settle_solo(record, *finder, script_of(*finder), facts);
    return {};
  }
  const SliceNumber slice(record.slice);
  // Reading a long window again would keep miners waiting. (A round may have changed meanwhile.)
  const RecentPlan* recent = recent_plan(slice, record.plan_entry);
  if (facts.as_planned && recent != nullptr && kind == SchemeKind::Pplns &&
      recent->plan->terms.text() == record.terms.text() &&
      record.pool_script == options.pool_script) {
    record.first_slice = recent->first.value();
    settle_plan(record, *recent->plan, facts);
    return {};
  }
  const auto derived = derive(record);
  if (!derived) return derived.error();
  return divide(record, *derived, facts);
}

/// The account of who found a block, made if this was his first share; 0: the pool's.
Result<AccountId> State::finder_of(const SettlementRecord& record, const BlockRecord& block) {
  const auto address = parse_address(block.account, options.network);
  if (!address || address->script == record.pool_script) return AccountId{};
  return ledger->book_account(address->text, block.found);
}

/// By these weights.
Status State::divide(SettlementRecord& record, const Derived& derived, const CoinbaseFacts& facts) {
  record.first_slice = derived.first.value();
  record.slices = derived.slices;
  Balances balances;
  if (record.terms.way == PayWay::Coinbase) {
    auto then = balances_at(record.plan_entry);
    if (!then) return then.error();
    balances = *std::move(then);
  }
  const IsPool pools = pools_of(record.pool_script);
  settle_plan(record,
              assemble_plan(record.terms, SliceNumber(record.slice), record.plan_entry,
                            claims_of(derived, pools), balances, scripts(), pools),
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

}  // namespace adit
