// SPDX-License-Identifier: MIT
// The hashes already paid: one set a tip, of open-addressing tables.
#include "adit/bitcoin/duplicate_filter.h"

#include <algorithm>
#include <utility>

#include "adit/base/check.h"

namespace adit {
namespace {

constexpr std::size_t kFirstSlots = 64;

}  // namespace

// The low bytes of a hash that was paid are as random as the miner's luck, so they are the hash
// function too. Piling hashes up in one place would mean throwing paid shares away.
std::size_t HashSet::Part::slot(const Key& key) const {
  const std::size_t mask = slots.size() - 1;
  std::size_t at = key.low & mask;
  while (slots[at] != Key{} && slots[at] != key) at = (at + 1) & mask;
  return at;
}

void HashSet::Part::grow() {
  const Slots old = std::exchange(slots, Slots(std::max(kFirstSlots, slots.size() * 2)));
  for (std::size_t i = 0; i < old.size(); ++i) {
    if (old[i] != Key{}) slots[slot(old[i])] = old[i];
  }
}

HashSet::Key HashSet::key_of(const BlockHash& hash) {
  const Key key{load_le<std::uint64_t>(hash.bytes.data()),
                load_le<std::uint64_t>(hash.bytes.data() + 8)};
  return key == Key{} ? Key{1, 0} : key;
}

bool HashSet::contains(const BlockHash& hash) const {
  const Key key = key_of(hash);
  const Part& part = parts_[part_of(key)];
  return !part.slots.empty() && part.slots[part.slot(key)] != Key{};
}

HashSet::Insert HashSet::insert(const BlockHash& hash) {
  const Key key = key_of(hash);
  Part& part = parts_[part_of(key)];
  std::size_t at = part.slots.empty() ? 0 : part.slot(key);
  if (!part.slots.empty() && part.slots[at] != Key{}) return Insert::Present;
  if (size_ >= limit_) return Insert::Full;
  // At most three quarters full, so that probes stay short and always end.
  if ((part.size + 1) * 4 > part.slots.size() * 3) {
    part.grow();
    at = part.slot(key);
  }
  part.slots[at] = key;
  ++part.size;
  ++size_;
  return Insert::Added;
}

void HashSet::prefetch(const BlockHash& hash) const {
  const Key key = key_of(hash);
  const Slots& slots = parts_[part_of(key)].slots;
  if (!slots.empty()) __builtin_prefetch(&slots[key.low & (slots.size() - 1)], 1);
}

void HashSet::clear() {
  parts_ = {};
  size_ = 0;
}

DuplicateFilter::Entry& DuplicateFilter::entry_for(const BlockHash& tip) {
  if (last_ < entries_.size() && entries_[last_].tip == tip) return entries_[last_];
  auto found = std::find_if(entries_.begin(), entries_.end(),
                            [&](const Entry& entry) { return entry.tip == tip; });
  if (found == entries_.end() && entries_.size() < kTips) {
    found = entries_.insert(entries_.end(), Entry{tip, HashSet(limit_), 0});
  } else if (found == entries_.end()) {
    found = std::min_element(entries_.begin(), entries_.end(),
                             [](const Entry& a, const Entry& b) { return a.used < b.used; });
    *found = Entry{tip, HashSet(limit_), 0};
  }
  last_ = static_cast<std::size_t>(found - entries_.begin());
  // Only a change of tip moves the clock: the order of use is all that counts.
  found->used = ++clock_;
  return *found;
}

HashSet::Insert DuplicateFilter::insert(const BlockHash& tip, const BlockHash& header_hash) {
  return entry_for(tip).hashes.insert(header_hash);
}

void DuplicateFilter::prefetch(const BlockHash& tip, const BlockHash& header_hash) const {
  if (last_ < entries_.size() && entries_[last_].tip == tip)
    entries_[last_].hashes.prefetch(header_hash);
}

bool DuplicateFilter::contains(const BlockHash& tip, const BlockHash& header_hash) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.tip == tip && entry.hashes.contains(header_hash);
  });
}

std::size_t DuplicateFilter::size() const {
  std::size_t total = 0;
  for (const Entry& entry : entries_) total += entry.hashes.size();
  return total;
}

}  // namespace adit
