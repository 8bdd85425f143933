// SPDX-License-Identifier: MIT
#include "payout/rounds.h"

#include <algorithm>

#include "payout/settlement_rows.h"

namespace adit {

bool is_live(SettlementState state) {
  return state == SettlementState::Pending || state == SettlementState::Booked;
}

Result<Rounds> Rounds::read(LedgerStore& store) {
  Rounds rounds;
  const Status s = for_each_settlement(store, false, [&](const SettlementRecord& record) {
    rounds.note(record);
    return true;
  });
  if (!s) return s.error();
  return rounds;
}

void Rounds::note(const SettlementRecord& record) {
  if (record.terms.scheme.kind != SchemeKind::Prop) {
    ends_.insert(SliceNumber(record.slice));
    return;
  }
  Round& round = rounds_[settled_block_key(record.height, record.block)];
  round.block.hash = record.block, round.block.height = record.height;
  round.last = SliceNumber(record.slice);
  round.slices = record.slices;
  round.live = is_live(record.state);
}

SliceSet Rounds::at(SliceNumber last, SliceNumber floor) const {
  const SliceSet below(SliceNumber(1), floor);
  for (const auto& [key, round] : rounds_) {
    if (!round.live || !round.slices.contains(last)) continue;
    SliceSet shared = round.slices;
    shared.remove(below);
    return shared;
  }
  const auto end = ends_.lower_bound(last);
  if (end != ends_.begin()) floor = std::max(floor, *std::prev(end));
  SliceSet slices(SliceNumber(floor.value() + 1), last);
  for (const auto& [key, round] : rounds_)
    if (round.live) slices.remove(round.slices);
  return slices;
}

std::vector<Rounds::Change> Rounds::returns(const SettlementRecord& back, SliceNumber floor) const {
  const SliceSet below(SliceNumber(1), floor);
  SliceSet shared = back.slices;
  shared.remove(below);
  std::vector<Change> changes;
  for (const auto& [key, round] : rounds_) {
    if (round.block.hash == back.block || !round.slices.meets(back.slices)) continue;
    SliceSet slices = round.slices;
    if (!back.slices.contains(round.last)) {
      slices.remove(back.slices);
    } else {
      slices.remove(below);
      if (!round.live || slices == shared) continue;
      slices = shared;
    }
    changes.push_back({round.block, std::move(slices)});
  }
  return changes;
}

}  // namespace adit
