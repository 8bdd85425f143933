// SPDX-License-Identifier: MIT
// ChannelRig: a channel with 8 bytes of its own and a miner that finds shares for it at will.
#pragma once

#include <optional>

#include "adit/mining/channel.h"
#include "mining/fixtures.h"

namespace adit::test {

/// So easy that every second hash is a share; a block is as rare as one likes.
inline Difficulty easy() { return *Difficulty::parse("4.6e-10"); }

struct ChannelRig {
  ChannelPolicy policy;
  ExtranonceAllocator prefixes{{.instance = 9}};
  RecentHashes seen;
  Channel channel;
  ByteVec rolled = ByteVec(8, 0);
  std::uint32_t next_nonce = 0;

  explicit ChannelRig(Difficulty start = easy())
      : policy(open_policy()), channel(policy, *prefixes.allocate(8), start, kReceived) {}

  static ChannelPolicy open_policy() {
    ChannelPolicy policy;
    policy.vardiff.minimum = *Difficulty::parse("1e-10");
    return policy;
  }
  ShareSubmission share(IssuedJobId id) {
    return {.job = id, .rolled = rolled, .ntime = kCurtime, .nonce = 0};
  }
  ShareVerdict submit(const ShareSubmission& s, std::int64_t seconds = 1) {
    return channel.submit(s, after(seconds), seen);
  }
  /// Turns the nonce until the hash meets (or misses) `target`, on a channel and filter of its own.
  ShareSubmission search(ShareSubmission s, const Target& target, bool meet) {
    for (;; ++next_nonce) {
      s.nonce = next_nonce;
      Channel probe = channel;
      RecentHashes none;
      if (meets(probe.submit(s, after(1), none).hash, target) != meet) continue;
      ++next_nonce;
      return s;
    }
  }
  ShareSubmission good(IssuedJobId id) { return search(share(id), easy().to_target(), true); }
};

/// A network so hard that no test finds a block by chance.
inline TemplateOptions hard() { return {.transactions = 3, .bits = 0x1b0404cb}; }

inline std::optional<RejectReason> rejected(RejectReason reason) { return reason; }

}  // namespace adit::test
