// SPDX-License-Identifier: MIT
// SubmitLine: see submit_line.h.
#include "stratum/v1/submit_line.h"

#include <algorithm>

namespace adit::v1 {

namespace {

constexpr std::size_t kIdDigits = 18;  // every such number fits 64 bits

/// Without control characters, escapes and anything beyond ASCII a quote ends a string, and a
/// string is what stands between quotes. No early end, so that the loop runs on vectors.
bool is_plain(std::string_view line) {
  char strange = 0;
  for (const char c : line) strange |= static_cast<char>((c < ' ') | (c > '~') | (c == '\\'));
  return strange == 0;
}

class Reader {
 public:
  explicit Reader(std::string_view line) : rest_(line) {}

  /// Takes `text` and the blanks after it.
  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    advance(text.size());
    return true;
  }
  bool take(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    advance(1);
    return true;
  }
  bool take_string(std::string_view& text) {
    if (rest_.empty() || rest_[0] != '"') return false;
    const std::size_t end = rest_.find('"', 1);
    if (end == rest_.npos) return false;
    text = rest_.substr(1, end - 1);
    advance(end + 1);
    return true;
  }
  bool take_number(std::string_view& text) {
    const std::size_t most = std::min(rest_.size(), kIdDigits);
    std::size_t size = 0;
    while (size < most && rest_[size] >= '0' && rest_[size] <= '9') ++size;
    if (size == 0 || (size > 1 && rest_[0] == '0')) return false;
    text = rest_.substr(0, size);
    advance(size);
    return true;
  }
  void skip_blanks() { advance(0); }
  bool at_end() const { return rest_.empty(); }

 private:
  void advance(std::size_t count) {
    while (count < rest_.size() && rest_[count] == ' ') ++count;
    rest_.remove_prefix(count);
  }
  std::string_view rest_;
};

bool take_params(Reader& in, SubmitParams& params) {
  if (!in.take('[')) return false;
  params.count = 0;
  do {
    if (params.count == params.text.size()) return false;
    if (!in.take_string(params.text[params.count++])) return false;
  } while (in.take(','));
  return params.count >= 5 && in.take(']');
}

/// One of the three keys with its value; `seen` says which have come.
bool take_field(Reader& in, SubmitLine& out, unsigned& seen) {
  constexpr unsigned kId = 1, kMethod = 2, kParams = 4;
  const auto first_time = [&](unsigned key) {
    const bool first = (seen & key) == 0;
    seen |= key;
    return first && in.take(':');
  };
  if (in.take("\"id\"")) return first_time(kId) && in.take_number(out.id);
  if (in.take("\"method\"")) return first_time(kMethod) && in.take("\"mining.submit\"");
  if (in.take("\"params\"")) return first_time(kParams) && take_params(in, out.params);
  return false;
}

}  // namespace

bool read_submit_line(std::string_view line, SubmitLine& out) {
  if (!is_plain(line)) return false;
  Reader in(line);
  in.skip_blanks();
  if (!in.take('{')) return false;
  unsigned seen = 0;
  for (int field = 0; field < 3; ++field) {
    if (field > 0 && !in.take(',')) return false;
    if (!take_field(in, out, seen)) return false;
  }
  return in.take('}') && in.at_end();
}

}  // namespace adit::v1
