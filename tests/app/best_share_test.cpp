// SPDX-License-Identifier: MIT
// The best share of each tip, as the log tells it.
#include "app/best_share.h"

#include <doctest/doctest.h>

using namespace adit;

namespace {

/// Of tip `tip`; the hash is difficulty 1's target over `parts`.
PostedShare share_of(std::uint8_t tip, std::uint32_t parts) {
  PostedShare share;
  share.tip.bytes.fill(tip);
  share.height = 100u + tip;
  const Target target = Difficulty::from_u64(parts).to_target();
  for (int i = 0; i < 32; ++i)
    share.hash.bytes[static_cast<std::size_t>(i)] =
        static_cast<std::uint8_t>(target.value().limb[i / 8] >> (8 * (i % 8)));
  return share;
}

/// A million difficulties.
const Uint128 kNetwork = Work::of(Difficulty::from_u64(1'000'000).to_target()).value();

}  // namespace

TEST_CASE("the best of a tip is told when the next one has a share") {
  BestShare best;
  CHECK_FALSE(best.see(share_of(1, 500), kNetwork, "alice", "rig").has_value());
  CHECK_FALSE(best.see(share_of(1, 70'000), kNetwork, "bob", "").has_value());
  CHECK_FALSE(best.see(share_of(1, 600), kNetwork, "alice", "rig").has_value());
  const auto first = best.see(share_of(2, 3), kNetwork, "alice", "rig");
  REQUIRE(first.has_value());
  CHECK(first->text() == "height 101 is over; its best share: difficulty 7e+04 of 1e+06 (7%), bob");
  CHECK_FALSE(best.see(share_of(2, 2), 0, "bob", "").has_value());
  const auto second = best.see(share_of(3, 1), 0, "bob", "");
  REQUIRE(second.has_value());
  CHECK(second->text() ==
        "height 102 is over; its best share: difficulty 3 of 1e+06 (0.0003%), alice.rig");
  const auto third = best.see(share_of(4, 1), 0, "bob", "");
  REQUIRE(third.has_value());
  CHECK(third->text() == "height 103 is over; its best share: difficulty 1, bob");
}

TEST_CASE("what comes late for the tip that ended neither counts nor ends the new one") {
  BestShare best;
  CHECK_FALSE(best.see(share_of(1, 5), kNetwork, "a", "").has_value());
  CHECK(best.see(share_of(2, 7), kNetwork, "b", "").has_value());
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(best.see(share_of(1, 900), kNetwork, "late", "").has_value());
    CHECK_FALSE(best.see(share_of(2, 6), kNetwork, "c", "").has_value());
  }
  const auto told = best.see(share_of(3, 1), kNetwork, "d", "");
  REQUIRE(told.has_value());
  CHECK(told->account == "b");
  CHECK(told->height == 102);
}

TEST_CASE("a hash of nothing is a number too") {
  BestShare best;
  PostedShare zero = share_of(1, 1);
  zero.hash = {};
  CHECK_FALSE(best.see(zero, kNetwork, "a", "b").has_value());
  CHECK(best.see(share_of(2, 1), kNetwork, "c", "")->text().ends_with(", a.b"));
}
