// SPDX-License-Identifier: MIT
// SubmitLine: the one request that miners send by the million, read without a JSON parser. It takes
// the plain form that firmware writes and nothing else; what it does not take goes to the Decoder,
// which would have read the same from every line that is taken here.
#pragma once

#include <array>
#include <string_view>

namespace adit::v1 {

/// The parameters of mining.submit. One that is no string is a view without data.
struct SubmitParams {
  std::array<std::string_view, 6> text;
  std::size_t count = 0;  ///< as sent: of more than six the rest is not kept
};

struct SubmitLine {
  std::string_view id;  ///< as JSON, to be echoed
  SubmitParams params;
};

/// True for an object with the keys id (up to 18 digits), method ("mining.submit") and params (five
/// or six strings), each once and in any order, of printable ASCII without escapes. Views point
/// into `line`.
bool read_submit_line(std::string_view line, SubmitLine& out);

}  // namespace adit::v1
