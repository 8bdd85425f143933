// SPDX-License-Identifier: MIT
// LineBuffer: bytes from a socket in, whole lines out.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace adit::client {

class LineBuffer {
 public:
  static constexpr std::size_t kLongest = 1 << 20;

  void feed(std::string_view bytes) {
    if (start_ == data_.size()) clear();
    data_ += bytes;
  }
  /// The next line without its end; valid until the next feed().
  std::optional<std::string_view> next() {
    const std::size_t end = data_.find('\n', start_);
    if (end == data_.npos) return std::nullopt;
    std::string_view line(data_.data() + start_, end - start_);
    start_ = end + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }
  bool empty() const { return start_ == data_.size(); }
  bool overflowed() const { return data_.size() - start_ > kLongest; }
  void clear() {
    data_.clear();
    start_ = 0;
  }

 private:
  std::string data_;
  std::size_t start_ = 0;
};

}  // namespace adit::client
