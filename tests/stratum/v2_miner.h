// SPDX-License-Identifier: MIT
// V2Miner: a miner that knows only what the pool wrote on the wire. It holds every message against
// the specification's rules for channels, jobs and targets (`broken` names the first that is not
// kept), builds headers itself, and hashes for real.
#pragma once

#include <map>
#include <set>
#include <string>

#include "v2_pool.h"

namespace adit::test {

struct V2Job {
  std::uint32_t id = 0;
  bool future = false, extended = false, rolling = true;
  std::uint32_t version = 0, min_ntime = 0;
  MerkleRoot root;
  ByteVec front, back, path;
  Target target;  ///< once it may be mined
  BlockHash prev;
  std::uint32_t nbits = 0;
};

struct V2Share {
  std::uint32_t channel_id = 0, job_id = 0, nonce = 0, ntime = 0, version = 0;
  ByteVec rolled;
  bool extended = false;
  BlockHash hash;
};

struct V2Channel {
  std::uint32_t id = 0, group = 0;
  bool extended = false;
  std::size_t rolled = 0;
  ByteVec prefix;
  Target target;
  std::map<std::uint32_t, V2Job> live;
  std::uint32_t current = 0;  ///< job to be mined
  bool working = false;
  BlockHash prev;
  std::uint32_t nbits = 0;
  std::uint32_t sequence = 0;
  std::string history;  ///< t target, j job, f future job, p SetNewPrevHash
  std::uint64_t next_roll = 0;
  std::uint32_t next_nonce = 0;

  const V2Job& job() const { return live.at(current); }
};

class V2Miner {
 public:
  std::map<std::uint32_t, V2Channel> channels;
  std::set<std::uint32_t> dead;  ///< ids of closed channels and their groups
  std::string broken;            ///< the first rule that was broken; empty: none
  bool standard_jobs_only = false;

  void hear(const Said& said) {
    if (said.is<v2::OpenStandardMiningChannelSuccess>()) {
      const auto m = said.as<v2::OpenStandardMiningChannelSuccess>();
      opened(m, false, 0);
    } else if (said.is<v2::OpenExtendedMiningChannelSuccess>()) {
      const auto m = said.as<v2::OpenExtendedMiningChannelSuccess>();
      opened(m, true, m.extranonce_size);
    } else if (said.is<v2::NewMiningJob>()) {
      const auto m = said.as<v2::NewMiningJob>();
      rule(channels.contains(m.channel_id), "a standard job goes to a channel");
      V2Job job{.id = m.job_id, .version = m.version, .root = m.merkle_root};
      take(m.channel_id, job, m.min_ntime);
    } else if (said.is<v2::NewExtendedMiningJob>()) {
      on_extended_job(said.as<v2::NewExtendedMiningJob>());
    } else if (said.is<v2::SetNewPrevHash>()) {
      const auto m = said.as<v2::SetNewPrevHash>();
      for (V2Channel* channel : members(m.channel_id)) begin(*channel, m);
    } else if (said.is<v2::SetTarget>()) {
      const auto m = said.as<v2::SetTarget>();
      for (V2Channel* channel : members(m.channel_id)) {
        channel->target = m.maximum_target;
        channel->history += 't';
      }
    }
  }
  void hear(const std::vector<Said>& all) {
    for (const Said& said : all) hear(said);
  }
  void forget(std::uint32_t id) {
    std::vector<std::uint32_t> gone;
    for (const auto& [channel_id, channel] : channels)
      if (channel_id == id || channel.group == id) gone.push_back(channel_id);
    for (const std::uint32_t channel_id : gone) {
      dead.insert({channel_id, channels.at(channel_id).group});
      channels.erase(channel_id);
    }
  }

  HeaderBytes header_of(const V2Channel& channel, const V2Job& job, const V2Share& share) const {
    MerkleRoot root = job.root;
    if (job.extended) {
      ByteVec coinbase = job.front;
      append(coinbase, channel.prefix);
      append(coinbase, share.rolled);
      append(coinbase, job.back);
      root.bytes = sha256d(coinbase);
      for (std::size_t i = 0; i < job.path.size(); i += 32) {
        ByteVec pair(root.bytes.begin(), root.bytes.end());
        append(pair, Bytes(job.path).subspan(i, 32));
        root.bytes = sha256d(pair);
      }
    }
    return BlockHeader{static_cast<std::int32_t>(share.version),
                       job.prev,
                       root,
                       share.ntime,
                       CompactTarget(job.nbits),
                       share.nonce}
        .bytes();
  }
  struct Wish {
    std::uint32_t version_flip = 0;
    std::int64_t ntime_offset = 0;  ///< from the job's lowest
    Target below = Target::max();   ///< meets this too
    Target above;                   ///< and misses this
    std::optional<std::uint32_t> job = {};
  };
  /// The next solution; never the same twice.
  V2Share solve(V2Channel& channel, const Wish& wish) const {
    const V2Job& job = channel.live.at(wish.job.value_or(channel.current));
    V2Share share{.channel_id = channel.id, .job_id = job.id, .extended = channel.extended};
    share.ntime = static_cast<std::uint32_t>(job.min_ntime + wish.ntime_offset);
    share.version = job.version ^ wish.version_flip;
    share.rolled.resize(channel.rolled);
    if (channel.rolled >= 8) store_le(share.rolled.data(), channel.next_roll++);
    const Target& most = std::min(wish.below, wish.above == Target() ? job.target : wish.below);
    HeaderBytes header = header_of(channel, job, share);
    for (;; ++channel.next_nonce) {
      store_le(header.data() + 76, channel.next_nonce);
      share.hash.bytes = sha256d_80(header.data());
      if (!meets(share.hash, most) || (wish.above != Target() && meets(share.hash, wish.above)))
        continue;
      share.nonce = channel.next_nonce++;
      return share;
    }
  }
  V2Share solve(V2Channel& channel) const { return solve(channel, {}); }

 private:
  void rule(bool kept, const std::string& text) {
    if (!kept && broken.empty()) broken = text;
  }
  std::vector<V2Channel*> members(std::uint32_t id) {
    std::vector<V2Channel*> found;
    for (auto& [channel_id, channel] : channels)
      if (channel_id == id || channel.group == id) found.push_back(&channel);
    rule(!found.empty(), "no channel or group has that id");
    return found;
  }
  void opened(const auto& m, bool extended, std::size_t rolled) {
    rule(!channels.contains(m.channel_id) && !dead.contains(m.channel_id), "a channel id again");
    rule(m.group_channel_id != m.channel_id && !channels.contains(m.group_channel_id),
         "a group's id is a channel's");
    V2Channel channel{.id = m.channel_id, .group = m.group_channel_id, .extended = extended};
    channel.rolled = rolled;
    channel.prefix.assign(m.extranonce_prefix.bytes.begin(), m.extranonce_prefix.bytes.end());
    channel.target = m.target;
    for (const auto& [id, other] : channels) {
      rule(other.prefix.size() + other.rolled == channel.prefix.size() + rolled,
           "full extranonce sizes in a group differ");
      const std::size_t both = std::min(other.prefix.size(), channel.prefix.size());
      rule(!std::ranges::equal(Bytes(other.prefix).first(both), Bytes(channel.prefix).first(both)),
           "two channels search the same space");
    }
    channels.emplace(channel.id, std::move(channel));
  }
  void on_extended_job(const v2::NewExtendedMiningJob& m) {
    rule(!standard_jobs_only, "this client cannot read an extended job");
    V2Job job{.id = m.job_id, .extended = true, .rolling = m.version_rolling_allowed};
    job.version = m.version;
    const auto copy = [](Bytes bytes) { return ByteVec(bytes.begin(), bytes.end()); };
    job.path = copy(m.merkle_path.bytes);
    job.front = copy(m.coinbase_tx_prefix.bytes);
    job.back = copy(m.coinbase_tx_suffix.bytes);
    const auto own = channels.find(m.channel_id);
    rule(own == channels.end() || own->second.extended, "an extended job on a standard channel");
    take(m.channel_id, job, m.min_ntime);
  }
  void take(std::uint32_t address, V2Job& job, std::optional<std::uint32_t> min_ntime) {
    for (V2Channel* channel : members(address)) {
      rule(!channel->live.contains(job.id), "a job id in use");
      rule(!channel->extended || job.extended, "a standard job on an extended channel");
      rule(min_ntime || !channel->history.ends_with('t') || channel->working,
           "a target with no work behind it");
      job.future = !min_ntime;
      job.min_ntime = min_ntime.value_or(0);
      channel->history += job.future ? 'f' : 'j';
      if (!job.future) {
        rule(channel->working, "a job to start at once before any SetNewPrevHash");
        job.target = channel->target;
        job.prev = channel->prev;
        job.nbits = channel->nbits;
        channel->current = job.id;
      }
      channel->live[job.id] = job;
    }
  }
  void begin(V2Channel& channel, const v2::SetNewPrevHash& m) {
    const auto found = channel.live.find(m.job_id);
    const bool sent = found != channel.live.end() && found->second.future;
    rule(sent, "SetNewPrevHash names what was not sent as a future job");
    if (!sent) return;
    V2Job job = found->second;
    job.future = false;
    job.target = channel.target;
    job.min_ntime = m.min_ntime;
    channel.prev = job.prev = m.prev_hash;
    channel.nbits = job.nbits = m.nbits;
    channel.current = job.id;
    channel.working = true;
    channel.history += 'p';
    channel.live.clear();
    channel.live.emplace(job.id, std::move(job));
  }
};

/// A link and its miner together.
struct V2Rig {
  V2Link link;
  V2Miner miner;
  std::vector<Said> said;  ///< by the last act
  std::uint32_t requests = 0;

  explicit V2Rig(V2Pool& pool, std::uint32_t flags = 0, Instant now = at(0)) : link(pool, now) {
    miner.standard_jobs_only = (flags & v2::SetupConnection::kRequiresStandardJobs) != 0;
    v2::SetupConnection setup;
    setup.flags = flags;
    setup.vendor = "test";
    link.send(setup, now);
    hear();
  }
  /// Reads what came; the rules hold.
  const std::vector<Said>& hear() {
    said = link.take();
    miner.hear(said);
    CHECK_MESSAGE(miner.broken.empty(), miner.broken);
    return said;
  }
  template <class Message>
  std::size_t count() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(said, [](const Said& one) { return one.is<Message>(); }));
  }
  /// Types of what was said, as two hex digits each.
  std::string types() const {
    std::string text;
    for (const Said& one : said)
      text += (text.empty() ? "" : " ") + to_hex(Bytes(&one.header.msg_type, 1));
    return text;
  }
  template <class Message>
  const std::vector<Said>& send(const Message& message, Instant now = at(0), Bytes tail = {}) {
    link.send(message, now, tail);
    return hear();
  }
  const std::vector<Said>& publish(const JobPtr& job, Instant now = at(0)) {
    link.publish(job, now);
    return hear();
  }
  /// The newest channel.
  V2Channel& open(bool extended, std::string_view user = kAlice, float rate = 0,
                  const Target& most = Target::max(), Instant now = at(0)) {
    if (extended)
      send(v2::OpenExtendedMiningChannel{++requests, user, rate, most, 0}, now);
    else
      send(v2::OpenStandardMiningChannel{++requests, user, rate, most}, now);
    REQUIRE(!miner.channels.empty());
    return miner.channels.rbegin()->second;
  }
  ByteVec seal(const V2Share& share, std::uint32_t sequence, Bytes tail = {}) {
    if (share.extended)
      return link.seal(v2::SubmitSharesExtended{share.channel_id,
                                                sequence,
                                                share.job_id,
                                                share.nonce,
                                                share.ntime,
                                                share.version,
                                                {share.rolled}},
                       tail);
    return link.seal(v2::SubmitSharesStandard{share.channel_id, sequence, share.job_id, share.nonce,
                                              share.ntime, share.version},
                     tail);
  }
  void submit(const V2Share& share, std::uint32_t sequence = 1, Instant now = at(0),
              Bytes tail = {}) {
    link.wire(seal(share, sequence, tail), now);
    hear();
  }
  /// "accepted", or the code of the answer.
  std::string judge(const V2Share& share, std::uint32_t sequence = 1, Instant now = at(0),
                    Bytes tail = {}) {
    const std::size_t before = link.count<ShareAccepted>();
    submit(share, sequence, now, tail);
    if (link.count<ShareAccepted>() != before) return "accepted";
    for (const Said& one : said)
      if (one.is<v2::SubmitSharesError>())
        return std::string(one.as<v2::SubmitSharesError>().error_code);
    return link.closed() ? "closed" : "nothing";
  }
};

}  // namespace adit::test
