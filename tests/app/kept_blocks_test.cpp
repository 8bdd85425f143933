// SPDX-License-Identifier: MIT
// Waiting for a block's file: told before or after, in any order, and never for longer than the
// patience.
#include "app/kept_blocks.h"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>

using namespace adit;
using namespace std::chrono_literals;

namespace {
BlockHash numbered(std::uint32_t n) {
  BlockHash hash;
  store_le(hash.bytes.data(), n);
  return hash;
}
}  // namespace

TEST_CASE("what was told is not waited for, and is forgotten once it was asked") {
  KeptBlocks kept;
  kept.kept(numbered(1));
  kept.kept(numbered(2));
  CHECK(kept.wait(numbered(2), 0ms));
  CHECK(kept.wait(numbered(1), 0ms));
  CHECK_FALSE(kept.wait(numbered(1), 1ms));
}

TEST_CASE("a wait ends when the file is safe") {
  KeptBlocks kept;
  std::thread disk([&] {
    std::this_thread::sleep_for(20ms);
    kept.kept(numbered(8));
    kept.kept(numbered(7));
  });
  CHECK(kept.wait(numbered(7), 5s));
  disk.join();
}

TEST_CASE("blocks that nobody asks for do not pile up") {
  KeptBlocks kept;
  for (std::uint32_t n = 0; n < 10'000; ++n) kept.kept(numbered(n));
  CHECK(kept.wait(numbered(9'999), 0ms));
  CHECK_FALSE(kept.wait(numbered(0), 0ms));
}
