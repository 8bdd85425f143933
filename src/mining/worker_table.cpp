// SPDX-License-Identifier: MIT
// Workers by name, by index and by account; the idle ones in order of their last use.
#include "adit/mining/worker_table.h"

#include "adit/base/check.h"

namespace adit {
namespace {

// An address has no dot, so the first one separates.
std::string key_of(std::string_view account, std::string_view name) {
  std::string key;
  key.reserve(account.size() + 1 + name.size());
  key.append(account).append(1, '.').append(name);
  return key;
}

std::size_t hash_of(std::string_view account) { return std::hash<std::string_view>{}(account); }

}  // namespace

WorkerTable::WorkerTable(std::size_t capacity) : capacity_(capacity) { CHECK(capacity > 0); }

WorkerIndex WorkerTable::acquire(std::string_view account, std::string_view name, Instant now) {
  std::string key = key_of(account, name);
  if (const auto found = by_name_.find(key); found != by_name_.end()) {
    const std::uint32_t index = found->second;
    WorkerEntry& entry = entries_[index];
    if (entry.sessions++ > 0) return WorkerIndex(index);
    entry.since = now;
    entry.rate = {};
    idle_.erase(idle_place_[index]);
    unlink(index);
    link(index, true);
    return WorkerIndex(index);
  }
  if (size() >= capacity_ && !idle_.empty()) forget(idle_.front());
  const std::uint32_t index = take_index();
  WorkerEntry& entry = entries_[index];
  entry.account = account;
  entry.name = name;
  entry.sessions = 1;
  entry.since = now;
  by_name_.emplace(std::move(key), index);
  link(index, true);
  return WorkerIndex(index);
}

void WorkerTable::release(WorkerIndex index) {
  CHECK(index.value() < entries_.size() && entries_[index.value()].sessions > 0);
  if (--entries_[index.value()].sessions > 0) return;
  idle_place_[index.value()] = idle_.insert(idle_.end(), index.value());
  unlink(index.value());
  link(index.value(), false);
  if (size() > capacity_) forget(idle_.front());
}

void WorkerTable::remember_rate(WorkerIndex index, double hashes_per_second) {
  CHECK(index.value() < entries_.size() && entries_[index.value()].sessions > 0);
  if (!(hashes_per_second > 0)) return;
  WorkerEntry& entry = entries_[index.value()];
  entry.last_rate = hashes_per_second;
  if (learned_.size() < kLearnedMax)
    learned_.push_back({entry.account, entry.name, hashes_per_second});
}

void WorkerTable::learn(const LearnedRate& told) {
  const WorkerIndex index = acquire(told.account, told.name, Instant{});
  entries_[index.value()].last_rate = told.rate;
  release(index);
}

const WorkerEntry& WorkerTable::count_share(WorkerIndex index, Work work, Instant now) {
  CHECK(index.value() < entries_.size());
  WorkerEntry& entry = entries_[index.value()];
  entry.last_share = now;
  entry.rate.add(work, now);
  return entry;
}

const WorkerEntry& WorkerTable::at(WorkerIndex index) const {
  CHECK(index.value() < entries_.size());
  return entries_[index.value()];
}

double WorkerTable::rate_of(std::string_view account, std::string_view name) const {
  const auto found = by_name_.find(key_of(account, name));
  return found == by_name_.end() ? 0 : entries_[found->second].last_rate;
}

void WorkerTable::for_each(std::string_view account,
                           const std::function<bool(const WorkerEntry&)>& visit) const {
  const auto first = first_.find(hash_of(account));
  if (first == first_.end()) return;
  std::uint32_t index = first->second;
  do {
    const WorkerEntry& entry = entries_[index];
    if (entry.account == account && !visit(entry)) return;
    index = rings_[index].next;
  } while (index != first->second);
}

void WorkerTable::link(std::uint32_t index, bool first) {
  const auto [ring, is_new] = first_.try_emplace(hash_of(entries_[index].account), index);
  const std::uint32_t next = ring->second;
  Ring& own = rings_[index];
  own.next = next;
  own.previous = is_new ? index : rings_[next].previous;
  rings_[own.previous].next = index;
  rings_[next].previous = index;
  if (first) ring->second = index;
}

void WorkerTable::unlink(std::uint32_t index) {
  const Ring own = rings_[index];
  const auto ring = first_.find(hash_of(entries_[index].account));
  if (own.next == index) {
    first_.erase(ring);
    return;
  }
  if (ring->second == index) ring->second = own.next;
  rings_[own.previous].next = own.next;
  rings_[own.next].previous = own.previous;
}

std::uint32_t WorkerTable::take_index() {
  if (free_.empty()) {
    entries_.emplace_back();
    rings_.emplace_back();
    idle_place_.emplace_back();
    return static_cast<std::uint32_t>(entries_.size() - 1);
  }
  const std::uint32_t index = free_.back();
  free_.pop_back();
  return index;
}

void WorkerTable::forget(std::uint32_t index) {
  const WorkerEntry& entry = entries_[index];
  by_name_.erase(key_of(entry.account, entry.name));
  unlink(index);
  idle_.erase(idle_place_[index]);
  forgotten_.push_back(index);
}

void WorkerTable::reuse_forgotten() {
  for (const std::uint32_t index : forgotten_) {
    const std::uint32_t generation = entries_[index].generation + 1;
    entries_[index] = {};
    entries_[index].generation = generation;
    free_.push_back(index);
  }
  forgotten_.clear();
}

}  // namespace adit
