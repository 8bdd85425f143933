// SPDX-License-Identifier: MIT
// A fuzz target: one file that defines these two functions. It is linked with driver.cpp, which
// mutates the seeds in an order of its own (every build, suite `fuzz`), or with libFuzzer, which
// follows the coverage (tools/fuzz).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "adit/base/bytes.h"
#include "adit/base/check.h"

namespace adit::fuzz {

/// Any bytes. What the code under test promises and does not keep ends the process (ADIT_CHECK).
void one(Bytes input);
/// Inputs worth beginning with.
std::vector<std::string> seeds();

/// Reads an input as a program: numbers and texts one after the other; zeros after its end.
class Cursor {
 public:
  explicit Cursor(Bytes input) : rest_(input) {}
  bool done() const { return rest_.empty(); }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const std::uint8_t value = rest_[0];
    rest_ = rest_.subspan(1);
    return value;
  }
  template <class Number>
  Number number() {
    Number value = 0;
    for (std::size_t i = 0; i < sizeof(Number); ++i)
      value = static_cast<Number>(value | static_cast<Number>(Number{byte()} << (8 * i)));
    return value;
  }
  Bytes bytes(std::size_t count) {
    const Bytes taken = rest_.first(std::min(count, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  /// A length and so many bytes.
  std::string_view text() { return text_of(bytes(byte())); }
  Bytes rest() { return bytes(rest_.size()); }

 private:
  Bytes rest_;
};

}  // namespace adit::fuzz
