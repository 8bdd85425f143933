// SPDX-License-Identifier: MIT
// Treasury: turns closed slices and found blocks into settlements, and ripe settlements into
// journal entries. Every step is one atomic batch and may be called again: after a crash open()
// looks at what is on disk and does what is missing. Thread: the ledger writer's.
//
//   found     settlement written (weights of the slice the block closed, or of its job's plan), by
//             the terms its job was made under
//   accepted  way coinbase: booked, since the chain has paid
//   mature    otherwise: booked
//   orphaned  reversed if it was booked, else dropped; accepted again: booked anew, and what took
//             over its round is divided again
//
// With way Coinbase a block is settled by the slice its plan counted, else by the slice that its
// own share closed; where that does not come, by the newest slice before the block. A prop round
// is all slices up to the block's that no other block was divided by: those of a lost one join the
// next round, and return if it comes back. Work that pps or fpps has paid counts in no later window
// or round.
//
// On disk (family credits): settlement_record.h, journal.h; 'r' + u64be slice + u32be change: the
// terms from that slice on; 'q': the last slice whose shares are priced. Both sealed JSON. 'f' +
// u64be slice: what the batch of priced slices that ends there left (priced_batch.h).
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "adit/bitcoin/network.h"
#include "adit/ledger/ledger.h"
#include "adit/payout/journal.h"
#include "adit/payout/plan.h"
#include "adit/payout/settlement_record.h"

namespace adit {

struct TreasuryOptions {
  PayoutTerms terms;
  Network network = Network::Main;
  Script pool_script;
};

class Treasury {
 public:
  /// `ledger` outlives it. Rebuilds the window from the slices on disk, finishes what a crash left.
  /// Terms that changed since the last run: open pps work is priced by the old ones first.
  static Result<Treasury> open(Ledger& ledger, const TreasuryOptions& options, UnixMillis now);
  ~Treasury();
  Treasury(Treasury&&) noexcept;

  /// In order, none left out (CHECK); those from before it was opened are ignored.
  Status slices_closed(std::span<const SliceRecord> slices, UnixMillis now);
  /// A block is new or has moved (after Ledger::put_block, whose record counts). `outputs`: of its
  /// coinbase, where known; needed once, when it is found, with way Coinbase. Not seen for
  /// kShareWaitMillis, they are taken to be those of its plan.
  Status block_changed(const BlockRecord& block, std::span<const TxOut> outputs, UnixMillis now);
  /// Settles blocks whose share has not come for kShareWaitMillis (stale, or of an unknown name),
  /// or whose outputs nobody told. Call it every second.
  Status tick(UnixMillis now);
  static constexpr std::int64_t kShareWaitMillis = 10'000;
  /// A new one whenever a slice closed or a balance changed; null unless way Coinbase with pplns or
  /// prop.
  PlanPtr plan() const;

  const Journal& journal() const;
  Journal& journal();
  const TreasuryOptions& options() const;
  /// Of an account's balance what may leave in a payment: nothing that an unripe block brought.
  Satoshi payable(AccountId account) const;
  /// Slices below it, a day before what counts now, may be forgotten (Ledger::expire_slices)
  /// without harm to blocks to come. (A window that grows, and audits, look further back.)
  SliceNumber oldest_slice_needed() const;

  struct State;

 private:
  explicit Treasury(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The work of each account, the pool's own included, in the window or round that ends with slice
/// `last`, by the terms, from disk. solo: the account whose share made the block that ended the
/// slice; pps and fpps: nobody. NotFound: slices of it are no longer there.
Result<std::vector<AccountWork>> weights_at(LedgerStore& store, SliceNumber last,
                                            const PayoutTerms& terms);

}  // namespace adit
