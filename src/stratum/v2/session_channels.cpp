// SPDX-License-Identifier: MIT
// MinerSession: opening, updating and closing channels.
#include <algorithm>
#include <cmath>
#include <utility>

#include "adit/base/check.h"
#include "stratum/names.h"
#include "stratum/v2/session.h"

namespace adit::v2 {
namespace {

/// What an extended channel rolls: firmware fails above 8 bytes, proxies need some of them.
constexpr std::uint8_t kRolled = 8;
constexpr std::uint8_t kPrefix = kExtranonceSize - kRolled;

constexpr std::uint32_t kRateChanges = 10;  // of a channel, that count
constexpr Duration kRateChangesIn = std::chrono::seconds(10);

/// A declared hash rate: a finite number that is not negative. -0.0 counts as 0.
bool is_rate(float rate) { return std::isfinite(rate) && rate >= 0; }

bool has_control_bytes(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
}

}  // namespace

MiningChannel* MinerSession::find(std::uint32_t channel_id) {
  // Ids only grow, so they are in order.
  const auto found = std::ranges::lower_bound(channels_, channel_id, {}, &MiningChannel::id);
  return found == channels_.end() || found->id != channel_id ? nullptr : &*found;
}

/// Several channels hear of the same job once. Header-only miners cannot make a job out of that.
bool MinerSession::use_group() const {
  return channels_.size() > 1 && (flags_ & SetupConnection::kRequiresStandardJobs) == 0;
}

void MinerSession::on_open_standard(Bytes payload, Instant now) {
  const auto wish = decode<OpenStandardMiningChannel>(payload);
  if (!wish) return close("malformed OpenStandardMiningChannel", false);
  MiningChannel* channel = open(
      {wish->request_id, wish->user_identity, wish->nominal_hash_rate, wish->max_target, true, 0},
      now);
  if (channel == nullptr) return;
  send(OpenStandardMiningChannelSuccess{wish->request_id,
                                        channel->id,
                                        channel->target(),
                                        {channel->channel.prefix().view()},
                                        group_id_});
  begin_work(*channel, now);
}

void MinerSession::on_open_extended(Bytes payload, Instant now) {
  const auto wish = decode<OpenExtendedMiningChannel>(payload);
  if (!wish) return close("malformed OpenExtendedMiningChannel", false);
  if ((flags_ & SetupConnection::kRequiresStandardJobs) != 0)
    return refuse_opening(wish->request_id, "extended-channels-not-supported-for-standard-jobs", 5,
                          now);
  MiningChannel* channel = open({wish->request_id, wish->user_identity, wish->nominal_hash_rate,
                                 wish->max_target, false, wish->min_extranonce_size},
                                now);
  if (channel == nullptr) return;
  send(OpenExtendedMiningChannelSuccess{wish->request_id,
                                        channel->id,
                                        channel->target(),
                                        kRolled,
                                        {channel->channel.prefix().view()},
                                        group_id_});
  begin_work(*channel, now);
}

/// Makes the channel, or answers why not.
MiningChannel* MinerSession::open(const Opening& wish, Instant now) {
  const auto refuse = [&](std::string_view code, std::uint32_t points) {
    refuse_opening(wish.request_id, code, points, now);
    return nullptr;
  };
  if (channels_.size() >= shared_.channel_limit) return refuse("channel-capacity-exhausted", 1);
  if (has_control_bytes(wish.user_identity)) return refuse("invalid-user-identity", 5);
  const auto name =
      parse_worker_name(wish.user_identity, context_.network, context_.default_account);
  if (!name) return refuse("unknown-user", 5);
  if (context_.own_jobs != nullptr && !account_.empty() && account_ != name->account)
    return refuse("one-account-per-connection", 1);
  if (!is_rate(wish.hash_rate)) return refuse("invalid-nominal-hashrate", 5);
  if (wish.max_target == Target()) return refuse("max-target-out-of-range", 5);
  if (wish.min_extranonce_size > kRolled) return refuse("min-extranonce-size-too-large", 2);
  const std::uint8_t size = wish.standard ? std::uint8_t{kExtranonceSize} : kPrefix;
  const auto prefix = context_.prefixes->allocate(size);
  if (!prefix) return refuse("channel-capacity-exhausted", 1);

  if (context_.own_jobs != nullptr && account_.empty()) {
    account_ = name->account;
    newest_ = own(newest_);
  }
  if (group_id_ == 0) group_id_ = ++last_id_;
  const VardiffOptions& vardiff = shared_.policy.vardiff;
  const double remembered = context_.workers->rate_of(name->account, name->worker);
  const double rate = wish.hash_rate > 0 ? double{wish.hash_rate} : remembered;
  const auto by_agent = start_by_agent(context_.agents, agent_);
  const Difficulty start =
      rate > 0 ? difficulty_for_rate(vardiff, rate) : by_agent.value_or(vardiff.start);
  const WorkerIndex worker = context_.workers->acquire(name->account, name->worker, now);
  MiningChannel& made = channels_.emplace_back(
      MiningChannel{.id = ++last_id_,
                    .standard = wish.standard,
                    .worker = worker,
                    .channel = Channel(shared_.policy, *prefix, start, now, rate > 0 || by_agent),
                    .limit = wish.max_target,
                    .told = {},
                    .future = {},
                    .jobs = {},
                    .acknowledgement = {},
                    .rate_changes = {},
                    .names = {}});
  if (!std::exchange(had_channel_, true)) opened_ = now;
  made.channel.set_version_mask(shared_.policy.version_mask);
  made.channel.vardiff().set_floor(Difficulty::of(wish.max_target));
  if (newest_) made.channel.vardiff().set_ceiling(newest_->network_difficulty);
  made.told = made.channel.vardiff().current();
  return &made;
}

void MinerSession::refuse_opening(std::uint32_t request_id, std::string_view code,
                                  std::uint32_t points, Instant now) {
  send(OpenMiningChannelError{request_id, code});
  strike(points, now);
}

void MinerSession::on_update(Bytes payload, Instant now) {
  const auto wish = decode<UpdateChannel>(payload);
  if (!wish) return close("malformed UpdateChannel", false);
  const auto refuse = [&](std::string_view code, std::uint32_t points) {
    send(UpdateChannelError{wish->channel_id, code});
    strike(points, now);
  };
  MiningChannel* channel = find(wish->channel_id);
  if (channel == nullptr) return refuse("invalid-channel-id", 2);
  if (!is_rate(wish->nominal_hash_rate)) return refuse("invalid-nominal-hashrate", 5);
  if (wish->maximum_target == Target()) return refuse("max-target-out-of-range", 5);
  Vardiff& vardiff = channel->channel.vardiff();
  channel->limit = wish->maximum_target;
  vardiff.set_floor(Difficulty::of(wish->maximum_target));
  // Each begins the measuring anew: without a pace a miner would never be measured.
  if (wish->nominal_hash_rate > 0 && channel->rate_changes.allow(kRateChanges, kRateChangesIn, now))
    vardiff.suggest(difficulty_for_rate(shared_.policy.vardiff, wish->nominal_hash_rate), now);
  // Peers wait for a SetTarget as the answer, also when nothing has changed.
  if (!channel->channel.newest_job()) return send_target(*channel);
  send_again(*channel, now);
}

void MinerSession::on_close_channel(Bytes payload, Instant now) {
  const auto wish = decode<CloseChannel>(payload);
  if (!wish) return close("malformed CloseChannel", false);
  const bool whole_group = group_id_ != 0 && wish->channel_id == group_id_;
  const auto leaves = [&](MiningChannel& channel) {
    if (!whole_group && channel.id != wish->channel_id) return false;
    acknowledge(channel);
    retire(channel);
    return true;
  };
  if (std::erase_if(channels_, leaves) == 0) return strike(5, now);
  if (channels_.empty()) since_ = now;
}

/// The channel is about to be destroyed: what it held goes back.
void MinerSession::retire(MiningChannel& channel) {
  const JobPtr& last = channel.channel.newest_job();
  context_.prefixes->release(channel.channel.prefix(), last ? last->tip : TipNumber{});
  if (last && channel.names.empty())
    context_.workers->remember_rate(channel.worker,
                                    channel.channel.vardiff().hash_rate(last_seen_));
  context_.workers->release(channel.worker);
  for (const auto& [name, worker] : channel.names) context_.workers->release(worker);
}

void MinerSession::on_custom_job(Bytes payload, Instant now) {
  const auto wish = decode<SetCustomMiningJob>(payload);
  if (!wish) return close("malformed SetCustomMiningJob", false);
  send(SetCustomMiningJobError{wish->channel_id, wish->request_id, "jd-not-supported"});
  strike(5, now);
}

}  // namespace adit::v2
