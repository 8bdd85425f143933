// SPDX-License-Identifier: MIT
// KeptBlocks: says that a found block's file is on the disk. The ledger's thread waits for it
// before the winning share is acknowledged, so that no acknowledged share can lose its block to a
// crash. Any thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>

#include "adit/base/time.h"
#include "adit/bitcoin/hash.h"

namespace adit {

class KeptBlocks {
 public:
  /// The file is safe, or the disk has had its 50 ms.
  void kept(const BlockHash& hash);
  /// Waits until `hash` was told, at most `patience`; false when that ran out. Real time: a disk
  /// knows no other.
  bool wait(const BlockHash& hash, Duration patience);

 private:
  static constexpr std::size_t kRemembered = 4'096;
  std::mutex mutex_;
  std::condition_variable told_;
  std::deque<BlockHash> hashes_;
};

}  // namespace adit
