// SPDX-License-Identifier: MIT
// ReplyQueue: see reply_queue.h.
#include "stratum/v1/reply_queue.h"

#include "adit/base/check.h"
#include "stratum/v1/encode.h"

namespace adit::v1 {

namespace {
constexpr std::size_t kKeptEntries = 16;  // what an empty queue may keep
constexpr std::size_t kKeptBytes = 64;
constexpr std::size_t kMoveAt = 256;  // answered entries in front before the rest is moved up
}  // namespace

void ReplyQueue::reply(std::string_view line, Outbox& outbox) {
  if (shares_ == 0) return outbox.append(line);
  entries_.push_back({static_cast<std::uint32_t>(line.size()), false});
  text_ += line;
}

bool ReplyQueue::wait(std::string_view id) {
  if (shares_ == kShares) return false;
  entries_.push_back({static_cast<std::uint32_t>(id.size()), true});
  text_ += id;
  ++shares_;
  return true;
}

std::string_view ReplyQueue::front_text() const {
  return std::string_view(text_).substr(start_, entries_[first_].size);
}

void ReplyQueue::pop() {
  start_ += entries_[first_].size;
  if (entries_[first_].is_share) --shares_;
  ++first_;
}

void ReplyQueue::settle(const std::optional<RejectReason>& refused, std::string& scratch,
                        Outbox& outbox) {
  CHECK(shares_ > 0);
  scratch.clear();
  if (refused) {
    const Refusal refusal = refusal_of(*refused);
    append_error(scratch, front_text(), refusal.code, refusal.text);
  } else {
    append_result(scratch, front_text(), "true");
  }
  outbox.append(scratch);
  pop();
  for (; first_ < entries_.size() && !entries_[first_].is_share; pop()) outbox.append(front_text());
  if (first_ == entries_.size()) {
    entries_.clear();
    text_.clear();
    first_ = start_ = 0;
    if (entries_.capacity() > kKeptEntries) std::vector<Entry>().swap(entries_);
    if (text_.capacity() > kKeptBytes) std::string().swap(text_);
  } else if (first_ >= kMoveAt) {
    entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(first_));
    text_.erase(0, start_);
    first_ = start_ = 0;
  }
}

}  // namespace adit::v1
