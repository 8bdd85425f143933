// SPDX-License-Identifier: MIT
// Messages side by side give what each gives alone: headers, merkle branches, coinbases.
#include "adit/crypto/sha256_many.h"

#include <algorithm>

#include "sha256_support.h"

using namespace adit;
using namespace adit::test;

namespace {

constexpr std::size_t kCounts[] = {0, 1, 2, 3, 5, 6, 7, 8, 9, 14, 16, 17};

Digest digest_at(const ByteVec& bytes, std::size_t index) {
  Digest out;
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(32 * index), 32, out.begin());
  return out;
}

ByteVec joined(Bytes a, Bytes b, Bytes c = {}) {
  ByteVec out(a.begin(), a.end());
  append(out, b);
  append(out, c);
  return out;
}

}  // namespace

TEST_CASE("headers side by side equal the textbook and touch nothing beyond their output") {
  under_each_implementation([] {
    SplitMix random(21);
    for (const std::size_t count : kCounts) {
      const ByteVec in = random.bytes(80 * count);
      ByteVec out(32 * count + 1, 0xee);
      sha256d_80_many(out.data(), in.data(), count);
      for (std::size_t i = 0; i < count; ++i)
        CHECK(digest_at(out, i) == textbook_sha256d(Bytes(in).subspan(80 * i, 80)));
      CHECK(out.back() == 0xee);
    }
  });
}

TEST_CASE("leaves that climb one branch side by side equal the textbook") {
  under_each_implementation([] {
    SplitMix random(22);
    for (const std::size_t count : kCounts) {
      for (const std::size_t levels : {0, 1, 2, 12}) {
        const ByteVec siblings = random.bytes(32 * levels), leaves = random.bytes(32 * count);
        ByteVec nodes = leaves;
        nodes.push_back(0xee);
        sha256d_fold_many(nodes.data(), count, siblings.data(), levels);
        for (std::size_t i = 0; i < count; ++i) {
          Digest node = digest_at(leaves, i);
          for (std::size_t level = 0; level < levels; ++level)
            node = textbook_sha256d(joined(node, Bytes(siblings).subspan(32 * level, 32)));
          CHECK(digest_at(nodes, i) == node);
        }
        CHECK(nodes.back() == 0xee);
      }
    }
  });
}

TEST_CASE("a gap anywhere in a message, of any size it may have") {
  under_each_implementation([] {
    SplitMix random(23);
    int wrong = 0;
    for (std::size_t front = 0; front < 140; front += 3) {
      for (const std::size_t gap : {0, 1, 8, 16, 63, 64}) {
        const ByteVec before = random.bytes(front), after = random.bytes(random.below(200));
        const std::size_t count = 1 + random.below(10);
        const ByteVec fillings = random.bytes(gap * count);
        ByteVec out(32 * count + 1, 0xee);
        Sha256Gap(before, gap, after).sha256d_many(out.data(), fillings.data(), count);
        for (std::size_t i = 0; i < count; ++i) {
          const Bytes filling = Bytes(fillings).subspan(gap * i, gap);
          wrong += digest_at(out, i) != textbook_sha256d(joined(before, filling, after));
        }
        wrong += out.back() != 0xee;
      }
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("a gap's message of every length up to three blocks") {
  under_each_implementation([] {
    SplitMix random(24);
    for (std::size_t after = 0; after < 192; ++after) {
      const ByteVec back = random.bytes(after), filling = random.bytes(16);
      Digest out;
      Sha256Gap({}, 16, back).sha256d_many(out.data(), filling.data(), 1);
      CHECK(out == textbook_sha256d(joined(filling, back)));
    }
  });
}
