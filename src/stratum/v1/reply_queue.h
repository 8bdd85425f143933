// SPDX-License-Identifier: MIT
// ReplyQueue: keeps replies in the order of their requests. An accepted share's reply waits for the
// disk, and what was asked after it waits behind it. Without a waiting share a reply goes straight
// out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "adit/mining/share.h"
#include "adit/stratum/outbox.h"

namespace adit::v1 {

class ReplyQueue {
 public:
  static constexpr std::size_t kShares = 1024;
  static constexpr std::size_t kBytes = 64 * 1024;

  /// `line` is a whole reply.
  void reply(std::string_view line, Outbox& outbox);
  /// The reply to a share whose outcome is not known yet. False: the queue is full.
  [[nodiscard]] bool wait(std::string_view id);
  /// The oldest waiting share's outcome; it and what is only behind it goes out. `scratch` is used
  /// to build the line. CHECKs that a share waits.
  void settle(const std::optional<RejectReason>& refused, std::string& scratch, Outbox& outbox);
  std::size_t waiting() const { return shares_; }
  /// True when more is kept than kBytes.
  bool overflowed() const { return text_.size() - start_ > kBytes; }

 private:
  struct Entry {
    std::uint32_t size;
    bool is_share;
  };
  std::string_view front_text() const;
  void pop();

  std::vector<Entry> entries_;
  std::string text_;  // the entries' texts in a row: a share's id, or a whole line
  std::size_t first_ = 0, start_ = 0;
  std::size_t shares_ = 0;
};

}  // namespace adit::v1
