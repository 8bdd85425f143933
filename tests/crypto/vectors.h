// SPDX-License-Identifier: MIT
// Reads the official vectors in tests/vectors: comma-separated, a line of names first.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "adit/base/bytes.h"

namespace adit::test {

class VectorRow {
 public:
  explicit VectorRow(std::map<std::string, std::string> fields) : fields_(std::move(fields)) {}
  const std::string& text(const std::string& name) const { return fields_.at(name); }
  ByteVec bytes(const std::string& name) const {
    const auto out = from_hex(text(name));
    REQUIRE(out.has_value());
    return *out;
  }
  template <std::size_t N>
  std::array<std::uint8_t, N> array(const std::string& name) const {
    std::array<std::uint8_t, N> out;
    REQUIRE(from_hex(text(name), out));
    return out;
  }

 private:
  std::map<std::string, std::string> fields_;
};

/// At most `count` fields; the last one takes the rest of the line, commas included.
inline std::vector<std::string> split_line(const std::string& line, std::size_t count) {
  std::vector<std::string> out;
  std::size_t at = 0;
  while (out.size() + 1 < count) {
    const std::size_t comma = line.find(',', at);
    if (comma == std::string::npos) break;
    out.push_back(line.substr(at, comma - at));
    at = comma + 1;
  }
  out.push_back(line.substr(at));
  return out;
}

inline std::vector<VectorRow> read_vectors(const std::string& file) {
  std::ifstream in(std::string(std::getenv("ADIT_TEST_DATA")) + "/vectors/" + file);
  std::string line;
  std::vector<VectorRow> rows;
  std::vector<std::string> names;
  while (std::getline(in, line)) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty()) continue;
    const auto fields = split_line(line, names.empty() ? line.size() : names.size());
    if (names.empty()) {
      names = fields;
      continue;
    }
    std::map<std::string, std::string> row;
    for (std::size_t i = 0; i < names.size() && i < fields.size(); ++i) row[names[i]] = fields[i];
    rows.emplace_back(std::move(row));
  }
  return rows;
}

}  // namespace adit::test
