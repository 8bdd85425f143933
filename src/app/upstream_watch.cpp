// SPDX-License-Identifier: MIT
// What goes on beside the work: the mean of recent fees, for a scheme that pays them before they
// are earned, and blocks that are buried, in case of a reorg that nobody expects.
#include <algorithm>

#include "adit/base/log.h"
#include "app/upstream.h"

namespace adit {
namespace {

/// How a block that is followed no more is to be watched: whatever became of it, the chain may yet
/// have it.
RipeState ripe_state(BlockState state) {
  switch (state) {
    case BlockState::Mature:
      return RipeState::Ripe;
    case BlockState::Accepted:
      return RipeState::Unripe;
    default:
      return RipeState::Lost;
  }
}

BlockState block_state(RipeState state) {
  switch (state) {
    case RipeState::Ripe:
      return BlockState::Mature;
    case RipeState::Unripe:
      return BlockState::Accepted;
    case RipeState::Lost:
      return BlockState::Orphaned;
  }
  UNREACHABLE();
}

}  // namespace

void Upstream::watch_fees(Satoshi last_mean) {
  if (config_->pool.scheme != SchemeKind::Fpps) return;
  fees_.emplace();
  if (last_mean == Satoshi()) return;
  mean_fees_ = last_mean;
  mean_is_whole_ = true;
}

void Upstream::watch_tip(const BlockHash& tip, std::uint32_t height,
                         std::optional<NodeIndex> node) {
  for (std::uint32_t i = 0; i < nodes_.size() && !node; ++i)
    if (link_.status(NodeIndex(i)).tip == tip) node = NodeIndex(i);
  // Nobody any more: the tip that took its place is told next.
  if (tip == watched_tip_ || !node) return;
  watched_tip_ = tip;
  const Instant now = loop_.now().mono;
  if (fees_) fees_->tip(*node, height, now);
  ripe_.tip(*node, height, now);
  std::erase_if(buried_, [&](const auto& block) {
    const bool gone = std::uint64_t{block.second.height} + RipeWatch::kHeights < height;
    if (gone) outputs_.erase(block.first);
    return gone;
  });
}

/// The mean of a few blocks is better than none, but not than the last whole one.
void Upstream::look_at_fees() {
  if (!fees_) return;
  if (const auto warning = fees_->take_warning()) log_warn("node", "{}", *warning);
  const bool whole = fees_->settled();
  const auto mean = fees_->mean();
  if (!mean || (mean_is_whole_ && !whole)) return;
  if (whole && (!mean_is_whole_ || mean != mean_fees_))
    log_info("node", "the last {} blocks brought {} sat of fees each{}", FeeWatch::kBlocks,
             mean->value(), fees_->complete() ? "" : " (not all are known)");
  mean_is_whole_ = whole;
  mean_fees_ = *mean;
  if (job_) tell_network(*job_->block_template);
}

/// The books hear what work is worth before they hear of any that was done on this tip.
void Upstream::tell_network(const BlockTemplate& block_template) {
  const NetworkFacts facts{Work::of(block_template.target).value(),
                           block_subsidy(block_template.network, block_template.height),
                           mean_fees_};
  if (facts == told_) return;
  if (links_.to_ledger(NetworkSeen{facts})) told_ = facts;
}

void Upstream::bury(const BlockRecord& record) {
  ripe_.add(record.hash, record.height, ripe_state(record.state), loop_.now().mono);
  if (record.state == BlockState::Mature) outputs_.erase(record.hash);
  buried_.insert_or_assign(record.hash, record);
  if (buried_.size() > RipeWatch::kBlocks)
    buried_.erase(std::min_element(
        buried_.begin(), buried_.end(),
        [](const auto& a, const auto& b) { return a.second.height < b.second.height; }));
}

void Upstream::handle_ripe(const RipeEvent& event) {
  const auto found = buried_.find(event.hash);
  if (found == buried_.end()) return;
  BlockRecord& record = found->second;
  const bool was_mature = record.state == BlockState::Mature;
  record.state = block_state(event.state);
  record.confirmations = event.confirmations;
  record.detail = event.detail;
  const std::string text = fmt::format(
      "height {} {}: {}{}; {}", record.height, record.hash.hex(), block_state_name(record.state),
      was_mature ? ": matured and was then lost in a reorg of more than 100 blocks" : "",
      record.detail);
  log_write(was_mature ? LogLevel::Error : LogLevel::Warn, "block", text);
  tell(record);
}

}  // namespace adit
