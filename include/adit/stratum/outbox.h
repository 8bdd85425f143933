// SPDX-License-Identifier: MIT
// Outbox: bytes waiting to be sent to one peer, capped. Bytes that many peers get (a job) are
// shared, not copied.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adit/base/bytes.h"

namespace adit {

using SharedText = std::shared_ptr<const std::string>;

class Outbox {
 public:
  explicit Outbox(std::size_t cap) : cap_(cap) {}
  void append(std::string_view bytes);
  void append(const SharedText& bytes);
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  /// True once more than the cap was waiting: the session closes with that reason.
  bool overflowed() const { return overflowed_; }
  /// Fills `out` with the first segments, in order; returns how many. Valid until the next call
  /// that changes the outbox.
  std::size_t gather(std::span<Bytes> out) const;
  /// The first `count` bytes have been sent. Empty again, it holds no heap memory to speak of (<=
  /// 256 bytes).
  void consume(std::size_t count);

 private:
  /// Either shared bytes, or (null) the next `length` bytes of `own_`.
  struct Segment {
    SharedText shared;
    std::size_t length;
  };
  bool admit(std::size_t more);
  void drop_sent_own(std::size_t count);

  std::string own_;                // bytes of this peer alone, of all its segments in a row
  std::vector<Segment> segments_;  // not yet fully sent
  std::size_t offset_ = 0;         // bytes of segments_[0] that are sent
  std::size_t own_start_ = 0;      // own_[own_start_] is the first byte of the first own segment
  std::size_t size_ = 0;
  std::size_t cap_;
  bool overflowed_ = false;
};

}  // namespace adit
