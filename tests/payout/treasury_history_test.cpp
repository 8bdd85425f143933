// SPDX-License-Identifier: MIT
// Random histories: what the treasury keeps as it goes is what the disk tells, to the satoshi; and
// a crash at any commit changes nothing (I21, I22, I26, I30, I31).
#include <map>

#include "adit/ledger/reader.h"
#include "adit/payout/audit.h"
#include "history.h"
#include "naive_split.h"

namespace adit {
namespace {

using test::Bank;
using test::History;
using test::HistoryStep;
using test::kTerms;
using test::MemoryStore;

bool allows_stale(const std::string& terms) {
  return terms.find("coinbase") == std::string::npos && !terms.starts_with("prop");
}

void play_all(History& history, Bank& bank) {
  bank.must_open();
  for (const HistoryStep& step : history.steps()) {
    bank.pass(step.pass);
    REQUIRE_MESSAGE(history.play(bank, step), bank.last_error);
  }
}

std::map<AccountId, Uint128> works_of(const SettlementRecord& record) {
  std::map<AccountId, Uint128> works;
  for (const PlanShare& share : record.shares)
    if (share.work > 0) works[share.account] = share.work;
  return works;
}

/// Of every book and account.
std::map<std::string, std::string> balances_of(Bank& bank) {
  std::map<std::string, std::string> rows;
  for (const auto& [key, value] : bank.store.rows(Family::Credits))
    if (key[0] == 'b' || key[0] == 't') rows[key] = value;
  return rows;
}

/// By what the books on disk say of one settled block, with nothing the treasury kept.
void check_settlement(Bank& bank, const SettlementRecord& record) {
  const SchemeKind kind = record.terms.scheme.kind;
  Satoshi entitled = record.pool_entitled, paid = record.pool_paid;
  for (const PlanShare& share : record.shares) entitled += share.entitled, paid += share.paid;
  CHECK(entitled == record.value);  // I21
  CHECK(paid == (record.terms.way == PayWay::Coinbase ? record.value : Satoshi{}));
  if (kind != SchemeKind::Pplns) return;
  const auto weights = weights_at(bank.store, SliceNumber(record.slice), record.terms);
  REQUIRE(weights.ok());
  std::map<AccountId, Uint128> works;
  std::vector<AccountWork> own_first;
  Uint128 total = 0;
  for (const AccountWork& entry : *weights) {
    total += entry.work;
    if (entry.account == bank.account(0xFFFF)) {
      CHECK(record.pool_work == entry.work);
      own_first.insert(own_first.begin(), {AccountId(), entry.work});
    } else {
      works[entry.account] = entry.work;
      own_first.push_back(entry);
    }
  }
  CHECK(works == works_of(record));
  const auto newest = read_slice(bank.store, SliceNumber(record.slice));
  REQUIRE((newest.ok() && newest->has_value()));
  Uint128 available = 0;
  REQUIRE(for_each_slice(bank.store, SliceNumber(1), [&](const SliceRecord& slice) {
            if (slice.number.value() <= record.slice) available += slice.slice.total();
            return slice.number.value() < record.slice;
          }).ok());
  CHECK(total == std::min(available, (*newest)->network.work * record.terms.scheme.factor));  // I26
  std::map<AccountId, Satoshi> parts;
  for (const test::Part& part :
       test::split_by_weights(record.value, record.terms.scheme.fee_basis_points, own_first))
    if (part.account != AccountId()) parts[part.account] = part.amount;
  for (const PlanShare& share : record.shares) CHECK(share.entitled == parts[share.account]);
}

/// prop: each is divided by the work of its slices; none pays twice, but where two blocks share a
/// round.
void check_rounds(Bank& bank) {
  std::vector<SettlementRecord> live;
  REQUIRE(for_each_settlement(bank.store, true, [&](const SettlementRecord& record) {
            if (record.terms.scheme.kind != SchemeKind::Prop) return true;
            std::map<AccountId, Uint128> works;
            for (const SliceSet::Range& range : record.slices.ranges())
              for (std::uint64_t n = range.first; n <= range.last; ++n) {
                const auto slice = read_slice(bank.store, SliceNumber(n));
                REQUIRE((slice.ok() && slice->has_value()));
                for (const AccountWork& entry : (*slice)->slice.entries())
                  works[entry.account] += entry.work;
              }
            const auto pool = works.extract(bank.account(0xFFFF));
            CHECK(record.pool_work == (pool ? pool.mapped() : 0));
            CHECK(works == works_of(record));
            if (record.state == SettlementState::Pending || record.state == SettlementState::Booked)
              live.push_back(record);
            return true;
          }).ok());
  for (const SettlementRecord& a : live)
    for (const SettlementRecord& b : live)
      if (a.slices.meets(b.slices)) CHECK(a.slices.contains(SliceNumber(b.slice)));
}

/// The balances, from settlements and blocks and slices alone.
void check_books(Bank& bank) {
  CHECK(bank.journal_problems().empty());  // I31, I22
  check_rounds(bank);
  std::map<AccountId, Satoshi> balances;
  Satoshi blocks;
  std::map<BlockHash, BlockState> states;
  const auto all = all_blocks(bank.store);
  REQUIRE(all.ok());
  for (const BlockRecord& block : *all) states[block.hash] = block.state;
  REQUIRE(for_each_settlement(bank.store, true, [&](const SettlementRecord& record) {
            check_settlement(bank, record);
            const BlockState state = states.at(record.block);
            const bool coinbase = record.terms.way == PayWay::Coinbase;
            const bool booked = record.state == SettlementState::Booked;
            if (state == BlockState::Mature) CHECK(booked);
            if (!coinbase) CHECK(booked == (state == BlockState::Mature));  // I30
            if (state == BlockState::Orphaned || state == BlockState::Refused) CHECK_FALSE(booked);
            if (booked) blocks += record.value;
            for (const PlanShare& share : record.shares)
              if (booked) balances[share.account] += share.entitled - share.paid;
            return true;
          }).ok());
  const Journal& journal = bank.treasury->journal();
  CHECK(journal.balance({BookKind::Blocks, 0}) == Satoshi{} - blocks);
  const SchemeKind kind = bank.options.terms.scheme.kind;
  const bool priced = kind == SchemeKind::Pps || kind == SchemeKind::Fpps;
  for (const AccountBalance& row : journal.accounts()) {
    if (!priced) CHECK(row.balance == balances[row.account]);
    CHECK(bank.treasury->payable(row.account) <= std::max(row.balance, Satoshi{}));
  }
}

/// With and without the outputs of the real block.
void check_audits(Bank& bank, History& history) {
  std::size_t shares = 0;
  for (const auto& block : history.blocks()) {
    if (!block.announced) continue;
    std::optional<std::vector<TxOut>> outputs;
    if (!block.outputs.empty()) outputs = block.outputs;
    for (const auto& coinbase : {outputs, std::optional<std::vector<TxOut>>()}) {
      const auto report =
          audit_block(bank.store, block.record.hash, Network::Regtest, test::kBankScript, coinbase);
      REQUIRE(report.ok());
      for (const std::string& problem : report->problems) MESSAGE(problem);
      CHECK(report->problems.empty());
      shares += report->shares_checked;
    }
  }
  const SchemeKind kind = bank.options.terms.scheme.kind;
  if (kind == SchemeKind::Pplns || kind == SchemeKind::Prop) CHECK(shares > 1000);
}

}  // namespace

TEST_CASE("histories: what is settled as it goes is what the disk tells") {
  for (const std::string& terms : kTerms)
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
      CAPTURE(terms);
      CAPTURE(seed);
      History history(seed * 77, 250, allows_stale(terms));
      Bank bank(terms);
      play_all(history, bank);
      CHECK(history.blocks().size() > 15);
      check_books(bank);
      check_audits(bank, history);
      // And a restart finds nothing to do.
      const auto rows = bank.store.rows(Family::Credits);
      bank.must_open();
      CHECK(bank.store.rows(Family::Credits) == rows);
    }
}

TEST_CASE("histories: a crash at any commit, and the books are those of a run without it") {
  for (const std::string& terms : kTerms)
    for (const bool reaches_log : {false, true}) {
      CAPTURE(terms);
      History history(5 + reaches_log, 45, allows_stale(terms));
      Bank calm(terms);
      play_all(history, calm);
      for (int at = 1; at <= calm.store.commits; ++at) {
        CAPTURE(at);
        Bank bank(terms);
        bank.store.fail_at = at;
        bank.store.failure_reaches_log = reaches_log;
        const auto crash = [&] {
          bank.treasury.reset();
          bank.ledger.reset();
          bank.store = MemoryStore(bank.store.after_power_loss(bank.store.unsynced()));
          bank.must_open();
        };
        if (!bank.open()) crash();
        for (const HistoryStep& step : history.steps()) {
          bank.pass(step.pass);
          if (history.play(bank, step)) continue;
          crash();
          REQUIRE_MESSAGE(history.play(bank, step), bank.last_error);
        }
        CHECK(bank.store.rows(Family::Shares) == calm.store.rows(Family::Shares));
        REQUIRE(bank.store.rows(Family::Slices) == calm.store.rows(Family::Slices));
        if (allows_stale(terms))  // such a block is settled later, in another place of the journal
          CHECK(balances_of(bank) == balances_of(calm));
        else
          CHECK(bank.store.rows(Family::Credits) == calm.store.rows(Family::Credits));
      }
      check_books(calm);
    }
}

}  // namespace adit
