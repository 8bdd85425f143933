// SPDX-License-Identifier: MIT
#include "app/kept_blocks.h"

#include <algorithm>

namespace adit {

void KeptBlocks::kept(const BlockHash& hash) {
  const std::lock_guard lock(mutex_);
  // Blocks of shares that were not accepted are told, too, and nobody waits for those.
  if (hashes_.size() == kRemembered) hashes_.pop_front();
  hashes_.push_back(hash);
  told_.notify_all();
}

bool KeptBlocks::wait(const BlockHash& hash, Duration patience) {
  std::unique_lock lock(mutex_);
  const auto is_told = [&] {
    return std::find(hashes_.rbegin(), hashes_.rend(), hash) != hashes_.rend();
  };
  if (!told_.wait_for(lock, patience, is_told)) return false;
  std::erase(hashes_, hash);
  return true;
}

}  // namespace adit
