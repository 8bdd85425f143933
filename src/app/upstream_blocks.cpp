// SPDX-License-Identifier: MIT
// A found block's way: checked once more, kept in the vault, sent to every node, followed until it
// is buried. The disk may hold it up for at most 50 ms: a sick disk must never hold a block.
#include <algorithm>

#include "adit/base/log.h"
#include "adit/bitcoin/block.h"
#include "app/upstream.h"

namespace adit {
namespace {

constexpr Duration kDiskPatience = std::chrono::milliseconds(50);
constexpr Duration kRefillEvery = std::chrono::seconds(10);
/// How long a stop waits for found blocks that no node has answered.
constexpr Duration kStopPatience = std::chrono::seconds(10);

BlockState state_of(SubmitState state) {
  switch (state) {
    case SubmitState::Submitted:
      return BlockState::Submitted;
    case SubmitState::Side:
      return BlockState::Side;
    case SubmitState::Accepted:
      return BlockState::Accepted;
    case SubmitState::Refused:
      return BlockState::Refused;
    case SubmitState::Orphaned:
      return BlockState::Orphaned;
    case SubmitState::Mature:
      return BlockState::Mature;
  }
  UNREACHABLE();
}

SubmitState resumed(BlockState state) {
  switch (state) {
    case BlockState::Side:
      return SubmitState::Side;
    case BlockState::Accepted:
      return SubmitState::Accepted;
    case BlockState::Orphaned:
      return SubmitState::Orphaned;
    default:
      return SubmitState::Submitted;
  }
}

bool is_settled(BlockState state) {
  return state == BlockState::Mature || state == BlockState::Refused;
}

LogLevel level_of(const BlockProgress& progress) {
  // Losing a race is bad luck; a refusal is a fault of ours.
  if (progress.alarm != SubmitAlarm::None || progress.state == SubmitState::Refused)
    return LogLevel::Error;
  return progress.state == SubmitState::Orphaned ? LogLevel::Warn : LogLevel::Info;
}

/// Who a block pays. Nobody, if its bytes are not a block: the vault's file was damaged.
std::vector<TxOut> coinbase_outputs(Bytes block) {
  auto parsed = Block::parse(block);
  if (!parsed || parsed->transactions.empty()) return {};
  return std::move(parsed->transactions[0].outputs);
}

}  // namespace

Status Upstream::open(const std::vector<BlockRecord>& blocks, Satoshi mean_fees) {
  // Blocks on regtest are small, and whoever tries the pool there may have a small disk.
  const bool few = config_->pool.network == Network::Regtest;
  auto vault = BlockVault::open(config_->data_dir + "/blocks",
                                few ? BlockVault::kFewReserves : BlockVault::kReserves);
  if (!vault) return vault.error();
  vault_ = std::make_unique<BlockVault>(std::move(*vault));
  auto kept = vault_->list();
  if (!kept) return kept.error();
  for (const VaultBlock& block : *kept) resume(block, blocks);
  const std::size_t first = blocks.size() - std::min(blocks.size(), RipeWatch::kBlocks);
  for (std::size_t i = first; i < blocks.size(); ++i)
    if (!known_.contains(blocks[i].hash)) bury(without_file(blocks[i]));
  watch_fees(mean_fees);
  return {};
}

/// A block of the books whose file is missing cannot be sent any more: the process died before it
/// was written, or somebody took it away. A node may have it all the same, which RipeWatch sees.
BlockRecord Upstream::without_file(BlockRecord record) {
  if (record.state != BlockState::Found && record.state != BlockState::Submitted &&
      record.state != BlockState::Side)
    return record;
  log_error(
      "block",
      "height {} {}: its file is missing: {} before the restart, and lost unless a node has it",
      record.height, record.hash.hex(), block_state_name(record.state));
  record.state = BlockState::Orphaned;
  record.detail = "its file is missing, and it was on no chain";
  tell(record);
  return record;
}

void Upstream::resume(const VaultBlock& block, const std::vector<BlockRecord>& rows) {
  BlockRecord record = block.record;
  for (const BlockRecord& row : rows)
    if (row.hash == record.hash) record = row;
  known_.insert(record.hash);
  outputs_[record.hash] = coinbase_outputs(block.bytes);
  if (is_settled(record.state)) {
    // It ended before the file was put away.
    (void)vault_->settle(record).ok();
    return bury(record);
  }
  log_info("block", "height {} {}: {} before the restart, going on", record.height,
           record.hash.hex(), block_state_name(record.state));
  blocks_.push_back(record);
  tell(record);
  submitter_.submit(record.hash, record.height, to_hex(block.bytes), loop_.now().mono,
                    resumed(record.state));
}

/// Tells the books of a block that is in the vault, and follows it if nobody does.
void Upstream::go_on(const VaultBlock& kept) {
  const BlockHash& hash = kept.record.hash;
  const auto at = std::find_if(blocks_.begin(), blocks_.end(),
                               [&](const BlockRecord& followed) { return followed.hash == hash; });
  if (at != blocks_.end()) return tell(*at);
  if (const auto buried = buried_.find(hash); buried != buried_.end()) return tell(buried->second);
  resume(kept, {});
}

void Upstream::read_booked() {
  booked_inbox_.drain(booked_);
  for (const BlockRecord& record : booked_) {
    const auto ended = ended_.find(record.hash);
    if (ended == ended_.end() || ended->second != record.state) continue;
    ended_.erase(ended);
    ++writes_;
    uv::run_off_loop(
        loop_, [this, record] { (void)vault_->settle(record).ok(); }, [this] { --writes_; });
  }
  if (tell_again_.exchange(false)) read_vault();
}

/// What blocks took on a full disk is held back again, when there is room.
void Upstream::refill_vault(Instant now) {
  if (vault_->reserves_are_whole() || refilling_ || now - last_refill_ < kRefillEvery) return;
  refilling_ = true;
  last_refill_ = now;
  ++writes_;
  uv::run_off_loop(
      loop_, [this] { vault_->refill(); },
      [this] {
        --writes_;
        refilling_ = false;
      });
}

void Upstream::read_vault() {
  log_warn("block", "the books missed news of blocks while the disk was full; it is told again");
  const auto kept = std::make_shared<std::vector<VaultBlock>>();
  ++writes_;
  uv::run_off_loop(
      loop_,
      [this, kept] {
        auto listed = vault_->list();
        if (listed) *kept = *std::move(listed);
      },
      [this, kept] {
        --writes_;
        for (const VaultBlock& block : *kept) go_on(block);
      });
}

void Upstream::read_found() {
  inbox_.drain(found_);
  for (const FoundBlock& found : found_) keep_and_submit(found);
}

void Upstream::keep_and_submit(const FoundBlock& found) {
  if (!known_.insert(found.hash)) return;
  counters_.blocks_found.add();
  const BlockTemplate& block_template = *found.job->block_template;
  auto pending = std::make_shared<PendingBlock>();
  pending->record.hash = found.hash;
  pending->record.prev = block_template.prev;
  pending->record.height = block_template.height;
  pending->record.found = found.found;
  pending->record.value = block_template.coinbase_value;
  pending->record.plan_slice = found.job->plan_slice;
  pending->record.plan_entry = found.job->plan_entry;
  pending->record.plan_weight = found.job->plan_weight;
  pending->record.terms = found.job->terms;
  pending->record.pool_script = found.job->pool_script;
  pending->record.account = found.account;
  pending->record.worker = found.worker;
  pending->bytes = block_for_submit(*found.job, found.header, found.extranonce);
  log_info("block", "FOUND at height {}: {} by {}{}{}", block_template.height, found.hash.hex(),
           found.account.empty() ? "an unknown name" : log_escape(found.account),
           found.worker.empty() ? "" : ".", log_escape(found.worker));
  if (const Status good = check_block(pending->bytes, block_template.height); !good)
    log_error("block", "{}: our own check says {}; it is submitted all the same", found.hash.hex(),
              good.error().text);
  blocks_.push_back(pending->record);
  outputs_[found.hash] = coinbase_outputs(pending->bytes);
  tell(pending->record);

  pending->patience = std::make_unique<uv::Timer>(loop_, [this, pending] {
    if (pending->submitted) return;
    log_warn("block", "{}: the disk takes longer than 50 ms; submitting before the file is safe",
             pending->record.hash.hex());
    submit(*pending);
  });
  pending->patience->set(loop_.now().mono + kDiskPatience);
  pending_.push_back(pending);
  ++writes_;
  uv::run_off_loop(
      loop_, [this, pending] { pending->stored = vault_->keep(pending->record, pending->bytes); },
      [this, pending] {
        --writes_;
        if (!pending->stored)
          log_error("block", "{}: not kept on disk: {}", pending->record.hash.hex(),
                    pending->stored.error().text);
        submit(*pending);
        std::erase(pending_, pending);
        pending->patience.reset();  // it holds the last reference
      });
}

void Upstream::submit(PendingBlock& pending) {
  if (pending.submitted) return;
  pending.submitted = true;
  links_.on_kept(pending.record.hash);
  const BlockRecord& record = pending.record;
  submitter_.submit(record.hash, record.height, to_hex(pending.bytes), loop_.now().mono);
}

void Upstream::handle_progress(const BlockProgress& progress) {
  const auto at = std::find_if(blocks_.begin(), blocks_.end(), [&](const BlockRecord& record) {
    return record.hash == progress.hash;
  });
  if (at == blocks_.end()) return;
  const BlockState state = state_of(progress.state);
  const bool moved = at->state != state;
  at->state = state;
  at->detail = progress.detail;
  at->confirmations = progress.confirmations;
  if (moved || progress.alarm != SubmitAlarm::None)
    log_write(
        level_of(progress), "block",
        fmt::format("height {} {}: {}{}{}", at->height, at->hash.hex(), block_state_name(state),
                    progress.detail.empty() ? "" : ": ", progress.detail));
  if (moved && state == BlockState::Accepted) counters_.blocks_accepted.add();
  if (moved && state == BlockState::Refused) counters_.blocks_refused.add();
  tell(*at);
  if (progress.alarm == SubmitAlarm::Refusal) link_.distrust(loop_.now().mono);
  if (!progress.final) return;
  ended_[at->hash] = state;
  // Whose news never reaches the books keeps its file, and the next start looks at it.
  if (ended_.size() > RipeWatch::kBlocks) ended_.erase(ended_.begin());
  bury(*at);
  blocks_.erase(at);
}

/// The books learn whom a block pays when they meet it, and again when it counts.
void Upstream::tell(const BlockRecord& record) {
  if (links_.on_block) links_.on_block(record);
  BlockEvent event{record};
  const auto paid = outputs_.find(record.hash);
  const bool counts = record.state == BlockState::Found || record.state == BlockState::Accepted;
  if (counts && paid != outputs_.end()) event.outputs = paid->second;
  const auto waits = std::find_if(untold_.rbegin(), untold_.rend(), [&](const BlockEvent& other) {
    return other.block.hash == record.hash;
  });
  if (waits != untold_.rend() && waits->block.state == record.state)
    *waits = std::move(event);
  else
    untold_.push_back(std::move(event));
  const bool first = untold_.size() == 1;
  post_untold();
  if (first && !untold_.empty())
    log_error("block", "{}: the ledger takes no more messages; told again", record.hash.hex());
}

void Upstream::post_untold() {
  while (!untold_.empty() && links_.to_ledger(BlockEvent(untold_.front()))) untold_.pop_front();
}

bool Upstream::may_stop(Instant now) {
  if (writes_ > 0) return false;
  if (!stop_by_) stop_by_ = now + kStopPatience;
  const auto open = submitter_.unanswered();
  if (open.empty() && untold_.empty()) return true;
  if (now < *stop_by_) return false;
  for (const BlockRecord& record : blocks_)
    if (std::find(open.begin(), open.end(), record.hash) != open.end())
      log_warn(
          "block",
          "no node has answered to {}; the next start brings it to them from {}/blocks/{}-{}.blk",
          record.hash.hex(), config_->data_dir, record.height, record.hash.hex());
  return true;
}

}  // namespace adit
