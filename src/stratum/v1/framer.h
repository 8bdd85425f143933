// SPDX-License-Identifier: MIT
// LineFramer: cuts the byte stream into lines. A whole line is passed on where it lies in the
// wire's bytes; memory is held only while a line is incomplete, and never more than one line of the
// cap.
#pragma once

#include <string>
#include <string_view>

#include "adit/base/bytes.h"

namespace adit::v1 {

class LineFramer {
 public:
  /// The longest line, with its LF.
  static constexpr std::size_t kCap = 4096;

  enum class Step {
    Line,     ///< `line` is whole, without LF and CR
    Need,     ///< all bytes are taken; more must come
    TooLong,  ///< the line cannot end within the cap: the connection is beyond repair
  };
  /// Takes one line from the front of `wire`. `line` is valid until the next call on this object or
  /// the end of the wire's bytes. Call until Need or TooLong.
  Step next(Bytes& wire, std::string_view& line);
  /// True while a line is incomplete.
  bool partial() const { return !partial_.empty(); }

 private:
  Step hold(Bytes& wire);
  std::string partial_;
  bool spent_ = false;  // partial_ was handed out as a line
};

}  // namespace adit::v1
