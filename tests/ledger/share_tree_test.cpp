// SPDX-License-Identifier: MIT
// The tree against its definition in RFC 6962, section 2.1, written down naively.
#include "fixture.h"

using namespace adit;

namespace {

Digest leaf(std::uint64_t n) {
  std::uint8_t bytes[8];
  store_le(bytes, n);
  return sha256(bytes);
}

std::vector<Digest> leaves(std::uint64_t count) {
  std::vector<Digest> out;
  for (std::uint64_t i = 0; i < count; ++i) out.push_back(leaf(i));
  return out;
}

Digest join(const Digest& left, const Digest& right) {
  ByteVec bytes(1, 1);
  append(bytes, left);
  append(bytes, right);
  return sha256(bytes);
}

/// The largest power of two below n.
std::size_t cut(std::size_t n) {
  std::size_t k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

Digest naive_root(std::span<const Digest> d) {
  if (d.size() == 1) return d[0];
  const std::size_t k = cut(d.size());
  return join(naive_root(d.first(k)), naive_root(d.subspan(k)));
}

std::vector<TreeStep> naive_path(std::span<const Digest> d, std::size_t m) {
  if (d.size() == 1) return {};
  const std::size_t k = cut(d.size());
  auto path = m < k ? naive_path(d.first(k), m) : naive_path(d.subspan(k), m - k);
  path.push_back(m < k ? TreeStep{naive_root(d.subspan(k)), false}
                       : TreeStep{naive_root(d.first(k)), true});
  return path;
}

}  // namespace

TEST_CASE("tree: roots and ways of all sizes to 70 and every leaf") {
  ShareTree grown;
  CHECK(grown.root() == Digest{});
  for (std::uint64_t size = 1; size <= 70; ++size) {
    const auto all = leaves(size);
    grown.add(all.back());
    REQUIRE(grown.size() == size);
    const Digest root = naive_root(all);
    REQUIRE(grown.root() == root);
    for (std::uint64_t i = 0; i < size; ++i) {
      const auto path = tree_path(all, i);
      REQUIRE(path == naive_path(all, i));
      REQUIRE(tree_root(all[i], path) == root);
      std::vector<bool> sides;
      for (const TreeStep& step : path) sides.push_back(step.on_left);
      REQUIRE(tree_sides(i, size) == sides);
    }
  }
  grown.clear();
  CHECK(grown.root() == Digest{});
  grown.add(leaf(0));
  CHECK(grown.root() == leaf(0));
}

TEST_CASE("tree: a changed sibling, side, order or leaf leads elsewhere") {
  const auto all = leaves(21);
  for (const std::uint64_t i : {0u, 7u, 16u, 20u}) {
    const auto path = tree_path(all, i);
    const Digest root = naive_root(all);
    CHECK(tree_root(leaf(99), path) != root);
    for (std::size_t s = 0; s < path.size(); ++s) {
      auto other = path;
      other[s].sibling[31] ^= 1;
      CHECK(tree_root(all[i], other) != root);
      other = path;
      other[s].on_left = !other[s].on_left;
      CHECK(tree_root(all[i], other) != root);
      other = path;
      other.erase(other.begin() + static_cast<long>(s));
      CHECK(tree_root(all[i], other) != root);
    }
  }
}

TEST_CASE("tree: 100,000 shares need at most 17 hashes, and any tree 32") {
  const auto all = leaves(100'000);
  ShareTree tree;
  for (const Digest& d : all) tree.add(d);
  for (const std::uint64_t i : {0u, 1u, 65'535u, 65'536u, 99'998u, 99'999u}) {
    const auto path = tree_path(all, i);
    CHECK(path.size() <= 17);
    CHECK(tree_root(all[i], path) == tree.root());
  }
  for (std::uint64_t i = 0; i < 100'000; i += 37) REQUIRE(tree_sides(i, 100'000).size() <= 17);
  constexpr std::uint64_t kFull = std::uint64_t{1} << 32;
  CHECK(tree_sides(kFull - 1, kFull).size() == kMaxTreeSteps);
  CHECK(tree_sides(kFull - 2, kFull - 1).size() <= kMaxTreeSteps);
}
