// SPDX-License-Identifier: MIT
// A strict reading of one TOML table: each key is asked for once with its type and limits, and what
// nobody asked for is an error. The first error wins and carries file:line: key.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include "adit/base/result.h"

namespace adit {

/// Where the first error of a whole file is kept. A key that nobody knows comes before all others:
/// it is often their cause, as a mistyped `network` makes every address wrong.
struct TomlProblem {
  std::string file;
  std::optional<Error> first;
  std::optional<Error> unknown_key;
  const std::optional<Error>& worst() const { return unknown_key ? unknown_key : first; }
  void report(const toml::source_region& where, const std::string& key, const std::string& text);
  void report_unknown(const toml::source_region& where, const std::string& key);
};

class TomlTable {
 public:
  /// `table` may be null: every key is absent then.
  TomlTable(const toml::table* table, std::string path, TomlProblem& problem)
      : table_(table), path_(std::move(path)), problem_(&problem) {}

  bool has(std::string_view key) const { return table_ != nullptr && table_->contains(key); }
  /// Leave `value` alone when the key is absent; report when it has another type or lies outside
  /// its limits.
  void text(std::string_view key, std::string& value);
  void boolean(std::string_view key, bool& value);
  template <class T>
  void integer(std::string_view key, T& value, std::int64_t least, std::int64_t most) {
    if (const auto found = integer_in(key, least, most)) value = static_cast<T>(*found);
  }
  void texts(std::string_view key, std::vector<std::string>& value);
  /// A number as its exact source text (a difficulty must not pass through a double).
  std::optional<std::string> number_text(std::string_view key, std::string_view source);
  /// The nested table, asked for.
  TomlTable table(std::string_view key);
  /// An array of tables; empty when absent.
  std::vector<TomlTable> tables(std::string_view key);
  /// Reports at the key's line (or the table's, when the key is absent).
  void fail(std::string_view key, const std::string& text);
  /// Reports the first key that was never asked for. Call last.
  void finish();

 private:
  const toml::node* find(std::string_view key);
  std::optional<std::int64_t> integer_in(std::string_view key, std::int64_t least,
                                         std::int64_t most);
  std::string full(std::string_view key) const;
  const toml::table* table_;
  std::string path_;
  TomlProblem* problem_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace adit
