// SPDX-License-Identifier: MIT
// A pool without network for tests of the treasury: books on a MemoryStore, brought on as the
// ledger writer does it.
#pragma once

#include <doctest/doctest.h>

#include <optional>

#include "adit/bitcoin/address.h"
#include "adit/payout/treasury.h"
#include "support/ledger_samples.h"
#include "support/memory_store.h"

namespace adit::test {

inline Script member_script(std::uint32_t member) {
  Script script = {0x00, 0x14};
  script.resize(22, 7);
  store_le(script.data() + 2, member);
  return script;
}
inline std::string member_address(std::uint32_t member) {
  return *address_of(member_script(member), Network::Regtest);
}
inline const Script kBankScript = member_script(0xFFFF);

inline PayoutTerms terms_of(std::string_view text) {
  const auto terms = PayoutTerms::parse(text);
  REQUIRE(terms.has_value());
  return *terms;
}

/// Every step returns false when the store failed under it; then crash() and do it again.
class Bank {
 public:
  explicit Bank(std::string_view terms, MemoryStore disk = {}) : store(std::move(disk)) {
    options.terms = terms_of(terms);
    options.network = Network::Regtest;
    options.pool_script = kBankScript;
    facts.work = 40 * kSampleWork.value();
    facts.subsidy = Satoshi(312'500'000);
    facts.mean_fees = Satoshi(3'250'000);
  }
  Bank(const Bank&) = delete;

  bool open() {
    treasury.reset();
    ledger.reset();
    LedgerOptions books;
    books.network = Network::Regtest;
    auto opened = Ledger::open(store, books, std::nullopt);
    if (!opened) return failed(opened.error());
    ledger.emplace(*std::move(opened));
    ledger->set_network(facts);
    auto money = Treasury::open(*ledger, options, now);
    if (!money) return failed(money.error());
    treasury.emplace(*std::move(money));
    return true;
  }
  void must_open() { REQUIRE_MESSAGE(open(), last_error); }

  /// A share of a member; the same number is the same share.
  ShareCandidate share(std::uint32_t member, std::uint64_t number, std::uint64_t work,
                       bool is_block = false) {
    ShareMaker maker(number + 1'000'003 * member);
    ShareCandidate candidate =
        maker.share(ledger->worker_id(member_address(member), "rig" + std::to_string(number % 2)));
    candidate.work = Work(work);
    candidate.is_block = is_block;
    return candidate;
  }
  bool append(const std::vector<ShareCandidate>& shares) {
    std::vector<DoorVerdict> verdicts;
    Sequence first;
    const Status s = ledger->append(shares, now, verdicts, first);
    return s ? take_slices() : failed(s.error());
  }
  bool take_slices() {
    const auto closed = ledger->take_closed_slices();
    const Status s = treasury->slices_closed(closed, now);
    return s ? true : failed(s.error());
  }
  bool close_slice() {
    const Status s = ledger->close_due_slice(now);
    return s ? take_slices() : failed(s.error());
  }
  bool put(const BlockRecord& block, const std::vector<TxOut>& outputs = {}) {
    const auto moved = ledger->put_block(block);
    if (!moved) return failed(moved.error());
    if (!take_slices()) return false;
    const Status s = treasury->block_changed(block, outputs, now);
    return s ? true : failed(s.error());
  }
  bool tick() {
    const Status s = treasury->tick(now);
    return s ? true : failed(s.error());
  }
  void pass(std::int64_t millis) { now = UnixMillis(now.value() + millis); }

  /// A block of the share `winner`, as upstream would announce it.
  BlockRecord block_of(const ShareCandidate& winner, std::uint32_t member, std::uint32_t height,
                       Satoshi value) const {
    BlockRecord block;
    block.hash = winner.hash;
    block.height = height;
    block.found = now;
    block.value = value;
    block.account = member_address(member);
    block.terms = options.terms.text();
    block.pool_script = options.pool_script;
    block.after = ledger->last_sequence();
    return block;
  }
  /// What a job on this plan pays, with `room` for its outputs; `block` is the one that it finds.
  static std::vector<TxOut> job_outputs(BlockRecord& block, const PayoutPlan& plan,
                                        std::uint64_t room = ~std::uint64_t{0}) {
    block.plan_slice = plan.slice, block.plan_entry = plan.entry;
    block.plan_weight = std::min(room, plan.terms.coinbase_weight);
    block.terms = plan.terms.text();
    return plan_coinbase(plan, block.value, kBankScript, room).outputs;
  }
  /// Appends a block's share and announces the block, on the newest plan where there is one.
  BlockRecord find_block(std::uint32_t member, std::uint64_t number, std::uint32_t height,
                         Satoshi value, std::uint64_t work = 1) {
    const auto winner = share(member, number, work, true);
    BlockRecord block = block_of(winner, member, height, value);
    std::vector<TxOut> outputs;
    if (const PlanPtr plan = treasury->plan()) {
      outputs = job_outputs(block, *plan);
    } else if (options.terms.way == PayWay::Coinbase) {
      outputs = solo_outputs(value, options.terms.scheme.fee_basis_points, member_script(member),
                             kBankScript);
    }
    REQUIRE_MESSAGE(append({winner}), last_error);
    block.after = ledger->last_sequence();
    REQUIRE_MESSAGE(put(block, outputs), last_error);
    return block;
  }
  void move(BlockRecord& block, BlockState state) {
    block.state = state;
    REQUIRE_MESSAGE(put(block), last_error);
  }
  SettlementRecord settlement(const BlockRecord& block) {
    const auto record = read_settlement(store, block);
    REQUIRE_MESSAGE(record.ok(), (record ? "" : record.error().text));
    REQUIRE(record->has_value());
    return **record;
  }
  AccountId account(std::uint32_t member) const {
    return ledger->account_of(member_address(member));
  }
  Satoshi balance(std::uint32_t member) const {
    return treasury->journal().balance(Book::account(account(member)));
  }
  std::vector<std::string> journal_problems() {
    const auto found = verify_journal(store);
    REQUIRE(found.ok());
    return *found;
  }

  MemoryStore store;
  TreasuryOptions options;
  NetworkFacts facts;
  UnixMillis now{1'700'000'000'000};
  std::optional<Ledger> ledger;
  std::optional<Treasury> treasury;
  std::string last_error;

 private:
  bool failed(const Error& error) {
    last_error = error.text;
    return false;
  }
};

/// One slice: member and work, all at one time.
inline void mine(Bank& bank, std::uint64_t number,
                 const std::vector<std::pair<std::uint32_t, std::uint64_t>>& works) {
  std::vector<ShareCandidate> shares;
  for (const auto& [member, work] : works) shares.push_back(bank.share(member, number++, work));
  REQUIRE(bank.append(shares));
  bank.pass(Ledger::kSliceMillis);
  REQUIRE(bank.close_slice());
}

/// The worked window of two difficulties of 1000, up to the block's share.
inline void worked_window(Bank& bank) {
  bank.facts.work = 1000;
  bank.must_open();
  mine(bank, 1, {{3, 900}});
  mine(bank, 2, {{2, 300}});
  mine(bank, 3, {{1, 500}});
  mine(bank, 4, {{3, 300}});
  mine(bank, 5, {{1, 700}});
}

}  // namespace adit::test
