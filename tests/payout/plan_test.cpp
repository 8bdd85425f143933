// SPDX-License-Identifier: MIT
#include "adit/payout/plan.h"

#include <doctest/doctest.h>

#include "adit/payout/split.h"
#include "support/ledger_samples.h"

namespace adit {
namespace {

const Script kPoolScript = {0x51};
constexpr Satoshi kReward{320'951'337};

Script script_of(std::uint32_t seed) {
  Script script = {0x00, 0x14};
  script.resize(22, static_cast<std::uint8_t>(seed));
  script[2] = static_cast<std::uint8_t>(seed >> 8);
  return script;
}

PayoutPlan plan_of(std::vector<PlanAccount> accounts, std::uint32_t fee = 200) {
  PayoutPlan plan;
  plan.terms.scheme = {SchemeKind::Pplns, fee, 2};
  plan.terms.way = PayWay::Coinbase;
  for (const PlanAccount& account : accounts) plan.pool_carry -= account.carry;
  plan.accounts = std::move(accounts);
  return plan;
}

PlanAccount member(std::uint32_t id, std::uint64_t work, std::int64_t carry = 0) {
  return {AccountId(id), work, Satoshi(carry), script_of(id)};
}

Satoshi sum_of(const std::vector<TxOut>& outputs) {
  Satoshi sum;
  for (const TxOut& out : outputs) sum += out.value;
  return sum;
}

}  // namespace

TEST_CASE("plan: the worked window as coinbase outputs") {
  const auto planned = plan_coinbase(plan_of({member(1, 1200), member(2, 500), member(3, 300)}),
                                     kReward, kPoolScript);
  CHECK(planned.outputs == std::vector<TxOut>{{Satoshi(6'419'026), kPoolScript},
                                              {Satoshi(188'719'386), script_of(1)},
                                              {Satoshi(78'633'078), script_of(2)},
                                              {Satoshi(47'179'847), script_of(3)}});
  CHECK(planned.pool_entitled == Satoshi(6'419'026));
  CHECK(planned.pool_paid == Satoshi(6'419'026));
  CHECK(planned.shares.at(1) ==
        PlanShare{AccountId(2), 500, Satoshi(78'633'078), Satoshi{}, Satoshi(78'633'078)});
}

TEST_CASE("plan: without accounts all goes to the pool; without work, too") {
  CHECK(plan_coinbase(plan_of({}), kReward, kPoolScript).outputs ==
        std::vector<TxOut>{{kReward, kPoolScript}});
  const auto planned = plan_coinbase(plan_of({member(1, 0, 900)}), kReward, kPoolScript);
  CHECK(planned.pool_entitled == kReward);
  CHECK(planned.outputs ==
        std::vector<TxOut>{{kReward - Satoshi(900), kPoolScript}, {Satoshi(900), script_of(1)}});
}

TEST_CASE("plan: work on the pool's own address is the pool's") {
  PayoutPlan plan = plan_of({member(1, 1000)}, 0);
  plan.pool_work = 3000;
  const auto planned = plan_coinbase(plan, Satoshi(4'000'000), kPoolScript);
  CHECK(planned.pool_entitled == Satoshi(3'000'000));
  CHECK(planned.shares.at(0).paid == Satoshi(1'000'000));
}

TEST_CASE("plan: who has no script keeps a credit") {
  PayoutPlan plan = plan_of({member(1, 500), member(2, 500)}, 0);
  plan.accounts[1].script.clear();
  const auto planned = plan_coinbase(plan, Satoshi(10'000), kPoolScript);
  CHECK(planned.shares[1].entitled == Satoshi(5'000));
  CHECK(planned.shares[1].paid == Satoshi{});
  CHECK(planned.shares[0].paid == Satoshi(5'546));  // takes a debit, as far as the threshold
  CHECK(sum_of(planned.outputs) == Satoshi(10'000));
}

TEST_CASE("plan: random plans over many blocks: sums are exact, debits stay small") {
  test::ShareMaker random(9);
  for (int run = 0; run < 40; ++run) {
    std::vector<PlanAccount> members;
    for (std::uint32_t i = 1; i <= 120; ++i) members.push_back(member(i, 1));
    PayoutPlan plan = plan_of(std::move(members), 100);
    plan.terms.threshold = Satoshi(1'048'576);
    for (int block = 0; block < 30; ++block) {
      for (PlanAccount& account : plan.accounts)
        account.work = random.below(50) == 0 ? random.below(1'000'000) : random.below(10'000);
      const Satoshi value = kReward + Satoshi(static_cast<std::int64_t>(random.below(10'000'000)));
      const auto planned = plan_coinbase(plan, value, kPoolScript);
      CHECK(sum_of(planned.outputs) == value);
      Satoshi entitled = planned.pool_entitled, paid = planned.pool_paid, carries;
      std::size_t outputs = 0;
      for (std::size_t i = 0; i < plan.accounts.size(); ++i) {
        const PlanShare& share = planned.shares[i];
        entitled += share.entitled, paid += share.paid;
        plan.accounts[i].carry += share.entitled - share.paid;
        carries += plan.accounts[i].carry;
        outputs += share.paid > Satoshi{} ? 1 : 0;
        CHECK(plan.accounts[i].carry >= Satoshi{} - plan.terms.threshold);
      }
      CHECK(entitled == value);
      CHECK(paid == value);
      CHECK(outputs <= plan.terms.coinbase_weight / 124);
      plan.pool_carry += planned.pool_entitled - planned.pool_paid;
      CHECK(carries + plan.pool_carry == Satoshi{});
    }
  }
}

TEST_CASE("plan: the outputs in several sizes are those of each size") {
  test::ShareMaker random(11);
  for (std::uint32_t run = 0; run < 200; ++run) {
    std::vector<PlanAccount> members;
    for (std::uint32_t i = 1; i <= 1 + run % 90; ++i) {
      members.push_back(member(i, random.below(1'000'000),
                               static_cast<std::int64_t>(random.below(4'000'000)) - 1'000'000));
      if (random.below(4) == 0) members.back().script.resize(34, 0x77);  // P2WSH
      if (random.below(30) == 0) members.back().script.clear();
    }
    PayoutPlan plan = plan_of(std::move(members), 100);
    plan.terms.threshold = Satoshi(1'048'576);
    std::vector<std::uint64_t> rooms{~std::uint64_t{0}, 8'000, 0};
    for (int i = 0; i < 6; ++i) rooms.push_back(random.below(9'000));
    const auto all = plan_outputs(plan, kReward, kPoolScript, rooms);
    REQUIRE(all.size() == rooms.size());
    for (std::size_t i = 0; i < rooms.size(); ++i) {
      CHECK(all[i] == plan_coinbase(plan, kReward, kPoolScript, rooms[i]).outputs);
      CHECK(sum_of(all[i]) == kReward);
      std::uint64_t taken = 0;
      for (const TxOut& out : all[i])
        if (out.script != kPoolScript) taken += output_weight(out.script);
      CHECK(taken <= std::min(rooms[i], plan.terms.coinbase_weight));
    }
  }
}

TEST_CASE("plan: what the pool owes waits with the largest credits, and nobody else pays for it") {
  // The pool took a whole block that was account 1's; account 4 waits for an output since long.
  PayoutPlan plan = plan_of({member(1, 500, 300'000'000), member(2, 400), member(3, 100, -1'000),
                             member(4, 0, 1'000'546)},
                            100);
  const auto planned = plan_coinbase(plan, Satoshi(100'000'000), kPoolScript);
  CHECK(planned.pool_paid == Satoshi{});  // its part pays off
  CHECK(planned.shares[0].paid == Satoshi(49'500'000 + 1'000'000 - 1'000'546 + 1'000));
  CHECK(planned.shares[1].paid == Satoshi(39'600'000));
  CHECK(planned.shares[2].paid == Satoshi(9'900'000 - 1'000));
  CHECK(planned.shares[3].paid == Satoshi(1'000'546));
  // The wallet's is what is left of it after such a block.
  CHECK(left_to_wallet(plan, Satoshi(100'000'000)) ==
        std::vector{Satoshi(299'999'546), Satoshi{}, Satoshi{}, Satoshi{}});
  // After one whose fee covers all of it, only what account 3 owes the others.
  plan.terms.scheme.fee_basis_points = 10'000;
  CHECK(left_to_wallet(plan, Satoshi(301'000'000)) ==
        std::vector{Satoshi(997), Satoshi{}, Satoshi{}, Satoshi(3)});
}

TEST_CASE("solo: other pools' worked examples, and the one that is another rule's") {
  const auto pays = [](std::uint32_t fee) {
    const auto outputs = solo_outputs(kReward, fee, script_of(1), kPoolScript);
    return std::pair(outputs[0].value, outputs.size() > 1 ? outputs[1].value : Satoshi{});
  };
  // A donation of 0.5 %, rounded down; none.
  CHECK(pays(50) == std::pair(Satoshi(319'346'581), Satoshi(1'604'756)));
  CHECK(pays(0) == std::pair(kReward, Satoshi{}));
  // Two floors, and what they lack to the pool: 1.5 % are 4,814,271 then. By that rule the 0.5 %
  // above were 1,604,757, and 2 % of the worked block 6,419,027: one fee rule holds for every
  // scheme, floor(V * fee), and the satoshi is the finder's.
  const auto two_floors = [](std::uint32_t fee) { return kReward - fee_of(kReward, 10'000 - fee); };
  CHECK(two_floors(150) == Satoshi(4'814'271));
  CHECK(two_floors(50) == Satoshi(1'604'757));
  CHECK(two_floors(200) == Satoshi(6'419'027));
  CHECK(pays(150) == std::pair(Satoshi(316'137'067), Satoshi(4'814'270)));
}

TEST_CASE("solo: the finder's output and the fee's") {
  CHECK(
      solo_outputs(kReward, 150, script_of(1), kPoolScript) ==
      std::vector<TxOut>{{Satoshi(316'137'067), script_of(1)}, {Satoshi(4'814'270), kPoolScript}});
  CHECK(solo_outputs(kReward, 0, script_of(1), kPoolScript) ==
        std::vector<TxOut>{{kReward, script_of(1)}});
  CHECK(solo_outputs(Satoshi(5'459), 1'000, script_of(1), kPoolScript).size() == 1);
  CHECK(solo_outputs(Satoshi(5'460), 1'000, script_of(1), kPoolScript).size() == 2);
  CHECK(solo_outputs(kReward, 10'000, script_of(1), kPoolScript) ==
        std::vector<TxOut>{{kReward, kPoolScript}});
  CHECK(solo_outputs(kReward, 150, kPoolScript, kPoolScript).size() == 1);
}

}  // namespace adit
