// SPDX-License-Identifier: MIT
// LedgerWriter: slices, settlements and payments. All after the receipts have left: nobody's answer
// waits for the arithmetic of money.
#include <algorithm>
#include <utility>

#include "adit/base/log.h"
#include "app/books_requests.h"
#include "app/ledger_writer.h"

namespace adit {
namespace {

constexpr Duration kTickEvery = std::chrono::seconds(1);
constexpr std::size_t kWaitingBlocks = 1'024;

}  // namespace

Status LedgerWriter::open_money() {
  auto treasury = Treasury::open(*ledger_, options_.treasury, clock_->now().wall);
  if (!treasury) return treasury.error();
  treasury_ = std::make_unique<Treasury>(std::move(*treasury));
  auto payments = Payments::open(*ledger_, *treasury_);
  if (!payments) return payments.error();
  payments_ = std::make_unique<Payments>(std::move(*payments));
  tell_plan();
  return {};
}

void LedgerWriter::shut() {
  payments_.reset();
  treasury_.reset();
  ledger_.reset();
  store_.reset();
}

/// Each block in each of its states once: a day on a full disk brings many confirmations. What is
/// written in this very turn is bounded by the inbox.
void LedgerWriter::remember(BlockEvent&& event) {
  const auto same = [&](const BlockEvent& known) { return known.block.hash == event.block.hash; };
  const auto known = std::find_if(waiting_blocks_.rbegin(), waiting_blocks_.rend(), same);
  const bool full = waiting_blocks_.size() >= kWaitingBlocks && (!ledger_ || !room_);
  if (known != waiting_blocks_.rend() && known->block.state == event.block.state) {
    known->block = std::move(event.block);
    if (!event.outputs.empty()) known->outputs = std::move(event.outputs);
  } else if (full) {
    forgotten_ = true;  // safe in the vault
  } else {
    waiting_blocks_.push_back(std::move(event));
  }
}

void LedgerWriter::write_blocks() {
  if (!ledger_ || waiting_blocks_.empty()) return;
  // One commit: shares that come meanwhile wait for one sync, however many blocks there are.
  std::vector<BlockRecord> blocks;
  blocks.reserve(waiting_blocks_.size());
  for (BlockEvent& event : waiting_blocks_) {
    if (event.block.after == Sequence()) event.block.after = ledger_->last_sequence();
    blocks.push_back(event.block);
  }
  const auto moved = ledger_->put_blocks(blocks);
  if (!moved) return fail(moved.error());
  settle();
  for (std::size_t i = 0; i < blocks.size() && !failed_ && treasury_; ++i) {
    if (!(*moved)[i]) {
      log_warn("ledger", "block {}: {} does not follow its state; ignored", blocks[i].hash.hex(),
               block_state_name(blocks[i].state));
      continue;
    }
    if (const Status told =
            treasury_->block_changed(blocks[i], waiting_blocks_[i].outputs, clock_->now().wall);
        !told)
      return fail(told.error());
  }
  // After a failure they come again: every step may be repeated.
  if (failed_ || !treasury_) return;
  waiting_blocks_.clear();
  for (std::size_t i = 0; i < blocks.size() && options_.on_booked; ++i)
    if ((*moved)[i]) options_.on_booked(blocks[i]);
  if (std::exchange(forgotten_, false) && options_.on_forgotten) options_.on_forgotten();
}

void LedgerWriter::settle() {
  if (!ledger_ || !treasury_) return;
  const Now now = clock_->now();
  if (const Status closed = ledger_->close_due_slice(now.wall); !closed)
    return fail(closed.error());
  if (const auto slices = ledger_->take_closed_slices(); !slices.empty()) {
    // A plan may promise money for them: relaxed or not, they must be there after a power loss.
    if (!options_.ledger.sync && !sync_books()) return;
    if (const Status settled = treasury_->slices_closed(slices, now.wall); !settled)
      return fail(settled.error());
  }
  if (now.mono - last_tick_ >= kTickEvery) {
    last_tick_ = now.mono;
    if (const Status ticked = treasury_->tick(now.wall); !ticked) return fail(ticked.error());
  }
  tell_plan();
}

/// Those that closed before `before` and that no block to come can need.
Status LedgerWriter::forget_slices(UnixMillis before) {
  SliceNumber keep;
  const Status read = for_each_slice(*store_, SliceNumber(1), [&](const SliceRecord& slice) {
    keep = slice.number;
    return slice.closed < before;
  });
  if (!read) return read;
  return ledger_->expire_slices(std::min(keep, treasury_->oldest_slice_needed()));
}

void LedgerWriter::tell_plan() {
  PlanPtr plan = treasury_->plan();
  if (plan == told_plan_) return;
  told_plan_ = std::move(plan);
  if (options_.on_plan) options_.on_plan(told_plan_);
}

void LedgerWriter::answer(BooksRequest& request) {
  if (failed_) return;
  if (!payments_ || !room_)
    return request.reply(
        books_error({ErrorCode::Unavailable, "the books are shut: no room on the disk"}));
  const std::string answer = handle_books_request(*payments_, request.text, clock_->now().wall);
  const auto why = ledger_->failure();
  // Before anybody acts on the answer: books without this step must never be opened again.
  const bool marked = why || mark_step();
  request.reply(marked ? answer
                       : books_error({ErrorCode::Io,
                                      "the high-water mark could not be written (the log says "
                                      "why): run the command again"}));
  if (why) fail({why->code, "a payment step could not be written: " + why->text});
}

/// A mark also tells how far the shares have come: with relaxed durability they are synced first.
bool LedgerWriter::mark_step() {
  if (ledger_->high_water().money_batches == marked_.money_batches) return true;
  if (unsynced_ && !sync_books()) return false;
  return write_mark();
}

}  // namespace adit
