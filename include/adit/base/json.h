// SPDX-License-Identifier: MIT
// Writing JSON. Reading is done with simdjson where it is needed (stratum, node).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace adit {

/// Appends `text` as a JSON string with its quotes; any byte sequence gives valid JSON (bytes that
/// are not UTF-8 become U+FFFD).
void append_json_string(std::string& out, std::string_view text);

/// Builds one JSON value in order of calls; commas are its own business. Misuse is a CHECK.
class JsonWriter {
 public:
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);
  JsonWriter& string(std::string_view text);
  JsonWriter& number(std::int64_t value);
  JsonWriter& number_u64(std::uint64_t value);
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  /// `text` must already be a JSON value.
  JsonWriter& raw(std::string_view text);
  /// The finished value; CHECK while an object or array is open.
  const std::string& text() const;
  /// As text(), and leaves the writer ready for the next value.
  std::string take();

 private:
  void before_value();
  void after_value();
  JsonWriter& begin(char bracket);
  JsonWriter& end(char bracket);

  std::string out_;
  std::string open_;  ///< brackets not yet closed, outermost first
  bool need_comma_ = false;
  bool after_key_ = false;
  bool done_ = false;
};

}  // namespace adit
