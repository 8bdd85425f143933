// SPDX-License-Identifier: MIT
#include "adit/payout/scheme.h"

#include <doctest/doctest.h>

#include <random>

#include "adit/bitcoin/target.h"
#include "adit/payout/split.h"

namespace adit {
namespace {

constexpr AccountId kA{1}, kB{2}, kC{3}, kD{4};
constexpr Satoshi kReward{320'951'337};
const SlicePrice kPrice{1000, Satoshi(312'500'000), Satoshi(3'250'000)};

Slice one(AccountId account, std::uint64_t work) { return Slice({{account, work}}); }

Uint128 work_of(std::uint64_t difficulty) {
  return Work::of(Difficulty::from_u64(difficulty).to_target()).value();
}

}  // namespace

TEST_CASE("solo: the finder takes the block less the fee") {
  const auto solo = make_scheme({SchemeKind::Solo, 150, 2});
  CHECK(solo->slice_closed(one(kB, 5), kPrice).empty());
  const Settlement s = solo->block_found({kReward, kA, 1000});
  CHECK(s.parts == std::vector<Part>{{kA, Satoshi(316'137'067)}});
  CHECK(s.fee == Satoshi(4'814'270));
  CHECK(make_scheme({SchemeKind::Solo, 0, 2})->block_found({kReward, kA, 1}).fee == Satoshi(0));
  CHECK(solo->block_found({kReward, AccountId{}, 1000}) == Settlement{{}, kReward});
}

TEST_CASE("prop: by the work since the block before, which ends a round") {
  const auto prop = make_scheme({SchemeKind::Prop, 200, 2});
  prop->slice_closed(Slice({{kA, 1000}, {kB, 1500}}), kPrice);
  prop->slice_closed(Slice({{kA, 2000}, {kC, 500}}), kPrice);
  const Settlement s = prop->block_found({kReward, kB, 1000});
  CHECK(s.parts == std::vector<Part>{{kA, Satoshi(188'719'387)},
                                     {kB, Satoshi(94'359'693)},
                                     {kC, Satoshi(31'453'231)}});
  CHECK(s.fee == Satoshi(6'419'026));
  prop->slice_closed(one(kD, 900), kPrice);
  CHECK(prop->block_found({kReward, kD, 1000}).parts.size() == 1);
  CHECK(prop->block_found({kReward, kD, 1000}) == Settlement{{}, kReward});
}

TEST_CASE("pplns: the worked window of two difficulties") {
  const auto pplns = make_scheme({SchemeKind::Pplns, 200, 2});
  for (const auto& [account, work] : std::vector<std::pair<AccountId, std::uint64_t>>{
           {kC, 900}, {kB, 300}, {kA, 500}, {kC, 300}, {kA, 700}, {kB, 400}})
    pplns->slice_closed(one(account, work), kPrice);
  const Settlement s = pplns->block_found({kReward, kB, 1000});
  // Newest first: B 400, A 700, C 300, A 500, then 100 of B's 300.
  CHECK(s.parts == std::vector<Part>{{kA, Satoshi(188'719'386)},
                                     {kB, Satoshi(78'633'078)},
                                     {kC, Satoshi(47'179'847)}});
  // The window does not end with a block.
  CHECK(pplns->block_found({kReward, kB, 1000}) == s);
}

TEST_CASE("tides: pplns with a window of eight difficulties") {
  const auto tides = make_scheme({SchemeKind::Pplns, 200, 8});
  for (const auto& [account, work] : std::vector<std::pair<AccountId, std::uint64_t>>{
           {kC, 2500}, {kA, 1500}, {kB, 3000}, {kA, 2000}})
    tides->slice_closed(one(account, work), kPrice);
  CHECK(tides->block_found({kReward, kA, 1000}).parts ==
        std::vector<Part>{
            {kA, Satoshi(137'607'886)}, {kB, Satoshi(117'949'617)}, {kC, Satoshi(58'974'808)}});
}

TEST_CASE("pps and fpps: a million shares of difficulty 65,536") {
  const Uint128 network = work_of(126'411'437'451'912);
  const SlicePrice price{network, Satoshi(312'500'000), Satoshi(3'250'000)};
  const Slice slice({{kA, work_of(65'536) * 1'000'000}});
  const auto pays = [&](SchemeKind kind, std::uint32_t fee) {
    return make_scheme({kind, fee, 2})->slice_closed(slice, price).at(0).amount.value();
  };
  // 0.162010657, 0.163695568 and 0.157147745 satoshi a share, rounded; micro-satoshi are floors.
  const auto rounded = [](std::int64_t micro) { return (micro + 500) / 1'000; };
  CHECK(rounded(pays(SchemeKind::Pps, 0)) == 162'010'657);
  CHECK(rounded(pays(SchemeKind::Fpps, 0)) == 163'695'568);
  CHECK(rounded(pays(SchemeKind::Fpps, 400)) == 157'147'745);
  CHECK(pays(SchemeKind::Fpps, 400) / 1'000'000 == 157'147);
  CHECK(make_scheme({SchemeKind::Pps, 0, 2})->block_found({kReward, kA, network}) ==
        Settlement{{}, kReward});
}

TEST_CASE("pps: a change of difficulty prices each slice at its own time") {
  const Slice half({{kA, work_of(65'536) * 500'000}});
  const auto fpps = make_scheme({SchemeKind::Fpps, 400, 2});
  std::int64_t sum = 0;
  // D, and D * 1.05.
  for (const std::uint64_t difficulty : {126'411'437'451'912ull, 132'732'009'324'507ull})
    sum += fpps->slice_closed(half, {work_of(difficulty), Satoshi(312'500'000), Satoshi(3'250'000)})
               .at(0)
               .amount.value();
  CHECK(sum / 100'000 == 1'534'061);  // 153,406.1 satoshi
}

TEST_CASE("a terahash a day is worth 50.246 satoshi") {
  const Uint128 work = Uint128{1'000'000'000'000} * 86'400;
  const Uint128 network = work_of(126'411'437'451'912);
  CHECK(price_of(work, Satoshi(315'750'000), network, 0).value() / 1'000 == 50'246);
  CHECK(price_of(work, Satoshi(315'750'000), network, 400).value() / 1'000 == 48'236);
}

TEST_CASE("every scheme conserves every block, to the satoshi") {
  std::mt19937_64 random(99);
  for (const SchemeKind kind :
       {SchemeKind::Solo, SchemeKind::Pplns, SchemeKind::Prop, SchemeKind::Pps, SchemeKind::Fpps}) {
    const auto scheme = make_scheme({kind, 133, 3});
    for (int step = 0; step < 20'000; ++step) {
      std::vector<AccountWork> entries;
      for (std::uint32_t account = 1; account <= 12; ++account)
        if (random() % 4 == 0) entries.push_back({AccountId(account), 1 + random() % 1'000});
      scheme->slice_closed(Slice(entries), kPrice);
      if (random() % 5 != 0) continue;
      const Satoshi value(static_cast<std::int64_t>(random() % 700'000'000));
      const AccountId finder(static_cast<std::uint32_t>(random() % 12));
      const Settlement s = scheme->block_found({value, finder, 1'000});
      Satoshi sum = s.fee;
      for (const Part& part : s.parts) sum += part.amount;
      REQUIRE(sum == value);
      REQUIRE(s.fee >= fee_of(value, 133));
    }
  }
}

}  // namespace adit
