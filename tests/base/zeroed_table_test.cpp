// SPDX-License-Identifier: MIT
#include "adit/base/zeroed_table.h"

#include <doctest/doctest.h>

using adit::ZeroedTable;

namespace {

bool all_zero(const ZeroedTable<std::uint64_t>& table) {
  for (std::size_t i = 0; i < table.size(); ++i)
    if (table[i] != 0) return false;
  return true;
}

}  // namespace

TEST_CASE("zeroed table: small ones and mapped ones are zeros, also where memory was used before") {
  for (const std::size_t count : {1u, 64u, 262'143u, 262'144u, 300'001u}) {
    for (int again = 0; again < 3; ++again) {
      ZeroedTable<std::uint64_t> table(count);
      REQUIRE(table.size() == count);
      CHECK(all_zero(table));
      for (std::size_t i = 0; i < count; ++i) table[i] = ~i;
      CHECK(table[count - 1] == ~(count - 1));
    }
  }
}

TEST_CASE("zeroed table: a mapped one begins on a huge page") {
  ZeroedTable<std::uint64_t> table(1 << 20);
  CHECK(reinterpret_cast<std::uintptr_t>(&table[0]) % (2 << 20) == 0);
}

TEST_CASE("zeroed table: moves, and is empty at first") {
  ZeroedTable<std::uint64_t> empty;
  CHECK(empty.empty());
  ZeroedTable<std::uint64_t> a(8), b(1 << 19);
  a[7] = 7;
  b[9] = 9;
  std::swap(a, b);
  CHECK(a[9] == 9);
  CHECK(b[7] == 7);
  a = std::move(b);
  CHECK(a.size() == 8);
  CHECK(a[7] == 7);
  CHECK(ZeroedTable<std::uint64_t>(0).empty());
}

TEST_CASE("zeroed table: more than any memory is an exception, not an overflow") {
  CHECK_THROWS_AS(ZeroedTable<std::uint64_t>(SIZE_MAX / 8 + 2), std::bad_alloc);
  CHECK_THROWS_AS(ZeroedTable<std::uint64_t>(std::size_t{1} << 55), std::bad_alloc);
}
