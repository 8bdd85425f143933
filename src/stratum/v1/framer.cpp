// SPDX-License-Identifier: MIT
// LineFramer: see framer.h.
#include "stratum/v1/framer.h"

namespace adit::v1 {

namespace {
std::string_view without_cr(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}
}  // namespace

LineFramer::Step LineFramer::hold(Bytes& wire) {
  if (partial_.size() + wire.size() >= kCap) return Step::TooLong;
  partial_ += text_of(wire);
  wire = {};
  return Step::Need;
}

LineFramer::Step LineFramer::next(Bytes& wire, std::string_view& line) {
  if (spent_) {
    std::string().swap(partial_);  // frees: an idle session keeps no buffer
    spent_ = false;
  }
  if (wire.empty()) return Step::Need;
  const std::string_view text = text_of(wire);
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return hold(wire);
  if (partial_.size() + end + 1 > kCap) return Step::TooLong;
  wire = wire.subspan(end + 1);
  if (partial_.empty()) {
    line = without_cr(text.substr(0, end));
  } else {
    partial_ += text.substr(0, end);
    spent_ = true;
    line = without_cr(partial_);
  }
  return Step::Line;
}

}  // namespace adit::v1
