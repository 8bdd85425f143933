// SPDX-License-Identifier: MIT
// Outbox: the peer's own bytes in one string, shared bytes by reference, and the order of both.
#include "adit/stratum/outbox.h"

#include <algorithm>

#include "adit/base/check.h"

namespace adit {

namespace {
constexpr std::size_t kKeptOwn = 128;     // bytes an empty outbox may keep, so that a share's
constexpr std::size_t kFewAnswers = 512;  // room that is made for more than that
constexpr std::size_t kKeptSegments = 4;  // answer allocates nothing
constexpr std::size_t kMoveAt = 4096;     // sent bytes in front before the rest is moved up
}  // namespace

bool Outbox::admit(std::size_t more) {
  if (overflowed_ || more > cap_ || size_ > cap_ - more) {
    overflowed_ = true;
    return false;
  }
  size_ += more;
  return more > 0;
}

void Outbox::append(std::string_view bytes) {
  if (!admit(bytes.size())) return;
  const std::size_t needed = own_.size() + bytes.size();
  if (needed > own_.capacity())
    own_.reserve(needed <= kKeptOwn ? kKeptOwn : std::max(2 * own_.capacity(), kFewAnswers));
  own_ += bytes;
  if (segments_.empty() || segments_.back().shared)
    segments_.push_back({nullptr, bytes.size()});
  else
    segments_.back().length += bytes.size();
}

void Outbox::append(const SharedText& bytes) {
  CHECK(bytes != nullptr);
  if (!admit(bytes->size())) return;
  segments_.push_back({bytes, bytes->size()});
}

std::size_t Outbox::gather(std::span<Bytes> out) const {
  std::size_t count = 0, own_at = own_start_, skip = offset_;
  for (const Segment& segment : segments_) {
    if (count == out.size()) break;
    std::string_view view;
    if (segment.shared) {
      view = *segment.shared;
    } else {
      view = std::string_view(own_).substr(own_at, segment.length);
      own_at += segment.length;
    }
    out[count++] = bytes_of(view.substr(skip));
    skip = 0;
  }
  return count;
}

void Outbox::drop_sent_own(std::size_t count) {
  own_start_ += count;
  if (own_start_ < kMoveAt || own_start_ < own_.size() / 2) return;
  own_.erase(0, own_start_);
  own_start_ = 0;
}

void Outbox::consume(std::size_t count) {
  CHECK(count <= size_);
  size_ -= count;
  offset_ += count;
  std::size_t sent = 0;
  while (sent < segments_.size() && offset_ >= segments_[sent].length) {
    offset_ -= segments_[sent].length;
    if (!segments_[sent].shared) drop_sent_own(segments_[sent].length);
    ++sent;
  }
  segments_.erase(segments_.begin(), segments_.begin() + static_cast<std::ptrdiff_t>(sent));
  if (!segments_.empty()) return;
  own_start_ = 0;
  own_.clear();
  if (own_.capacity() > kKeptOwn) std::string().swap(own_);  // an assignment would keep the buffer
  if (segments_.capacity() > kKeptSegments) std::vector<Segment>().swap(segments_);
}

}  // namespace adit
