// SPDX-License-Identifier: MIT
// WorkerTable: the workers (ADDRESS.name) one thread has seen, as small numbers, with what is worth
// remembering of each over a reconnect. Bounded: past the cap the least recently used one without
// sessions is forgotten. All workers of one account are found without a look at the others.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "adit/base/strong.h"
#include "adit/base/time.h"
#include "adit/mining/share_rate.h"

namespace adit {

/// Index into one thread's WorkerTable; means nothing elsewhere.
using WorkerIndex = Strong<std::uint32_t, struct WorkerIndexTag>;

struct WorkerEntry {
  std::string account;   ///< canonical address
  std::string name;      ///< what follows the dot; may be empty
  double last_rate = 0;  ///< hashes a second; 0 unknown
  std::uint32_t sessions = 0;
  std::uint32_t generation = 0;  ///< changes when the index is given to another worker
  Instant since{};               ///< it has had a session without a break since then
  Instant last_share{};          ///< sent to the ledger by this thread; zero: none known
  ShareRate rate;                ///< of what it sent since `since`
};

/// A rate worth telling the other threads: a miner that reconnects may land on any of them.
struct LearnedRate {
  std::string account, name;
  double rate = 0;
};

class WorkerTable {
 public:
  /// Rates kept for take_learned(); what is learned beyond is told by nobody.
  static constexpr std::size_t kLearnedMax = 4096;
  explicit WorkerTable(std::size_t capacity = 200'000);
  /// Finds or adds, and counts one session for it. Past the cap the table grows only by workers
  /// with sessions, which are bounded elsewhere; the surplus is forgotten as they leave.
  WorkerIndex acquire(std::string_view account, std::string_view name, Instant now);
  void release(WorkerIndex index);
  /// Nobody refers to an index of a forgotten worker any more: from here on it may be given away.
  /// Until then at() still tells whose it was, as its last shares may be on their way.
  void reuse_forgotten();
  /// A rate of 0 says nothing (a session without a share) and changes nothing.
  void remember_rate(WorkerIndex index, double hashes_per_second);
  /// A share of it is on its way to the ledger. Gives its entry.
  const WorkerEntry& count_share(WorkerIndex index, Work work, Instant now);
  /// The rates remembered since the last call.
  std::vector<LearnedRate> take_learned() { return std::exchange(learned_, {}); }
  /// What another thread's table learned.
  void learn(const LearnedRate& told);
  const WorkerEntry& at(WorkerIndex index) const;
  /// 0 when unknown. Does not add.
  double rate_of(std::string_view account, std::string_view name) const;
  /// The workers of an account until `visit` returns false: first those with sessions, then the
  /// others. Costs as much as it visits.
  void for_each(std::string_view account,
                const std::function<bool(const WorkerEntry&)>& visit) const;
  std::size_t size() const { return by_name_.size(); }

 private:
  /// The neighbours among the workers of the same account: a ring.
  struct Ring {
    std::uint32_t next = 0, previous = 0;
  };
  void link(std::uint32_t index, bool first);
  void unlink(std::uint32_t index);
  std::uint32_t take_index();
  void forget(std::uint32_t index);

  std::vector<WorkerEntry> entries_;
  std::unordered_map<std::string, std::uint32_t> by_name_;
  std::list<std::uint32_t> idle_;
  std::vector<std::list<std::uint32_t>::iterator> idle_place_;
  std::vector<Ring> rings_;
  /// By the account's hash: the first of its ring. Accounts that meet in one hash share a ring.
  std::unordered_map<std::size_t, std::uint32_t> first_;
  std::vector<std::uint32_t> forgotten_, free_;
  std::vector<LearnedRate> learned_;
  std::size_t capacity_;
};

}  // namespace adit
