// SPDX-License-Identifier: MIT
// The running pool as values: what its threads would say.
#pragma once

#include <algorithm>
#include <optional>

#include "adit/api/routes.h"

namespace adit::test {

struct LiveValues final : LivePool {
  Result<std::vector<LiveWorkers>> who_mines(const LiveQuestion& question) override {
    asked.push_back(question);
    if (silent) return Error{ErrorCode::Unavailable, "the pool is busy; ask again"};
    std::vector<LiveWorkers> out = threads;
    for (LiveWorkers& thread : out) {
      std::erase_if(thread.workers,
                    [&](const LiveWorker& worker) { return worker.name < question.from; });
      thread.workers.resize(std::min(thread.workers.size(), question.limit));
    }
    return out;
  }
  PoolMetrics metrics() override { return counters; }

  std::vector<LiveQuestion> asked;
  std::vector<LiveWorkers> threads;
  bool silent = false;
  PoolMetrics counters;
};

}  // namespace adit::test
