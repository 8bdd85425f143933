// SPDX-License-Identifier: MIT
// Thirty days of a pool of 1,000 accounts and 200 blocks: difficulty changes twice, some blocks are
// lost at a depth of 1, 6 and 101. Everybody gets what he has earned, to the satoshi.
#include <map>

#include "adit/payout/payments.h"
#include "bank.h"
#include "naive_split.h"

namespace adit {
namespace {

using test::Bank;
using test::ShareMaker;

constexpr std::uint32_t kAccounts = 1'000;
constexpr std::int64_t kMinutes = 30 * 24 * 60;
constexpr std::size_t kBlocks = 200;
constexpr std::int64_t kMinuteMillis = 60'000;
constexpr std::size_t kSharesAMinute = 4;

struct Found {
  BlockRecord record;
  std::vector<TxOut> outputs;
  std::int64_t minute = 0;
  std::int64_t lost_after = 0;  ///< minutes; 0: it stays
};

class Month {
 public:
  explicit Month(std::string_view terms) : bank(terms), random_(30) {
    // As much work a block as the pool makes in a 200th of the time.
    difficulty(100);
    bank.must_open();
    for (std::uint32_t m = 1; m <= kAccounts; ++m) first_.push_back(m);
  }

  void run() {
    for (std::int64_t minute = 0; minute < kMinutes; ++minute) {
      if (minute == kMinutes / 3) difficulty(120);
      if (minute == kMinutes * 2 / 3) difficulty(75);
      mine();
      if (blocks.size() < kBlocks && minute >= next_block_) find(minute);
      move_blocks(minute);
      bank.pass(kMinuteMillis);
      if (minute % 4'320 == 4'319 && bank.options.terms.way == PayWay::Wallet) pay();
      if (minute % 9'000 == 8'999) bank.must_open();
    }
  }
  void pay() {
    auto payments = Payments::open(*bank.ledger, *bank.treasury);
    REQUIRE(payments.ok());
    while (true) {
      const auto planned = payments->plan({}, bank.now);
      if (!planned) break;
      Transaction transaction;
      transaction.inputs.resize(1);
      store_le(transaction.inputs[0].previous.txid.bytes.data(), planned->id);
      for (const PaymentOutput& out : planned->outputs) {
        const auto address = parse_address(out.address, Network::Regtest);
        REQUIRE(address.ok());
        transaction.outputs.push_back({out.amount, address->script});
        sent[address->script] += out.amount;
      }
      const std::string bytes = to_hex(transaction.serialize());
      REQUIRE(payments->prepare(planned->id, bytes, Satoshi(500), bank.now).ok());
      REQUIRE(payments->mark_broadcast(planned->id, bank.now).ok());
      REQUIRE(payments->mark_seen(planned->id, 6, bank.now).ok());
    }
  }

  Bank bank;
  std::vector<Found> blocks;
  std::map<Script, Satoshi> sent;  ///< by payments

 private:
  void difficulty(std::uint64_t percent) {
    const Uint128 minutes = kMinutes / kBlocks;
    bank.facts.work = minutes * kSharesAMinute * kMeanWork * percent / 100;
    if (bank.ledger) bank.ledger->set_network(bank.facts);
  }

  /// A few accounts have most of the work.
  std::uint32_t any_member() {
    const std::uint64_t a = random_.below(kAccounts), b = random_.below(kAccounts);
    return 1 + static_cast<std::uint32_t>(a * b / kAccounts);
  }

  void mine() {
    std::vector<ShareCandidate> shares;
    for (std::size_t i = 0; i < kSharesAMinute; ++i) {
      const std::uint32_t member = first_.empty() ? any_member() : first_.back();
      if (!first_.empty()) first_.pop_back();
      shares.push_back(bank.share(member, ++numbers_, 1 + random_.below(2 * kMeanWork)));
    }
    REQUIRE_MESSAGE(bank.append(shares), bank.last_error);
  }

  void find(std::int64_t minute) {
    next_block_ =
        minute + 1 + static_cast<std::int64_t>(random_.below(2 * kMinutes / kBlocks - 24));
    Found found;
    const std::uint32_t member = any_member();
    const auto winner = bank.share(member, ++numbers_, kMeanWork, true);
    const auto height = 800'000 + static_cast<std::uint32_t>(minute / 10);
    found.record =
        bank.block_of(winner, member, height,
                      Satoshi(312'500'000 + static_cast<std::int64_t>(random_.below(20'000'000))));
    if (const PlanPtr plan = bank.treasury->plan()) {
      // A third of the templates leave less room than the terms want.
      found.outputs = Bank::job_outputs(found.record, *plan, 124 + random_.below(12'000));
    }
    REQUIRE(bank.append({winner}));
    found.record.after = bank.ledger->last_sequence();
    if (blocks.size() % 9 == 4) {  // killed between the block's row and its settlement
      REQUIRE(bank.ledger->put_block(found.record).ok());
      bank.must_open();
    }
    REQUIRE(bank.put(found.record, found.outputs));
    found.minute = minute;
    constexpr std::int64_t kDepths[] = {10, 60, 1'010};
    if (random_.below(12) == 0) found.lost_after = kDepths[lost_++ % 3];
    bank.move(found.record, BlockState::Accepted);
    blocks.push_back(std::move(found));
  }

  void move_blocks(std::int64_t minute) {
    for (Found& block : blocks) {
      const std::int64_t age = minute - block.minute;
      if (age == 1'000 && block.record.state == BlockState::Accepted)
        bank.move(block.record, BlockState::Mature);
      if (age == block.lost_after && age > 0) bank.move(block.record, BlockState::Orphaned);
    }
  }

  static constexpr std::uint64_t kMeanWork = 1u << 30;
  ShareMaker random_;
  std::vector<std::uint32_t> first_;
  std::uint64_t numbers_ = 0, lost_ = 0;
  std::int64_t next_block_ = 30;
};

/// What every account has earned by the slices on disk, from the rule itself.
std::map<AccountId, Satoshi> entitlements(Month& month) {
  std::map<AccountId, Satoshi> earned;
  for (const Found& block : month.blocks) {
    if (block.record.state == BlockState::Orphaned) continue;
    const bool coinbase = month.bank.options.terms.way == PayWay::Coinbase;
    if (!coinbase && block.record.state != BlockState::Mature) continue;
    const SettlementRecord record = month.bank.settlement(block.record);
    const auto weights =
        weights_at(month.bank.store, SliceNumber(record.slice), month.bank.options.terms);
    REQUIRE(weights.ok());
    for (const test::Part& part : test::split_by_weights(
             block.record.value, month.bank.options.terms.scheme.fee_basis_points, *weights))
      earned[part.account] += part.amount;
  }
  return earned;
}

std::size_t lost_blocks(const Month& month) {
  std::size_t lost = 0;
  for (const Found& block : month.blocks)
    lost += block.record.state == BlockState::Orphaned ? 1 : 0;
  return lost;
}

}  // namespace

TEST_CASE("a month, way coinbase: every account is paid what it earned, but for its carry") {
  Month month("pplns factor=8 fee=150 way=coinbase threshold=1048576 weight=8000");
  month.run();
  CHECK(month.blocks.size() == kBlocks);
  CHECK(lost_blocks(month) >= 9);
  std::map<Script, Satoshi> paid;
  for (const Found& block : month.blocks)
    if (block.record.state != BlockState::Orphaned)
      for (const TxOut& out : block.outputs) paid[out.script] += out.value;
  const auto earned = entitlements(month);
  CHECK(earned.size() == kAccounts);
  const Journal& journal = month.bank.treasury->journal();
  Satoshi carries, total_paid;
  for (std::uint32_t m = 1; m <= kAccounts; ++m) {
    const AccountBalance row = journal.account(month.bank.account(m));
    CHECK(row.earned == earned.at(row.account));
    CHECK(row.paid == paid[test::member_script(m)]);
    CHECK(row.balance == row.earned - row.paid);
    carries += row.balance;
    total_paid += row.paid;
  }
  CHECK(carries + journal.balance({BookKind::Pool, 0}) == Satoshi{});
  CHECK(total_paid > Satoshi(30'000'000'000));
  // Who waits for an output is owed less than who got one, or less than the threshold; and a debit
  // is at most the threshold.
  for (const Found& block : month.blocks) {
    const SettlementRecord record = month.bank.settlement(block.record);
    Satoshi least = kMaxMoney;
    for (const PlanShare& share : record.shares)
      if (share.paid > Satoshi{}) least = std::min(least, share.entitled + share.carry);
    const Satoshi bound = std::max(least == kMaxMoney ? Satoshi{} : least, Satoshi(1'048'576));
    for (const PlanShare& share : record.shares) {
      if (share.paid == Satoshi{}) CHECK(share.entitled + share.carry <= bound);
      if (share.paid > Satoshi{})
        CHECK(share.entitled + share.carry - share.paid >= Satoshi(-1'048'576));
    }
  }
  CHECK(month.bank.journal_problems().empty());
}

TEST_CASE("a month, way wallet: every account is paid what it earned, but for its balance") {
  Month month("pplns factor=8 fee=150 way=wallet threshold=1048576 weight=8000");
  month.run();
  month.pay();
  CHECK(month.blocks.size() == kBlocks);
  CHECK(lost_blocks(month) >= 9);
  const auto earned = entitlements(month);
  const Journal& journal = month.bank.treasury->journal();
  Satoshi fees;
  for (std::uint32_t m = 1; m <= kAccounts; ++m) {
    const AccountBalance row = journal.account(month.bank.account(m));
    const auto due = earned.find(row.account);
    CHECK(row.earned == (due == earned.end() ? Satoshi{} : due->second));
    CHECK(row.paid == month.sent[test::member_script(m)]);
    CHECK(row.balance == row.earned - row.paid);
    CHECK(row.balance < Satoshi(1'048'576));  // the threshold: no payment below it
  }
  // I22: what matured is with accounts, paid, the operator's, or a network fee.
  CHECK(journal.balance({BookKind::Paid, 0}) > Satoshi(30'000'000'000));
  CHECK(journal.balance({BookKind::Fees, 0}) > Satoshi{});
  CHECK(month.bank.journal_problems().empty());
}

}  // namespace adit
