// SPDX-License-Identifier: MIT
// The Stratum V2 session as the app makes it, and what all V2 sessions of one thread share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "adit/stratum/session.h"
#include "adit/stratum/v2/ephemeral_keys.h"
#include "adit/stratum/v2/identity.h"

namespace adit::v2 {

struct MiningChannel;

/// The shares of one receive() between their reading and their verdicts, so that they are hashed
/// side by side. Empty between calls: no session sees another's.
struct ShareBench {
  static constexpr std::size_t kSeats = 8;
  struct Asker {
    MiningChannel* channel = nullptr;
    std::uint32_t sequence = 0;
    std::optional<WorkerIndex> worker;  ///< absent: the share brought a name that is none
  };
  std::array<ShareDraft, kSeats> drafts;
  std::array<Asker, kSeats> askers;
  std::size_t taken = 0;
};

/// One a worker thread, made by its owner. Outlives the sessions; same thread.
struct ThreadState {
  static constexpr std::size_t kKeysAhead = 512;

  ChannelPolicy policy;  ///< with V2's version mask
  std::size_t channel_limit = 128;
  IdentityKeeper::Shared identity;
  bool certified = true;  ///< false: the identity's certificate has ended, no hello is answered
  EphemeralKeys keys{kKeysAhead};  ///< the owner refills it when the thread has time
  FillRandom random;
  ShareBench bench;
  ByteVec payload, wire;             ///< scratch
  std::optional<Instant> v1_hinted;  ///< when the log last said that a V1 miner had come
};

/// `context` with its `v2` set outlives the session. `newest` may be null: the first job follows by
/// publish().
std::unique_ptr<Session> make_session(SessionContext& context, const JobPtr& newest, Instant now);

}  // namespace adit::v2
