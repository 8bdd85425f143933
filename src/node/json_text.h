// SPDX-License-Identifier: MIT
// Reading what a node answered: one whole JSON document, checked to its last byte, and small typed
// look-ups in it. simdjson's DOM, because it validates also what nobody reads; no exceptions.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "adit/bitcoin/hash.h"

namespace adit {

/// One parsed document. Its elements live as long as it does.
class JsonText {
 public:
  /// Copies `text`. Deeper than 16 levels or not JSON to the end: root() is nullopt.
  explicit JsonText(std::string_view text);
  const std::optional<simdjson::dom::element>& root() const { return root_; }

 private:
  simdjson::padded_string padded_;
  simdjson::dom::parser parser_;
  std::optional<simdjson::dom::element> root_;
};

/// Values of the exact type, or nullopt (absent, another type, out of range, 1.5 for an integer).
std::optional<std::string_view> json_string(const simdjson::dom::element& object,
                                            std::string_view key);
std::optional<std::int64_t> json_integer(const simdjson::dom::element& object,
                                         std::string_view key);
std::optional<bool> json_bool(const simdjson::dom::element& object, std::string_view key);
std::optional<BlockHash> json_hash(const simdjson::dom::element& object, std::string_view key);

/// The text of each member of the outermost object, by its raw key. `text` must be an object that
/// JsonText accepted. `visit(key, value)` sees keys without their quotes, escapes left as they are.
template <class Visit>
void for_each_member(std::string_view text, Visit visit);

/// The end (one past) of the JSON value that starts at `at`; for text that JsonText accepted.
std::size_t end_of_value(std::string_view text, std::size_t at);
std::size_t skip_blanks(std::string_view text, std::size_t at);

template <class Visit>
void for_each_member(std::string_view text, Visit visit) {
  std::size_t at = skip_blanks(text, 0) + 1;
  for (;;) {
    at = skip_blanks(text, at);
    if (at >= text.size() || text[at] != '"') return;
    const std::size_t key_end = end_of_value(text, at);
    const std::string_view key = text.substr(at + 1, key_end - at - 2);
    at = skip_blanks(text, skip_blanks(text, key_end) + 1);
    const std::size_t value_end = end_of_value(text, at);
    visit(key, text.substr(at, value_end - at));
    at = skip_blanks(text, value_end);
    if (at >= text.size() || text[at] != ',') return;
    ++at;
  }
}

}  // namespace adit
