// SPDX-License-Identifier: MIT
// The DOM checks a document once; the raw spans are then found by skipping strings, so a template
// of 4 MB of hex is walked at the speed of memchr.
#include "node/json_text.h"

#include <cstring>

namespace adit {
namespace {

constexpr std::size_t kMaxDepth = 16;

std::size_t end_of_string(std::string_view text, std::size_t at) {
  std::size_t from = at + 1;
  while (from < text.size()) {
    const void* hit = std::memchr(text.data() + from, '"', text.size() - from);
    if (hit == nullptr) return text.size();
    const auto quote = static_cast<std::size_t>(static_cast<const char*>(hit) - text.data());
    std::size_t slashes = 0;
    while (quote - slashes > at + 1 && text[quote - slashes - 1] == '\\') ++slashes;
    if (slashes % 2 == 0) return quote + 1;
    from = quote + 1;
  }
  return text.size();
}

std::size_t end_of_nested(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = end_of_string(text, at);
      continue;
    }
    ++at;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return at;
  }
  return text.size();
}

}  // namespace

JsonText::JsonText(std::string_view text) : padded_(text) {
  if (parser_.allocate(text.size() + 1, kMaxDepth) != simdjson::SUCCESS) return;
  simdjson::dom::element element;
  // Not parse(): that would allocate again with the default depth of 1024.
  if (parser_.parse(padded_).get(element) == simdjson::SUCCESS) root_ = element;
}

std::optional<std::string_view> json_string(const simdjson::dom::element& object,
                                            std::string_view key) {
  std::string_view value;
  if (object[key].get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::optional<std::int64_t> json_integer(const simdjson::dom::element& object,
                                         std::string_view key) {
  std::int64_t value = 0;
  if (object[key].get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::optional<bool> json_bool(const simdjson::dom::element& object, std::string_view key) {
  bool value = false;
  if (object[key].get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::optional<BlockHash> json_hash(const simdjson::dom::element& object, std::string_view key) {
  const auto text = json_string(object, key);
  return text ? BlockHash::from_hex(*text) : std::nullopt;
}

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  while (at < text.size() &&
         (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t'))
    ++at;
  return at;
}

std::size_t end_of_value(std::string_view text, std::size_t at) {
  if (at >= text.size()) return text.size();
  if (text[at] == '"') return end_of_string(text, at);
  if (text[at] == '{' || text[at] == '[') return end_of_nested(text, at);
  while (at < text.size() && std::strchr(",]} \t\r\n", text[at]) == nullptr) ++at;
  return at;
}

}  // namespace adit
