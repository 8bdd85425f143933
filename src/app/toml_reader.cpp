// SPDX-License-Identifier: MIT
// toml++ behind a strict reader; the only file that instantiates the library.
#define TOML_IMPLEMENTATION
// One of its assertions fails on hostile text ("[[["), right before the code that reports it.
#define TOML_ASSERT(expr) static_cast<void>(0)
#include "app/toml_reader.h"

#include <fmt/format.h>

namespace adit {

void TomlProblem::report(const toml::source_region& where, const std::string& key,
                         const std::string& text) {
  if (first) return;
  first = Error{ErrorCode::Invalid,
                fmt::format("{}:{}: {}: {}", file, std::max(where.begin.line, 1u), key, text)};
}

void TomlProblem::report_unknown(const toml::source_region& where, const std::string& key) {
  if (unknown_key) return;
  unknown_key =
      Error{ErrorCode::Invalid, fmt::format("{}:{}: {}: unknown key", file, where.begin.line, key)};
}

std::string TomlTable::full(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

const toml::node* TomlTable::find(std::string_view key) {
  asked_.emplace(key);
  return table_ == nullptr ? nullptr : table_->get(key);
}

void TomlTable::fail(std::string_view key, const std::string& text) {
  const toml::node* node = table_ == nullptr ? nullptr : table_->get(key);
  if (node == nullptr) node = table_;
  problem_->report(node == nullptr ? toml::source_region{} : node->source(), full(key), text);
}

void TomlTable::text(std::string_view key, std::string& value) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  if (const auto* found = node->as_string()) {
    value = found->get();
  } else {
    fail(key, "must be a text in quotes");
  }
}

void TomlTable::boolean(std::string_view key, bool& value) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  if (const auto* found = node->as_boolean()) {
    value = found->get();
  } else {
    fail(key, "must be true or false");
  }
}

std::optional<std::int64_t> TomlTable::integer_in(std::string_view key, std::int64_t least,
                                                  std::int64_t most) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto* found = node->as_integer();
  if (found == nullptr || found->get() < least || found->get() > most) {
    fail(key, fmt::format("must be a whole number from {} to {}", least, most));
    return std::nullopt;
  }
  return found->get();
}

void TomlTable::texts(std::string_view key, std::vector<std::string>& value) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  std::vector<std::string> found;
  const toml::array* array = node->as_array();
  bool good = array != nullptr;
  for (std::size_t i = 0; good && i < array->size(); ++i) {
    const auto* text = (*array)[i].as_string();
    good = text != nullptr;
    if (good) found.push_back(text->get());
  }
  if (!good) return fail(key, "must be a list of texts, like [\"127.0.0.1:3333\"]");
  value = std::move(found);
}

namespace {
/// The characters a value has in the source: toml++ gives begin and end of each value.
std::string_view source_text(std::string_view source, const toml::source_region& region) {
  std::size_t start = 0;
  for (toml::source_index line = 1; line < region.begin.line; ++line) {
    start = source.find('\n', start);
    if (start == std::string_view::npos) return {};
    ++start;
  }
  start += region.begin.column - 1;
  std::size_t end = start;
  while (end < source.size() &&
         std::string_view("0123456789.eE+-_").find(source[end]) != std::string_view::npos)
    ++end;
  return source.substr(start, end - start);
}
}  // namespace

std::optional<std::string> TomlTable::number_text(std::string_view key, std::string_view source) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (!node->is_number()) {
    fail(key, "must be a number");
    return std::nullopt;
  }
  std::string text(source_text(source, node->source()));
  std::erase(text, '_');
  if (!text.empty() && text.front() == '+') text.erase(0, 1);
  return text;
}

TomlTable TomlTable::table(std::string_view key) {
  const toml::node* node = find(key);
  if (node != nullptr && !node->is_table()) fail(key, "must be a section");
  return {node == nullptr ? nullptr : node->as_table(), full(key), *problem_};
}

std::vector<TomlTable> TomlTable::tables(std::string_view key) {
  std::vector<TomlTable> out;
  const toml::node* node = find(key);
  if (node == nullptr) return out;
  const toml::array* array = node->as_array();
  for (std::size_t i = 0; array != nullptr && i < array->size(); ++i)
    if (const auto* table = (*array)[i].as_table()) out.emplace_back(table, full(key), *problem_);
  if (out.empty()) fail(key, fmt::format("must be written as [[{}]]", full(key)));
  return out;
}

void TomlTable::finish() {
  if (table_ == nullptr) return;
  for (const auto& [key, node] : *table_)
    if (!asked_.contains(key.str())) problem_->report_unknown(key.source(), full(key.str()));
}

}  // namespace adit
