// SPDX-License-Identifier: MIT
// Which blocks are known: the oldest is forgotten first, whatever its hash.
#include "app/known_blocks.h"

#include <doctest/doctest.h>

using namespace adit;

namespace {
BlockHash hash_of(int n) {
  BlockHash hash;
  hash.bytes.fill(static_cast<std::uint8_t>(n));
  return hash;
}
}  // namespace

TEST_CASE("the block that came first is forgotten first, not the one with the smallest hash") {
  KnownBlocks known(3);
  for (const int n : {9, 1, 5}) CHECK(known.insert(hash_of(n)));
  CHECK_FALSE(known.insert(hash_of(9)));  // known: nothing goes for it
  CHECK(known.contains(hash_of(1)));
  CHECK(known.insert(hash_of(0)));  // the newest, and the smallest
  CHECK(known.contains(hash_of(0)));
  CHECK_FALSE(known.contains(hash_of(9)));
  CHECK(known.contains(hash_of(1)));
  CHECK(known.insert(hash_of(7)));
  CHECK_FALSE(known.contains(hash_of(1)));
  CHECK(known.contains(hash_of(5)));
  CHECK_FALSE(known.insert(hash_of(0)));
}
