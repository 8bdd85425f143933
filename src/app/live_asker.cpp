// SPDX-License-Identifier: MIT
#include "app/live_asker.h"

namespace adit {
namespace {
Error ended() { return {ErrorCode::Unavailable, "the pool ends"}; }
Error silent() { return {ErrorCode::Unavailable, "the pool is busy; ask again"}; }
}  // namespace

Result<std::vector<LiveWorkers>> LiveAsker::ask(const LiveQuestion& question) {
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(link_->mutex);
    if (link_->stopped) return ended();
    number = ++link_->question;
    link_->answers.clear();
  }
  // An answer to a question that nobody waits for any more has another number.
  const auto reply = [link = link_, number](LiveWorkers answer) {
    const std::lock_guard lock(link->mutex);
    if (link->question != number) return;
    link->answers.push_back(std::move(answer));
    link->told.notify_all();
  };
  for (std::size_t thread = 0; thread < threads_; ++thread)
    if (!post_(thread, {question, reply})) return silent();
  std::unique_lock lock(link_->mutex);
  link_->told.wait_for(lock, patience_,
                       [&] { return link_->stopped || link_->answers.size() == threads_; });
  ++link_->question;
  if (link_->stopped) return ended();
  if (link_->answers.size() != threads_) return silent();
  return std::exchange(link_->answers, {});
}

void LiveAsker::stop() {
  const std::lock_guard lock(link_->mutex);
  link_->stopped = true;
  link_->told.notify_all();
}

}  // namespace adit
