// SPDX-License-Identifier: MIT
// Rounds: prop's rule for whom a slice's work is paid to. A block is divided by all slices up to
// its own that no other block has, those of lost blocks among them; where another block has its
// slice already, both share that block's round. Thread: the ledger writer's.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "adit/ledger/store.h"
#include "adit/payout/settlement_record.h"

namespace adit {

/// Its block may still pay, or has.
bool is_live(SettlementState state);

class Rounds {
 public:
  static Result<Rounds> read(LedgerStore& store);

  /// A settlement is new or has changed.
  void note(const SettlementRecord& record);
  /// The round of a block that is settled by slice `last`; slices up to `floor` do not count.
  SliceSet at(SliceNumber last, SliceNumber floor) const;

  struct Change {
    BlockRecord block;  ///< hash and height
    SliceSet slices;    ///< its round from now on
  };
  /// What a lost block changes by coming back: who took its work gives it back, and who has its
  /// slice shares its round.
  std::vector<Change> returns(const SettlementRecord& back, SliceNumber floor) const;

 private:
  struct Round {
    BlockRecord block;
    SliceNumber last;
    SliceSet slices;
    bool live = false;
  };
  std::map<std::string, Round> rounds_;  // in the order of their rows
  std::set<SliceNumber> ends_;           // settled by other schemes: a round begins after them
};

}  // namespace adit
