// SPDX-License-Identifier: MIT
// Ledger: the rules of the books. Every share passes its door: the hash must prove the credited
// work, and must not have been paid before, on any connection, by any protocol, before or after a
// restart. It gets the next sequence number and a place in the hash chain, and is durable before
// its receipt leaves. After any store error the ledger refuses for ever. Thread: the ledger
// writer's.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "adit/bitcoin/duplicate_filter.h"
#include "adit/bitcoin/network.h"
#include "adit/ledger/reader.h"
#include "adit/ledger/records.h"
#include "adit/ledger/slice.h"
#include "adit/ledger/store.h"

namespace adit {

struct ShareCandidate {
  LedgerWorkerId worker;  ///< from Ledger::worker_id
  BlockHash hash;
  BlockHash tip;
  Work work;
  std::uint32_t height = 0;
  bool is_block = false;
};

enum class DoorVerdict : std::uint8_t {
  Durable,
  Duplicate,
  NotProved,  ///< the hash proves less than the credit, or the credit is zero
  Full,       ///< no room to remember the hash, or worker id 0: the books have no room for its name
};

struct LedgerOptions {
  Network network = Network::Main;
  std::uint8_t instance = 0;
  bool sync = true;          ///< false: the caller syncs within 100 ms (relaxed)
  bool accept_loss = false;  ///< open although the high-water mark knows more, or other books
  UnixMillis now;            ///< for meta "created_ms" of new books
  std::size_t worker_limit = 1'000'000;
  /// Remembered per tip (21 to 43 bytes each); then Full. Half an hour of 27,000 shares a second.
  std::size_t hashes_per_tip = 50'000'000;
};

/// What the world outside the database remembers of it, so that a restored old backup, or rows
/// taken out of its end, are noticed.
struct HighWater {
  Sequence sequence;
  Digest chain{};
  SliceMark slice{};                ///< the newest closed one; number zero: none
  std::uint64_t money_batches = 0;  ///< how often credits and payments were written
  /// Three lines: "<sequence> <chain value in hex>", the slice's, "<money batches>".
  std::string text() const;
  static std::optional<HighWater> parse(std::string_view text);
  bool operator==(const HighWater&) const = default;
};
/// What a mark knows and a store has not.
struct LedgerLoss {
  std::uint64_t shares = 0, slices = 0, money_batches = 0;  ///< missing from the end
  /// Conflict: something is missing. Corrupt: what is there is something else. Nothing: no loss.
  std::optional<Error> why;
  /// "<n> shares, <n> slices and <n> writes of credits and payments are missing".
  std::string text() const;
};
/// An error: the store cannot be read.
Result<LedgerLoss> measure_loss(LedgerStore& store, const HighWater& mark);
/// The same as a verdict. Conflict: shares, slices or writes of money that the mark knows are not
/// in the store. Corrupt: they are others.
Status check_high_water(LedgerStore& store, const HighWater& mark);

/// What is to be told of books whose mark is missing; nothing for empty ones, which need none.
Result<std::optional<std::string>> unmarked_books(LedgerStore& store);

class Books;
class OpenSlice;

class Ledger {
 public:
  /// Opens or creates the books in `store` (which must outlive the ledger): checks schema version,
  /// genesis and instance, leases a new boot number, rebuilds totals and the duplicate filter from
  /// the newest shares. Conflict: other network or instance, or shares of the mark are missing.
  /// Corrupt: the newest run, a name or the chain at the mark is not what was written.
  static Result<Ledger> open(LedgerStore& store, const LedgerOptions& options,
                             const std::optional<HighWater>& mark);
  ~Ledger();
  Ledger(Ledger&&) noexcept;
  Ledger& operator=(Ledger&&) noexcept;

  /// The lasting id of a worker, made at first sight; written with its first share. "" is a valid
  /// name. 0: the limit of workers is reached, or a name is longer than 256 bytes. Call it when a
  /// worker brings a share, not when it connects: ids are never given back.
  LedgerWorkerId worker_id(std::string_view account, std::string_view worker);

  /// Books the candidates that pass the door, in order, in one commit, and says of each what became
  /// of it (`verdicts` has the candidates' size; `first` is the sequence of the first durable one,
  /// 0 if there is none). An error: nothing was promised, nothing more will be accepted.
  Status append(std::span<const ShareCandidate> shares, UnixMillis now,
                std::vector<DoorVerdict>& verdicts, Sequence& first);

  /// With relaxed durability: what was appended is on the medium when this returns ok.
  Status sync();
  /// Brings every total to disk, for an ordered end. The ledger may be used on.
  Status close(UnixMillis now);

  /// Adds or moves a block; always synced. A new block comes as Found or one arrow further. The
  /// same state again renews detail and confirmations; who found it, when and on what never
  /// changes, and its value only from zero. A move that is no arrow is ignored and logged by the
  /// caller (false).
  Result<bool> put_block(const BlockRecord& block);
  /// The same for many, in order and in one commit: an answer for each.
  Result<std::vector<bool>> put_blocks(std::span<const BlockRecord> blocks);

  /// What slices of shares to come will say of the network (CHECKs amounts of money): with other
  /// facts the open one closes before the next share. Until the first call with work above zero no
  /// slice closes: its shares could not be priced. After a restart those of the newest share hold.
  void set_network(const NetworkFacts& facts);
  /// Closes the open slice when its first share is kSliceMillis old, or when the clock has stepped
  /// back behind it; append() does, too, before it books, and after a share that made a block. A
  /// new block closes it as well, if its share did not. A slice without shares never closes.
  Status close_due_slice(UnixMillis now);
  /// Closes it however young it is: shares to come are of other terms.
  Status close_open_slice(UnixMillis now);
  static constexpr std::int64_t kSliceMillis = 60'000;
  /// Slices closed since the last call, oldest first; all are on disk. Call it every turn: they are
  /// kept until then. A slice that a crash kept from being taken is found by for_each_slice.
  std::vector<SliceRecord> take_closed_slices();
  /// The newest closed one; 0: none yet.
  SliceNumber last_slice() const;
  /// Rows of credits and payments (CHECK: of no other family), always synced; after an error the
  /// ledger refuses for ever. Adds a row of its own: their count (HighWater).
  Status write(LedgerBatch& batch);
  LedgerStore& store() { return *store_; }
  /// The address of a booked account; empty for an unknown id.
  std::string address_of(AccountId account) const;
  /// 0: no account in the books has this address.
  AccountId account_of(std::string_view address) const;
  /// The same, made where there is none: who is owed money before a share of his is booked. Always
  /// synced. 0: no room for one more, or the address is longer than 256 bytes.
  Result<AccountId> book_account(std::string_view address, UnixMillis now);

  /// Forgets share runs that end before `before` (found by bisection: it trusts run times to rise).
  /// Kept in any case: runs on the newest tip, whose hashes a restart must know, runs whose totals
  /// are not on disk yet, and runs with shares of the open slice. The chain stays verifiable from
  /// the oldest run that is left.
  Status expire_shares(UnixMillis before);
  /// Forgets slices below `before`, except the newest one. The rest stays chained from the oldest
  /// slice that is left.
  Status expire_slices(SliceNumber before);

  /// When the newest share was booked; 0 where there is none.
  Result<UnixMillis> newest_time() const;
  Sequence last_sequence() const { return last_; }
  const Digest& chain_head() const { return head_; }
  HighWater high_water() const;
  std::uint16_t boot() const { return boot_; }
  /// What the mark knew and these books have not; only with accept_loss.
  const LedgerLoss& accepted_loss() const { return accepted_loss_; }
  bool failed() const { return failed_.has_value(); }
  /// Why, since the store failed; everything else is refused from then on.
  const std::optional<Error>& failure() const { return failed_; }

 private:
  Ledger(LedgerStore& store, const LedgerOptions& options);
  DoorVerdict judge(const ShareCandidate& share);
  Status commit(const LedgerBatch& batch, bool sync);
  Status open_meta();
  Status rebuild_filter();
  Status rebuild_slice();
  void close_slice(LedgerBatch& batch, UnixMillis now, const BlockHash& block);
  void note_network(LedgerBatch& batch);
  void slices_are_durable();
  Result<std::string> expiry_end(UnixMillis before);

  LedgerStore* store_;
  LedgerOptions options_;
  Sequence last_;
  Digest head_{};
  BlockHash tip_;  ///< of the newest share
  std::uint64_t money_batches_ = 0;
  std::uint16_t boot_ = 0;
  LedgerLoss accepted_loss_;
  std::optional<Error> failed_;
  DuplicateFilter seen_;
  std::unique_ptr<Books> books_;
  std::unique_ptr<OpenSlice> slice_;
  Sequence slices_from_;              ///< the first share of slice 1
  NetworkFacts noted_network_;        ///< as meta says
  std::vector<SliceRecord> closing_;  ///< in the batch that is being made
  std::vector<SliceRecord> closed_;   ///< on disk, not taken yet
};

/// `adit ledger verify`: walks the share runs, recomputes every chain value and the proof of every
/// credit, checks that sequences have no hole, that no hash is paid twice on a tip, that totals of
/// accounts equal the sums, that slices follow each other without a hole, each naming the one
/// before, and that their works, roots and chain values are those of their shares.
struct VerifyReport {
  std::uint64_t shares = 0, slices = 0;
  Sequence first, last;
  std::vector<std::string> problems;  ///< at most 100, each naming family and key
};
Result<VerifyReport> verify_ledger(LedgerStore& store);

}  // namespace adit
