// SPDX-License-Identifier: MIT
// Equal pay over unequal coinbases: blocks are found in whatever size, and everybody gets what he
// has earned, in these blocks or in later ones, by the carries.
#include <map>

#include "adit/payout/audit.h"
#include "adit/payout/payments.h"
#include "bank.h"
#include "naive_split.h"

namespace adit {
namespace {

using test::Bank;
using test::mine;
using test::ShareMaker;

constexpr std::uint32_t kAccounts = 40;
constexpr std::uint64_t kFull = 8'000;  // room for 64
/// For one account, four, 12, 24, and all.
constexpr std::uint64_t kSizes[] = {204, 500, 1'500, 3'000, kFull};

/// The window is longer than its log, so each block is divided by all work so far.
struct Pool : Bank {
  explicit Pool(const std::string& threshold)
      : Bank("pplns factor=1000 fee=100 way=coinbase threshold=" + threshold + " weight=8000"),
        random(7) {
    must_open();
  }

  void work() {
    std::vector<std::pair<std::uint32_t, std::uint64_t>> slice;
    for (std::uint32_t m = 1; m <= kAccounts; ++m) {
      // From a thousandth of the largest on; and not everybody is always there.
      const std::uint64_t amount = random.below(1'000 * m * m) + 1;
      if (random.below(3) == 0) continue;
      slice.push_back({m, amount});
    }
    mine(*this, numbers += 100, slice);
    for (const auto& [m, amount] : slice) work_now[account(m)] += amount;
    works[treasury->plan()->slice] = work_now;
  }

  /// A block in a size that some miner has, on the newest plan or an older one.
  void block(std::uint64_t room, PlanPtr plan = nullptr) {
    if (!plan) plan = treasury->plan();
    REQUIRE(plan);
    const Satoshi value(312'500'000 + static_cast<std::int64_t>(random.below(20'000'000)));
    const auto winner = share(1, ++numbers, 1, true);
    BlockRecord record = block_of(winner, 1, ++height, value);
    const auto outputs = job_outputs(record, *plan, room);
    CHECK(record.plan_weight == room);
    earn(value, *plan);
    REQUIRE(append({winner}));
    work_now[account(1)] += 1;
    record.after = ledger->last_sequence();
    REQUIRE(put(record, outputs));
    move(record, BlockState::Accepted);
    move(record, BlockState::Mature);
    works[treasury->plan()->slice] = work_now;
    Satoshi sum;
    std::uint64_t taken = 0;
    for (const TxOut& out : outputs) {
      sum += out.value, paid[out.script] += out.value;
      if (out.script != test::kBankScript) taken += output_weight(out.script);
    }
    CHECK(sum == value);
    CHECK(taken <= room);
    blocks.push_back({record, outputs});
  }

  /// By all work up to the plan's slice.
  void earn(Satoshi value, const PayoutPlan& plan) {
    std::vector<AccountWork> weights;
    for (const auto& [id, amount] : works.at(plan.slice)) weights.push_back({id, amount});
    for (const auto& part : test::split_by_weights(value, 100, weights))
      earned[part.account] += part.amount;
  }

  /// What the pool's outputs took, as far as the wallet may pay it.
  void pay() {
    auto payments = Payments::open(*ledger, *treasury);
    REQUIRE(payments.ok());
    while (true) {
      const auto planned = payments->plan({Satoshi(1'048'576), 500}, now);
      if (!planned) break;
      ++payments_made;
      Transaction transaction;
      transaction.inputs.resize(1);
      store_le(transaction.inputs[0].previous.txid.bytes.data(), planned->id);
      for (const PaymentOutput& out : planned->outputs) {
        const Script script = parse_address(out.address, Network::Regtest)->script;
        transaction.outputs.push_back({out.amount, script});
        paid[script] += out.amount;
      }
      const std::string bytes = to_hex(transaction.serialize());
      REQUIRE(payments->prepare(planned->id, bytes, Satoshi(), now).ok());
      REQUIRE(payments->mark_broadcast(planned->id, now).ok());
      REQUIRE(payments->mark_seen(planned->id, 6, now).ok());
    }
  }

  /// The books agree with what was earned and what was paid, and carries sum to zero; returns the
  /// largest that somebody is owed or owes.
  Satoshi check() {
    Satoshi largest, sum = treasury->plan()->pool_carry;
    for (std::uint32_t m = 1; m <= kAccounts; ++m) {
      const AccountBalance row = treasury->journal().account(account(m));
      REQUIRE(row.earned == earned[account(m)]);
      REQUIRE(row.paid == paid[test::member_script(m)]);
      REQUIRE(row.balance == row.earned - row.paid);
      sum += row.balance;
      largest = std::max({largest, row.balance, Satoshi{} - row.balance});
    }
    REQUIRE(sum == Satoshi{});
    if (payments_made == 0)
      REQUIRE(treasury->plan()->pool_carry == treasury->journal().balance({BookKind::Pool, 0}));
    return largest;
  }

  void audit() {
    for (const auto& [record, outputs] : blocks) {
      const auto report =
          audit_block(store, record.hash, Network::Regtest, test::kBankScript, outputs);
      REQUIRE(report.ok());
      for (const std::string& problem : report->problems) MESSAGE(problem);
      REQUIRE(report->problems.empty());
      REQUIRE(report->settlement.plan_weight == record.plan_weight);
    }
    CHECK(journal_problems().empty());
  }

  ShareMaker random;
  std::uint64_t numbers = 0;
  std::uint32_t height = 800'000, payments_made = 0;
  std::map<AccountId, Uint128> work_now;
  std::map<std::uint64_t, std::map<AccountId, Uint128>> works;  ///< by slice, up to it
  std::map<AccountId, Satoshi> earned;
  std::map<Script, Satoshi> paid;
  std::vector<std::pair<BlockRecord, std::vector<TxOut>>> blocks;
};

}  // namespace

TEST_CASE("sizes: blocks of any size, everybody is paid to within one output's threshold") {
  for (const char* threshold : {"546", "1048576"}) {
    CAPTURE(threshold);
    Pool pool(threshold);
    Satoshi most;
    for (int n = 0; n < 150; ++n) {
      pool.work();
      pool.block(kSizes[pool.random.below(std::size(kSizes))]);
      most = std::max(most, pool.check());
      if (n % 40 == 39) pool.pay();
    }
    // There was something to make good.
    CHECK(most > Satoshi(50'000'000));
    CHECK(pool.payments_made > 0);
    pool.audit();
    pool.pay();
    for (int n = 0; n < 3; ++n) {
      pool.work();
      pool.block(kFull);
    }
    pool.must_open();
    const Satoshi limit = pool.options.terms.threshold;
    CHECK(pool.check() <= limit);
    MESSAGE("most " << most.value() << ", at the end " << pool.check().value());
    pool.audit();
  }
}

TEST_CASE("sizes: a credit that a payment and an older small job both pay is taken back") {
  Pool pool("1048576");
  for (int n = 0; n < 30; ++n) {
    pool.work();
    pool.block(500);
  }
  const PlanPtr older = pool.treasury->plan();
  pool.pay();
  CHECK(pool.payments_made > 0);
  const auto in_debt = [&] {
    int count = 0;
    for (std::uint32_t m = 1; m <= kAccounts; ++m)
      count += pool.balance(m) < Satoshi{} - pool.options.terms.threshold ? 1 : 0;
    return count;
  };
  CHECK(in_debt() == 0);
  pool.block(500, older);
  CHECK(in_debt() > 0);
  for (int n = 0; n < 40; ++n) {
    pool.work();
    pool.block(kFull);
    if (n % 10 == 9) pool.pay();
  }
  CHECK(in_debt() == 0);
  CHECK(pool.check() <= pool.options.terms.threshold);
  pool.audit();
}

}  // namespace adit
