// SPDX-License-Identifier: MIT
// What blocks cannot pay with way coinbase, since the pool's output took it: the wallet does.
#include "adit/payout/payments.h"
#include "adit/payout/split.h"
#include "bank.h"

namespace adit {
namespace {

using test::Bank;
using test::mine;

constexpr Satoshi kValue{312'500'000};
constexpr PaymentRules kRules{Satoshi(546), 9};

/// A pool whose first block was found by member 1 before there was any plan.
struct Pool : Bank {
  explicit Pool(std::uint32_t fee)
      : Bank("pplns factor=1 fee=" + std::to_string(fee) +
             " way=coinbase threshold=546 weight=8000") {
    facts.work = 2'000;
    facts.subsidy = kValue;
    must_open();
    const auto winner = share(1, 1, 2'000, true);
    REQUIRE(append({winner}));
    first = block_of(winner, 1, 100, kValue);
    REQUIRE(put(first, {{kValue, test::kBankScript}}));
    move(first, BlockState::Accepted);
    earned[1] = kValue - fee_of(kValue, fee);
  }
  void minute(std::uint64_t one, std::uint64_t two) {
    std::vector<std::pair<std::uint32_t, std::uint64_t>> works{{2, two}};
    if (one > 0) works.push_back({1, one});
    mine(*this, numbers += 2, works);
  }
  /// A job of this plan wins.
  void block_on(const PlanPtr& plan) {
    const auto planned = plan_coinbase(*plan, kValue, test::kBankScript);
    const auto winner = share(2, 5'000 + ++height, 1, true);
    BlockRecord block = block_of(winner, 2, height, kValue);
    block.plan_slice = plan->slice, block.plan_entry = plan->entry;
    REQUIRE(append({winner}));
    REQUIRE(put(block, planned.outputs));
    move(block, BlockState::Accepted);
    move(block, BlockState::Mature);
    for (std::uint32_t m = 1; m <= 2; ++m)
      for (const PlanShare& part : planned.shares)
        if (part.account == account(m)) earned[m] += part.entitled, paid[m] += part.paid;
  }
  Payments payments() {
    auto opened = Payments::open(*ledger, *treasury);
    REQUIRE(opened.ok());
    return *std::move(opened);
  }

  BlockRecord first;
  std::uint64_t numbers = 10;
  std::uint32_t height = 100;
  std::map<std::uint32_t, Satoshi> earned, paid;
};

}  // namespace

TEST_CASE("what the pool's output took is paid by the wallet, to the satoshi and once") {
  for (const std::uint32_t fee : {0u, 3u})
    for (const bool leaves : {false, true}) {  // member 1, for a while
      Pool pool(fee);
      CHECK(pool.payments().due(kRules).outputs.empty());  // not ripe
      pool.move(pool.first, BlockState::Mature);
      PlanPtr old_plan;
      for (int n = 0; n < 50; ++n) {
        pool.minute(leaves ? 0 : 1'000, leaves ? 2'000 : 1'000);
        old_plan = pool.treasury->plan();
        pool.block_on(old_plan);
      }
      // Member 2 never waited for what member 1 is owed, and the pool's fees went to him.
      CHECK(pool.balance(2) == Satoshi{});
      const Satoshi owed = pool.balance(1);
      CHECK(owed == pool.earned[1] - pool.paid[1]);
      Satoshi fees;
      for (int n = 0; n < 51; ++n) fees += fee_of(kValue, fee);
      CHECK(owed == kValue - fees);
      Payments payments = pool.payments();
      const auto payment = payments.plan(kRules, pool.now);
      REQUIRE(payment.ok());
      REQUIRE(payment->outputs.size() == 1);
      CHECK(payment->outputs[0].account == pool.account(1));
      CHECK(payment->sum + fee_of(kValue + kValue, fee) == owed);  // that is the next block's
      pool.paid[1] += payment->sum;
      CHECK(payments.due(kRules).outputs.empty());
      pool.block_on(old_plan);  // a job from before the payment
      CHECK(pool.balance(1) >= Satoshi{});
      for (int n = 0; n < 4; ++n) {
        pool.minute(1'000, 1'000);
        pool.block_on(pool.treasury->plan());
      }
      CHECK(payments.due(kRules).outputs.empty());
      for (std::uint32_t m = 1; m <= 2; ++m) {
        CHECK(pool.paid[m] == pool.earned[m]);
        CHECK(pool.balance(m) == Satoshi{});
      }
      CHECK(pool.journal_problems().empty());
    }
}

TEST_CASE("what accounts may not owe each other is paid by the wallet, the largest first") {
  Bank bank("pplns factor=1 fee=0 way=coinbase threshold=1000 weight=248");  // room for two
  bank.facts.work = 10'000;
  bank.facts.subsidy = kValue;
  bank.must_open();
  std::map<std::uint32_t, Satoshi> earned, paid;
  for (std::uint32_t n = 0; n < 40; ++n) {
    std::vector<std::pair<std::uint32_t, std::uint64_t>> works;
    for (std::uint32_t m = 1; m <= 9; ++m) works.push_back({m, 900 + 100 * (m % 3)});
    works.push_back({10, 1'000});
    mine(bank, 1 + 20 * n, works);
    const PlanPtr plan = bank.treasury->plan();
    const auto planned = plan_coinbase(*plan, kValue, test::kBankScript);
    const auto winner = bank.share(1, 5'000 + n, 1, true);
    BlockRecord block = bank.block_of(winner, 1, 100 + n, kValue);
    block.plan_slice = plan->slice, block.plan_entry = plan->entry;
    REQUIRE(bank.append({winner}));
    REQUIRE(bank.put(block, planned.outputs));
    bank.move(block, BlockState::Accepted);
    bank.move(block, BlockState::Mature);
    for (std::uint32_t m = 1; m <= 10; ++m)
      for (const PlanShare& part : planned.shares)
        if (part.account == bank.account(m)) earned[m] += part.entitled, paid[m] += part.paid;
    // Never more than the pool has of theirs, and never what the next block would pay.
    const PlanPtr next = bank.treasury->plan();
    const auto coming = plan_coinbase(*next, kValue, test::kBankScript);
    const auto left = left_to_wallet(*next, kValue);
    Satoshi sum;
    for (std::size_t i = 0; i < left.size(); ++i) {
      sum += left[i];
      REQUIRE(left[i] >= Satoshi{});
      const Satoshi by_block = coming.shares[i].paid - coming.shares[i].entitled;
      if (left[i] > Satoshi{})
        REQUIRE(left[i] + std::max(by_block, Satoshi{}) <= next->accounts[i].carry);
    }
    REQUIRE(sum <= std::max(Satoshi{} - next->pool_carry, Satoshi{}));
    if (n % 10 != 9) continue;
    auto payments = Payments::open(*bank.ledger, *bank.treasury);
    REQUIRE(payments.ok());
    const auto payment = payments->plan(kRules, bank.now);
    REQUIRE(payment.ok());
    for (const PaymentOutput& out : payment->outputs)
      for (std::uint32_t m = 1; m <= 10; ++m)
        if (out.account == bank.account(m)) paid[m] += out.amount;
    REQUIRE(payments->mark_exported(payment->id, bank.now).ok());
  }
  for (std::uint32_t m = 1; m <= 10; ++m) {
    CHECK(earned[m] == paid[m] + bank.balance(m));
    CHECK(bank.balance(m) >= Satoshi(-1'000));
  }
  CHECK(bank.journal_problems().empty());
}

}  // namespace adit
