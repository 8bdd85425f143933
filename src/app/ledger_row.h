// SPDX-License-Identifier: MIT
// One record as fields, printed as a JSON object or a CSV row (with a header row before the first).
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "adit/base/json.h"

namespace adit {

class LedgerRow {
 public:
  explicit LedgerRow(bool csv) : csv_(csv) {}
  LedgerRow& kind(std::string_view name) { return text("kind", name); }
  LedgerRow& text(std::string_view key, std::string_view value) {
    cell(key);
    if (csv_)
      quote_csv(value);
    else
      append_json_string(line_, value);
    return *this;
  }
  LedgerRow& number(std::string_view key, std::uint64_t value) {
    return plain(key, fmt::format("{}", value));
  }
  LedgerRow& plain(std::string_view key, std::string_view value) {
    cell(key);
    line_ += value;
    return *this;
  }
  void print(bool& header_done) {
    if (csv_ && !header_done) fmt::print("{}\n", header_);
    header_done = true;
    if (csv_)
      fmt::print("{}\n", line_);
    else
      fmt::print("{}}}\n", line_);
  }

 private:
  void cell(std::string_view key) {
    if (csv_) {
      if (!header_.empty()) {
        header_ += ',';
        line_ += ',';
      }
      header_ += key;
      return;
    }
    line_ += line_.empty() ? '{' : ',';
    append_json_string(line_, key);
    line_ += ':';
  }
  void quote_csv(std::string_view value) {
    if (value.find_first_of(",\"\n") == std::string_view::npos) {
      line_ += value;
      return;
    }
    line_ += '"';
    for (const char c : value) line_ += c == '"' ? std::string("\"\"") : std::string(1, c);
    line_ += '"';
  }
  bool csv_;
  std::string line_, header_;
};

}  // namespace adit
