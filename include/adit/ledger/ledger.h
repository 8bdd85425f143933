// SPDX-License-Identifier: MIT
// Ledger: the rules of the books. Every share passes its door: the hash must prove the credited
// work, and must not have been paid before, on any connection, by any protocol, before or after a
// restart. It gets the next sequence number and a place in the hash chain, and is durable before
// its receipt leaves. After any store error the ledger refuses for ever. Thread: the ledger
// writer's.
#pragma once

#include <span>
#include <unordered_map>
#include <vector>

#include "adit/bitcoin/duplicate_filter.h"
#include "adit/bitcoin/network.h"
#include "adit/ledger/records.h"
#include "adit/ledger/store.h"

namespace adit {

struct ShareCandidate {
  std::uint32_t worker_thread = 0;  ///< who sends; with `worker` it names a worker
  LedgerWorkerId worker;            ///< from Ledger::worker_id
  BlockHash hash;
  BlockHash tip;
  Work work;
  std::uint32_t height = 0;
  bool is_block = false;
};

enum class DoorVerdict : std::uint8_t { Durable, Duplicate, NotProved, Full };

struct LedgerOptions {
  Network network = Network::Main;
  std::uint8_t instance = 0;
  bool sync = true;          ///< false: the caller syncs within 100 ms (relaxed)
  bool accept_loss = false;  ///< open although the high-water mark says shares are missing
};

/// What the world outside the database remembers of it, so that a restored old backup is noticed.
struct HighWater {
  Sequence sequence;
  Digest chain{};
  std::string text() const;
  static std::optional<HighWater> parse(std::string_view text);
};

class Ledger {
 public:
  /// Opens or creates the books in `store`: checks schema version, genesis and instance, leases a
  /// new boot number, and rebuilds the duplicate filter from the newest shares.
  static Result<Ledger> open(LedgerStore& store, const LedgerOptions& options,
                             const std::optional<HighWater>& mark);

  /// The lasting id of a worker, made at first sight (in memory until the next append writes it).
  /// "" is a valid name.
  LedgerWorkerId worker_id(std::string_view account, std::string_view worker);

  /// Books the candidates that pass the door, in order, in one commit, and says of each what became
  /// of it (`verdicts` has the candidates' size; `first` is the sequence of the first durable one).
  /// An error: nothing was promised, nothing more will be accepted.
  Status append(std::span<const ShareCandidate> shares, UnixMillis now,
                std::vector<DoorVerdict>& verdicts, Sequence& first);

  /// Adds or moves a block. A move that is no arrow is ignored and logged by the caller (false).
  Result<bool> put_block(const BlockRecord& block);
  /// Blocks that are not Mature, Refused or Orphaned, oldest first.
  Result<std::vector<BlockRecord>> unsettled_blocks();

  /// Forgets share runs that end before `before`. The chain stays verifiable from the oldest run
  /// that is left.
  Status expire_shares(UnixMillis before);

  Sequence last_sequence() const { return last_; }
  const Digest& chain_head() const { return head_; }
  HighWater high_water() const { return {last_, head_}; }
  std::uint16_t boot() const { return boot_; }
  bool failed() const { return failed_; }

 private:
  struct WorkerIds {
    AccountId account;
    LedgerWorkerId worker;
  };
  Ledger(LedgerStore& store, const LedgerOptions& options) : store_(&store), options_(options) {}
  Status load();
  Status load_names();
  Status rebuild_filter();

  LedgerStore* store_;
  LedgerOptions options_;
  Sequence last_;
  Digest head_{};
  std::uint16_t boot_ = 0;
  bool failed_ = false;
  DuplicateFilter seen_;
  std::unordered_map<std::string, AccountId> accounts_;
  std::unordered_map<std::string, LedgerWorkerId> workers_;  // "account\0worker"
  std::vector<AccountId> account_of_worker_;                 // by worker id
  LedgerBatch pending_names_;
};

/// `adit ledger verify`: walks the share runs, recomputes every chain value and the proof of every
/// credit, checks that sequences have no hole, that no hash is paid twice on a tip, and that totals
/// of accounts equal the sums.
struct VerifyReport {
  std::uint64_t shares = 0;
  Sequence first, last;
  std::vector<std::string> problems;  ///< at most 100, each naming family and key
};
Result<VerifyReport> verify_ledger(LedgerStore& store);

}  // namespace adit
