// SPDX-License-Identifier: MIT
// ThreadState: what the V1 sessions of one worker thread share: the JSON reader, the bench where
// shares wait to be hashed together, scratch text, the encoded newest jobs, and the difficulties of
// sessions that ended a while ago.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "adit/mining/extranonce.h"
#include "adit/mining/share.h"
#include "adit/mining/worker_table.h"
#include "adit/stratum/outbox.h"
#include "stratum/v1/decode.h"
#include "stratum/v1/encode.h"

namespace adit::v1 {

/// The part of mining.notify that is the same for everybody, made once for a job and thread. All
/// sizes of a job have their places, so that a broadcast to mixed firmware encodes each once.
class NotifyCache {
 public:
  const SharedText& rest(const JobPtr& job, bool clean);

 private:
  struct Encoded {
    JobPtr job;
    SharedText text[2];  // [clean]
  };
  /// The jobs of a number: everybody's and the smaller ones, or some accounts' own.
  struct Entry {
    JobNumber number;
    std::vector<Encoded> jobs;
    std::size_t oldest = 0;
  };
  Encoded& place_of(const JobPtr& job);
  std::array<Entry, 4> entries_;
  std::size_t oldest_ = 0;
};

/// What remains of an ended session for one that names its id: the difficulty, never the
/// extranonce1. Bounded: a place by the id's counter, the later session wins it.
class ResumeTable {
 public:
  static constexpr std::size_t kSize = 4096;
  void remember(const ExtranoncePrefix& session, const Difficulty& difficulty);
  std::optional<Difficulty> find(const ExtranoncePrefix& session) const;

 private:
  struct Entry {
    ExtranoncePrefix session;
    Difficulty difficulty;
  };
  std::vector<Entry> entries_;
};

/// The shares of one receive() between their reading and their verdicts, so that they are hashed
/// side by side. Empty between calls: no session sees another's.
struct ShareBench {
  static constexpr std::size_t kSeats = 8;
  struct Asker {
    std::string id;
    std::optional<WorkerIndex> worker;
    std::optional<FormFault> fault;  ///< it is refused in any case, but may be a block
  };
  std::array<ShareDraft, kSeats> drafts;
  std::array<Asker, kSeats> askers;
  std::size_t taken = 0;
};

struct ThreadState {
  Decoder decoder;
  ShareBench bench;
  std::string reply;
  NotifyCache notify;
  ResumeTable resume;
};

}  // namespace adit::v1
