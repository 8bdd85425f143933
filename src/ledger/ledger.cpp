// SPDX-License-Identifier: MIT
// The door, the append, blocks and expiry. Opening is in ledger_open.cpp.
#include "adit/ledger/ledger.h"

#include <algorithm>
#include <map>

#include "adit/base/check.h"
#include "ledger/block_store.h"
#include "ledger/books.h"
#include "ledger/open_slice.h"
#include "ledger/proof.h"
#include "ledger/share_run.h"

namespace adit {
namespace {

Error refusal() {
  return {ErrorCode::Io,
          "the ledger refuses since its store failed; restart the pool after mending the disk"};
}

/// Of a run of shares: its key, last share time and last tip.
struct RunEdge {
  std::string key;
  UnixMillis time;
  BlockHash tip;
  Sequence last;
};

Result<RunEdge> edge_of(std::string_view key, std::string_view value) {
  const auto run = ShareRun::parse(value);
  if (!run) return run.error();
  const auto share = ShareRecord::decode(run->record(run->count - 1));
  if (!share) return share.error();
  return RunEdge{std::string(key), share->time, share->tip, share->sequence};
}

/// The first run at or after `from`; without `from` the last one of all.
Result<std::optional<RunEdge>> edge_from(LedgerStore& store, std::optional<std::uint64_t> from) {
  std::optional<Result<RunEdge>> edge;
  const auto visit = [&](std::string_view key, std::string_view value) {
    edge = edge_of(key, value);
    return false;
  };
  const Status s = from ? store.scan(Family::Shares, key_u64(*from), visit)
                        : store.scan_back(Family::Shares, visit);
  if (!s) return s.error();
  if (!edge) return std::optional<RunEdge>();
  if (!edge->ok()) return edge->error();
  return std::optional<RunEdge>(**edge);
}

Result<std::optional<BlockRecord>> stored_block(LedgerStore& store, const std::string& key) {
  const auto value = store.get(Family::Blocks, key);
  if (!value) return value.error();
  if (!*value) return std::optional<BlockRecord>();
  auto block = block_of(key, **value);
  if (!block) return block.error();
  return std::optional<BlockRecord>(std::move(*block));
}

/// What becomes of a stored block when `block` is told of it; nullopt: that is no arrow.
std::optional<BlockRecord> moved_block(const std::optional<BlockRecord>& stored,
                                       const BlockRecord& block) {
  const BlockState from = stored ? stored->state : BlockState::Found;
  if (from != block.state && !block_may_move(from, block.state)) return std::nullopt;
  if (!stored) return block;
  BlockRecord next = *stored;
  next.state = block.state;
  next.detail = block.detail;
  next.confirmations = block.confirmations;
  if (next.value == Satoshi()) next.value = block.value;
  return next;
}

}  // namespace

Ledger::Ledger(LedgerStore& store, const LedgerOptions& options)
    : store_(&store),
      options_(options),
      seen_(options.hashes_per_tip),
      books_(std::make_unique<Books>(options.worker_limit)),
      slice_(std::make_unique<OpenSlice>(kSliceMillis)) {}
Ledger::~Ledger() = default;
Ledger::Ledger(Ledger&&) noexcept = default;
Ledger& Ledger::operator=(Ledger&&) noexcept = default;

Status Ledger::commit(const LedgerBatch& batch, bool sync) {
  Status s = store_->commit(batch, sync);
  if (!s)
    failed_ = s.error();
  else
    slices_are_durable();
  return s;
}

LedgerWorkerId Ledger::worker_id(std::string_view account, std::string_view worker) {
  return books_->worker_id(account, worker);
}

DoorVerdict Ledger::judge(const ShareCandidate& share) {
  if (!proves(share.hash, share.work)) return DoorVerdict::NotProved;
  if (share.worker.value() == 0) return DoorVerdict::Full;
  CHECK(books_->account_of(share.worker).value() != 0);
  switch (seen_.insert(share.tip, share.hash)) {
    case HashSet::Insert::Added:
      return DoorVerdict::Durable;
    case HashSet::Insert::Present:
      return DoorVerdict::Duplicate;
    case HashSet::Insert::Full:
      return DoorVerdict::Full;
  }
  UNREACHABLE();
}

Status Ledger::append(std::span<const ShareCandidate> shares, UnixMillis now,
                      std::vector<DoorVerdict>& verdicts, Sequence& first) {
  first = Sequence();
  verdicts.clear();
  if (failed_) return refusal();
  LedgerBatch batch;
  if (slice_->due(now)) close_slice(batch, now, {});
  ShareRunWriter runs(batch, last_, head_);
  runs.expect(shares.size());
  const Sequence batch_first(last_.value() + 1);
  BlockHash tip = tip_;
  constexpr std::size_t kAhead = 8;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const ShareCandidate& share = shares[i];
    if (i + kAhead < shares.size()) seen_.prefetch(shares[i + kAhead].tip, shares[i + kAhead].hash);
    const DoorVerdict verdict = judge(share);
    verdicts.push_back(verdict);
    if (verdict != DoorVerdict::Durable) continue;
    ShareRecord record{Sequence(),   now,          books_->account_of(share.worker),
                       share.worker, share.height, share.is_block,
                       share.hash,   share.tip,    share.work};
    runs.add(record);
    books_->add(share.worker, share.work, batch_first, now);
    slice_->add(record, runs.head());
    if (share.is_block && slice_->may_close()) close_slice(batch, now, share.hash);
    tip = share.tip;
  }
  runs.close();
  if (runs.last() < batch_first) return batch.empty() ? Status() : commit(batch, options_.sync);
  note_network(batch);
  books_->write(batch, now, runs.last(), false);
  if (Status s = commit(batch, options_.sync); !s) return s;
  first = batch_first;
  last_ = runs.last();
  head_ = runs.head();
  tip_ = tip;
  return {};
}

Status Ledger::sync() {
  if (failed_) return refusal();
  return commit({}, true);
}

Status Ledger::close(UnixMillis now) {
  if (failed_) return refusal();
  LedgerBatch batch;
  books_->write(batch, now, last_, true);
  return commit(batch, true);
}

Result<bool> Ledger::put_block(const BlockRecord& block) {
  const auto moved = put_blocks({&block, 1});
  if (!moved) return moved.error();
  return moved->front();
}

Result<std::vector<bool>> Ledger::put_blocks(std::span<const BlockRecord> blocks) {
  if (failed_) return refusal();
  LedgerBatch batch;
  std::map<std::string, std::optional<BlockRecord>> now;  // of the blocks met so far
  std::vector<bool> moved;
  moved.reserve(blocks.size());
  for (const BlockRecord& block : blocks) {
    const std::string key = block_key(block);
    const auto [known, is_new] = now.try_emplace(key);
    if (is_new) {
      auto stored = stored_block(*store_, key);
      if (!stored) return stored.error();
      known->second = std::move(*stored);
    }
    const auto next = moved_block(known->second, block);
    moved.push_back(next.has_value());
    if (!next || next == known->second) continue;
    batch.put(Family::Blocks, key, block_value(*next));
    if (!known->second && slice_->may_close() && slice_->newest_block() != block.hash)
      close_slice(batch, std::max(block.found, slice_->newest_share()), {});
    known->second = next;
  }
  if (batch.puts.empty()) return moved;
  if (Status s = commit(batch, true); !s) return s.error();
  return moved;
}

Result<UnixMillis> Ledger::newest_time() const {
  const auto newest = edge_from(*store_, std::nullopt);
  if (!newest) return newest.error();
  return *newest ? (*newest)->time : UnixMillis(0);
}

/// The key of the oldest run to keep; empty when nothing may go.
Result<std::string> Ledger::expiry_end(UnixMillis before) {
  const auto oldest = edge_from(*store_, 0);
  if (!oldest) return oldest.error();
  if (!*oldest) return std::string();
  // Bisection over sequences: runs before `low` go, the run at or after `high` stays.
  std::uint64_t low = u64_of_key((*oldest)->key).value_or(0), high = last_.value();
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    const auto edge = edge_from(*store_, middle);
    if (!edge) return edge.error();
    const bool goes = *edge && (*edge)->time < before && (*edge)->tip != tip_ &&
                      (*edge)->last <= books_->totals_through() &&
                      ((*edge)->last <= slice_->closed_through() || (*edge)->last < slices_from_);
    if (goes)
      low = (*edge)->last.value() + 1;
    else
      high = middle;
  }
  const auto keep = edge_from(*store_, low);
  if (!keep) return keep.error();
  if (!*keep || (*keep)->key == (*oldest)->key) return std::string();
  return (*keep)->key;
}

Status Ledger::expire_shares(UnixMillis before) {
  if (failed_) return refusal();
  const auto end = expiry_end(before);
  if (!end) return end.error();
  if (end->empty()) return {};
  LedgerBatch batch;
  batch.deletes.push_back({Family::Shares, key_u64(0), *end});
  return commit(batch, true);
}

}  // namespace adit
