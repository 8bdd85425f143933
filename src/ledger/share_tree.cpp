// SPDX-License-Identifier: MIT
// The Merkle tree over a slice's shares.
#include "adit/base/check.h"
#include "adit/ledger/slice.h"

namespace adit {
namespace {

constexpr std::uint8_t kParent = 1;

Digest parent_of(const Digest& left, const Digest& right) {
  std::array<std::uint8_t, 1 + 2 * sizeof(Digest)> buffer;
  buffer[0] = kParent;
  std::memcpy(buffer.data() + 1, left.data(), left.size());
  std::memcpy(buffer.data() + 1 + left.size(), right.data(), right.size());
  return sha256(buffer);
}

}  // namespace

void ShareTree::add(const Digest& leaf) {
  Digest node = leaf;
  // As a binary counter: each one bit at the end of size_ is a full subtree that merges.
  for (std::uint64_t carry = size_; (carry & 1) != 0; carry >>= 1) {
    node = parent_of(peaks_.back(), node);
    peaks_.pop_back();
  }
  peaks_.push_back(node);
  ++size_;
}

Digest ShareTree::root() const {
  if (peaks_.empty()) return {};
  Digest node = peaks_.back();
  for (std::size_t i = peaks_.size() - 1; i-- > 0;) node = parent_of(peaks_[i], node);
  return node;
}

std::vector<TreeStep> tree_path(const std::vector<Digest>& leaves, std::uint64_t index) {
  CHECK(index < leaves.size() && leaves.size() - 1 <= ~std::uint32_t{0});
  std::vector<TreeStep> path;
  std::vector<Digest> level = leaves;
  for (; level.size() > 1; index /= 2) {
    if ((index ^ 1) < level.size()) path.push_back({level[index ^ 1], (index & 1) != 0});
    std::size_t up = 0;
    for (std::size_t i = 0; i < level.size(); i += 2)
      level[up++] = i + 1 < level.size() ? parent_of(level[i], level[i + 1]) : level[i];
    level.resize(up);
  }
  return path;
}

std::vector<bool> tree_sides(std::uint64_t index, std::uint64_t size) {
  CHECK(index < size && size - 1 <= ~std::uint32_t{0});
  std::vector<bool> sides;
  for (; size > 1; index /= 2, size = size / 2 + size % 2)
    if ((index ^ 1) < size) sides.push_back((index & 1) != 0);
  return sides;
}

Digest tree_root(const Digest& leaf, const std::vector<TreeStep>& path) {
  Digest node = leaf;
  for (const TreeStep& step : path)
    node = step.on_left ? parent_of(step.sibling, node) : parent_of(node, step.sibling);
  return node;
}

}  // namespace adit
