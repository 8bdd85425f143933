// SPDX-License-Identifier: MIT
// Treasury: turns closed slices and found blocks into settlements, and ripe settlements into
// journal entries. Every step is one atomic batch and may be called again: after a crash open()
// looks at what is on disk and does what is missing. Thread: the ledger writer's.
//
//   found     settlement written (weights of the slice the block closed, or of its job's plan)
//   accepted  way coinbase: booked, since the chain has paid
//   mature    otherwise: booked
//   orphaned  reversed if it was booked, else dropped; accepted again: booked anew
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

  /// In order, each once.
  Status slices_closed(std::span<const SliceRecord> slices, UnixMillis now);
  /// A block is new or has moved (after Ledger::put_block). `outputs`: of its coinbase, where
  /// known; needed once, before it is accepted, with way Coinbase.
  Status block_changed(const BlockRecord& block, std::span<const TxOut> outputs, UnixMillis now);
  /// Settles blocks whose share never came (stale, or of an unknown name). Call it every second.
  Status tick(UnixMillis now);
  /// A new one after every call above that changed it; null with ways other than Coinbase.
  PlanPtr plan() const;

  const Journal& journal() const;
  Journal& journal();
  const TreasuryOptions& options() const;
  /// Of an account's balance what may leave in a payment: nothing that an unripe block brought.
  Satoshi payable(AccountId account) const;

 private:
  struct State;
  explicit Treasury(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The work of each account in the window that ends with slice `last`, by the terms, from disk.
/// NotFound: slices of the window are no longer there.
Result<std::vector<AccountWork>> weights_at(LedgerStore& store, SliceNumber last,
                                            const PayoutTerms& terms);

}  // namespace adit
