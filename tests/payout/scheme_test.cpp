// SPDX-License-Identifier: MIT
// The schemes' worked examples, through the treasury: shares and blocks go in, settlements come
// out.
#include "adit/payout/scheme.h"

#include <random>

#include "adit/bitcoin/target.h"
#include "adit/payout/split.h"
#include "bank.h"

namespace adit {
namespace {

using test::Bank;
using test::mine;
using test::worked_window;

constexpr std::uint32_t kA = 1, kB = 2, kC = 3, kD = 4;
constexpr AccountId kAccount{1};
constexpr Satoshi kReward{320'951'337};

std::string terms(std::string_view scheme, std::uint32_t fee, std::uint32_t factor = 2) {
  const std::string window = scheme == "pplns" ? " factor=" + std::to_string(factor) : "";
  return std::string(scheme) + window + " fee=" + std::to_string(fee) +
         " way=wallet threshold=546 weight=8000";
}

/// A settlement by member; what is not theirs is the pool's, and all of it is the reward.
using Parts = std::map<std::uint32_t, Satoshi>;
Parts parts_of(Bank& bank, const BlockRecord& block) {
  const SettlementRecord record = bank.settlement(block);
  Parts parts;
  Satoshi sum = record.pool_entitled;
  for (const PlanShare& share : record.shares) sum += share.entitled;
  CHECK(sum == record.value);
  for (std::uint32_t member = 1; member <= 12; ++member)
    for (const PlanShare& share : record.shares)
      if (share.account == bank.account(member)) parts[member] = share.entitled;
  CHECK(parts.size() == record.shares.size());
  return parts;
}
Satoshi fee_in(Bank& bank, const BlockRecord& block) {
  return bank.settlement(block).pool_entitled;
}

/// A block whose share never came.
BlockRecord block_without_share(Bank& bank, std::uint32_t height, std::string_view account) {
  BlockRecord block = bank.block_of(bank.share(kD, 999'000 + height, 1), kD, height, kReward);
  block.account = account;
  REQUIRE(bank.put(block));
  bank.pass(Treasury::kShareWaitMillis);
  REQUIRE(bank.tick());
  return block;
}

Uint128 work_of(std::uint64_t difficulty) {
  return Work::of(Difficulty::from_u64(difficulty).to_target()).value();
}

}  // namespace

TEST_CASE("solo: the finder takes the block less the fee") {
  Bank bank(terms("solo", 150));
  bank.must_open();
  mine(bank, 1, {{kB, 5}});
  const BlockRecord block = bank.find_block(kA, 2, 100, kReward);
  CHECK(parts_of(bank, block) == Parts{{kA, Satoshi(316'137'067)}});
  CHECK(fee_in(bank, block) == Satoshi(4'814'270));
  CHECK(fee_in(bank, block_without_share(bank, 101, "")) == kReward);
  Bank free(terms("solo", 0));
  free.must_open();
  CHECK(fee_in(free, free.find_block(kA, 1, 100, kReward)) == Satoshi());
}

TEST_CASE("prop: by the work since the block before, which ends a round") {
  Bank bank(terms("prop", 200));
  bank.must_open();
  mine(bank, 1, {{kA, 1000}, {kB, 1100}});
  mine(bank, 3, {{kA, 2000}, {kC, 500}});
  const BlockRecord block = bank.find_block(kB, 5, 100, kReward, 400);
  CHECK(parts_of(bank, block) ==
        Parts{{kA, Satoshi(188'719'387)}, {kB, Satoshi(94'359'693)}, {kC, Satoshi(31'453'231)}});
  CHECK(fee_in(bank, block) == Satoshi(6'419'026));
  const BlockRecord second = bank.find_block(kD, 6, 101, kReward, 900);
  CHECK(parts_of(bank, second).size() == 1);
  // No work since: the round that the block before was settled by is this one's, too.
  CHECK(parts_of(bank, block_without_share(bank, 102, "")) == parts_of(bank, second));
}

TEST_CASE("prop: the work of a lost round joins the next") {
  Bank bank(terms("prop", 200));
  bank.must_open();
  mine(bank, 1, {{kA, 3000}, {kB, 1500}});
  BlockRecord lost = bank.find_block(kC, 3, 100, kReward, 500);
  bank.move(lost, BlockState::Accepted);
  bank.move(lost, BlockState::Orphaned);
  mine(bank, 4, {{kA, 100}});
  const BlockRecord next = bank.find_block(kD, 5, 100, kReward, 900);
  std::map<AccountId, Uint128> works;
  for (const PlanShare& share : bank.settlement(next).shares) works[share.account] = share.work;
  CHECK(works == std::map<AccountId, Uint128>{{bank.account(kA), 3100},
                                              {bank.account(kB), 1500},
                                              {bank.account(kC), 500},
                                              {bank.account(kD), 900}});
}

TEST_CASE("pplns: the worked window of two difficulties") {
  Bank bank(terms("pplns", 200));
  worked_window(bank);
  // Newest first: B 400, A 700, C 300, A 500, then 100 of B's 300.
  const Parts wanted = {
      {kA, Satoshi(188'719'386)}, {kB, Satoshi(78'633'078)}, {kC, Satoshi(47'179'847)}};
  CHECK(parts_of(bank, bank.find_block(kB, 6, 100, kReward, 400)) == wanted);
  // The window does not end with a block.
  CHECK(parts_of(bank, block_without_share(bank, 101, "")) == wanted);
}

TEST_CASE("pplns: a log shorter than the window is divided by the work there is") {
  Bank bank(terms("pplns", 200));
  bank.facts.work = 1000;
  bank.must_open();
  mine(bank, 1, {{kC, 300}});
  mine(bank, 2, {{kA, 700}});
  CHECK(parts_of(bank, bank.find_block(kB, 3, 100, kReward, 400)) ==
        Parts{{kA, Satoshi(157'266'155)}, {kB, Satoshi(89'866'375)}, {kC, Satoshi(67'399'781)}});
}

TEST_CASE("tides: pplns with a window of eight difficulties") {
  Bank bank(terms("pplns", 200, 8));
  bank.facts.work = 1000;
  bank.must_open();
  mine(bank, 1, {{kC, 2500}});
  mine(bank, 2, {{kA, 1500}});
  mine(bank, 3, {{kB, 3000}});
  CHECK(parts_of(bank, bank.find_block(kA, 4, 100, kReward, 2000)) ==
        Parts{{kA, Satoshi(137'607'886)}, {kB, Satoshi(117'949'617)}, {kC, Satoshi(58'974'808)}});
}

TEST_CASE("pps and fpps: a million shares of difficulty 65,536") {
  const NetworkFacts network{work_of(126'411'437'451'912), Satoshi(312'500'000),
                             Satoshi(3'250'000)};
  const Slice slice({{kAccount, work_of(65'536) * 1'000'000}});
  const auto pays = [&](SchemeKind kind, std::uint32_t fee) {
    return price_slice({kind, fee, 2}, slice, network).at(0).amount.value();
  };
  // 0.162010657, 0.163695568 and 0.157147745 satoshi a share, rounded; micro-satoshi are floors.
  const auto rounded = [](std::int64_t micro) { return (micro + 500) / 1'000; };
  CHECK(rounded(pays(SchemeKind::Pps, 0)) == 162'010'657);
  CHECK(rounded(pays(SchemeKind::Fpps, 0)) == 163'695'568);
  CHECK(rounded(pays(SchemeKind::Fpps, 400)) == 157'147'745);
  CHECK(pays(SchemeKind::Fpps, 400) / 1'000'000 == 157'147);
  Bank bank(terms("pps", 0));
  bank.must_open();
  CHECK(fee_in(bank, bank.find_block(kA, 1, 100, kReward)) == kReward);
}

TEST_CASE("pps: a change of difficulty prices each slice at its own time") {
  const Slice half({{kAccount, work_of(65'536) * 500'000}});
  std::int64_t sum = 0;
  // D, and D * 1.05.
  for (const std::uint64_t difficulty : {126'411'437'451'912ull, 132'732'009'324'507ull})
    sum += price_slice({SchemeKind::Fpps, 400, 2}, half,
                       {work_of(difficulty), Satoshi(312'500'000), Satoshi(3'250'000)})
               .at(0)
               .amount.value();
  CHECK(sum / 100'000 == 1'534'061);  // 153,406.1 satoshi
}

TEST_CASE("prices have an end, whatever the network says") {
  const Satoshi reward(5'000'000'000);
  const Uint128 most = ~Uint128{0};
  CHECK(price_of(most, kMaxMoney, 1, 0) == kMaxPrice);
  CHECK(price_of(most, kMaxMoney + kMaxMoney, most >> 40, 0) == kMaxPrice);
  CHECK(price_of(Uint128{590} << 40, reward, 4'295'032'833, 0) == kMaxPrice);
  CHECK(price_of(most, reward, most, 200) == MicroSatoshi(4'900'000'000'000'000));
  CHECK(price_of(1, reward, most, 0) == MicroSatoshi());
  CHECK(price_of(most, reward, most / 900, 0) == MicroSatoshi(900 * 5'000'000'000'000'000));
}

TEST_CASE("a terahash a day is worth 50.246 satoshi") {
  const Uint128 work = Uint128{1'000'000'000'000} * 86'400;
  const Uint128 network = work_of(126'411'437'451'912);
  CHECK(price_of(work, Satoshi(315'750'000), network, 0).value() / 1'000 == 50'246);
  CHECK(price_of(work, Satoshi(315'750'000), network, 400).value() / 1'000 == 48'236);
}

TEST_CASE("every scheme conserves every block, to the satoshi, at any fee") {
  std::mt19937_64 random(99);
  for (const std::string_view scheme : {"solo", "pplns", "prop", "pps", "fpps"})
    for (int run = 0; run < 12; ++run) {
      const auto fee =
          static_cast<std::uint32_t>(run == 0 ? 0 : (run == 1 ? 10'000 : random() % 10'001));
      Bank bank(terms(scheme, fee, 3));
      bank.facts.work = 1000;
      bank.must_open();
      std::uint64_t number = 1;
      for (std::uint32_t height = 100; height < 130; ++height) {
        std::vector<std::pair<std::uint32_t, std::uint64_t>> works;
        for (std::uint32_t member = 1; member <= 12; ++member)
          if (random() % 4 == 0) works.emplace_back(member, 1 + random() % 1'000);
        if (!works.empty()) mine(bank, number, works);
        number += 20;
        const Satoshi value(1 + static_cast<std::int64_t>(random() % 700'000'000));
        const auto finder = static_cast<std::uint32_t>(1 + random() % 12);
        const BlockRecord block = bank.find_block(finder, number, height, value);
        parts_of(bank, block);
        REQUIRE(fee_in(bank, block) >= fee_of(value, fee));
        if (scheme != "pps" && scheme != "fpps") REQUIRE(fee_in(bank, block) == fee_of(value, fee));
      }
    }
}

TEST_CASE("pplns, prop: more work never brings less, through shares, slices and settlements") {
  for (const std::string_view scheme : {"pplns", "prop"})
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
      std::vector<PlanShare> shares;  // of kA: with his work, and with more
      std::mt19937_64 more(seed);
      const std::uint64_t extra = 1 + more() % (1ull << 31), where = more() % 6;
      for (const bool with_more : {false, true}) {
        std::mt19937_64 random(seed);
        Bank bank(terms(scheme, 200, 2));
        bank.facts.work = Uint128{1 + random() % 20} << 31;
        bank.must_open();
        for (std::uint64_t n = 0; n < 6; ++n) {
          std::vector<std::pair<std::uint32_t, std::uint64_t>> works;
          for (std::uint32_t member = kA; member <= 6; ++member)
            if (member == kA || random() % 3 == 0)
              works.emplace_back(member, 1 + random() % (1ull << 31));
          if (with_more && n == where) works[0].second += extra;
          mine(bank, 1 + 20 * n, works);
        }
        const BlockRecord block = bank.find_block(kB, 500, 100, kReward, 1 << 20);
        for (const PlanShare& share : bank.settlement(block).shares)
          if (share.account == bank.account(kA)) shares.push_back(share);
      }
      REQUIRE(shares.size() == 2);
      REQUIRE(shares[1].work >= shares[0].work);
      REQUIRE(shares[1].entitled + Satoshi(1) >= shares[0].entitled);
      if (scheme == "prop" || shares[1].work > shares[0].work + (1 << 10))
        REQUIRE(shares[1].entitled >= shares[0].entitled);
    }
}

}  // namespace adit
