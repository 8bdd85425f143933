// SPDX-License-Identifier: MIT
// Text helpers of the transcripts and the corpus: placeholders and patterns.
#pragma once

#include <string>
#include <string_view>

namespace adit::test {

inline void replace(std::string& text, std::string_view what, const std::string& with) {
  for (std::size_t at; (at = text.find(what)) != std::string::npos;)
    text.replace(at, what.size(), with);
}

/// `*` in the pattern is any text.
inline bool matches(std::string_view pattern, std::string_view text) {
  const std::size_t star = pattern.find('*');
  if (star == pattern.npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  pattern.remove_prefix(star + 1);
  text.remove_prefix(star);
  if (pattern.empty()) return true;
  for (; !text.empty(); text.remove_prefix(1))
    if (matches(pattern, text)) return true;
  return false;
}

}  // namespace adit::test
