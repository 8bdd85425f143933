// SPDX-License-Identifier: MIT
// Handing work to threads and shares back: see work_shelf.h.
#include "cpu_miner/work_shelf.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

#include "adit/base/check.h"

namespace adit::miner {

WorkShelf::WorkShelf() : wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) { CHECK(wake_fd_ >= 0); }

WorkShelf::~WorkShelf() { close(wake_fd_); }

void WorkShelf::put(client::WorkPtr work) {
  {
    const std::lock_guard lock(mutex_);
    if (!work || work->job.clean) {
      open_ -= found_.size();
      found_.clear();
    }
    if (!work) open_ = 0;
    work_ = std::move(work);
    ++generation_;
  }
  moved_.notify_all();
}

void WorkShelf::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    ++generation_;
  }
  moved_.notify_all();
}

std::vector<FoundShare> WorkShelf::collect() {
  eventfd_t count;
  eventfd_read(wake_fd_, &count);
  const std::lock_guard lock(mutex_);
  return std::exchange(found_, {});
}

void WorkShelf::close_shares(std::size_t count) {
  {
    const std::lock_guard lock(mutex_);
    open_ -= std::min(open_, count);
  }
  moved_.notify_all();
}

client::WorkPtr WorkShelf::next(std::uint64_t& seen) {
  std::unique_lock lock(mutex_);
  moved_.wait(lock, [&] { return stopped_ || (work_ && generation_ != seen); });
  if (stopped_) return nullptr;
  seen = generation_;
  return work_;
}

bool WorkShelf::rest_until(Clock::time_point until, std::uint64_t seen) {
  std::unique_lock lock(mutex_);
  return !moved_.wait_until(lock, until, [&] { return generation_ != seen; });
}

bool WorkShelf::offer(FoundShare share, std::uint64_t seen) {
  std::unique_lock lock(mutex_);
  moved_.wait(lock, [&] { return generation_ != seen || open_ < kOpenShares; });
  if (generation_ != seen) return false;
  ++open_;
  found_.push_back(std::move(share));
  eventfd_write(wake_fd_, 1);
  return true;
}

}  // namespace adit::miner
