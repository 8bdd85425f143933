// SPDX-License-Identifier: MIT
// Who hears first of a new job.
#include "app/broadcast.h"

#include <doctest/doctest.h>

using namespace adit;

namespace {

std::vector<std::uint32_t> heard(Broadcast& broadcast) {
  std::vector<std::uint32_t> slots;
  while (broadcast.running()) slots.push_back(broadcast.next().slot);
  return slots;
}

}  // namespace

TEST_CASE("those who do most work hear first, whatever slot they have") {
  Broadcast broadcast;
  broadcast.add({{0, 0}, 1e12f, true});
  broadcast.add({{1, 0}, 0, true});
  broadcast.add({{2, 0}, 1e15f, true});
  broadcast.add({{3, 0}, 0, true});
  broadcast.sort();
  CHECK(heard(broadcast) == std::vector<std::uint32_t>{2, 0, 1, 3});
  CHECK_FALSE(broadcast.running());
}

TEST_CASE("who has not heard of the tip comes before who has, at any rate") {
  Broadcast broadcast;
  broadcast.add({{0, 0}, 1e15f, false});
  broadcast.add({{1, 0}, 1e9f, true});
  broadcast.add({{2, 0}, 1e12f, false});
  broadcast.add({{3, 7}, 1e10f, true});
  broadcast.sort();
  CHECK(broadcast.next().generation == 7);
  CHECK(heard(broadcast) == std::vector<std::uint32_t>{1, 0, 2});
}

TEST_CASE("a broadcast that is cleared in its middle starts again with the next") {
  Broadcast broadcast;
  for (std::uint32_t slot = 0; slot < 5; ++slot) broadcast.add({{slot, 0}, 0, true});
  broadcast.sort();
  CHECK(broadcast.next().slot == 0);
  broadcast.clear();
  CHECK_FALSE(broadcast.running());
  broadcast.add({{4, 1}, 0, false});
  broadcast.sort();
  CHECK(heard(broadcast) == std::vector<std::uint32_t>{4});
}
