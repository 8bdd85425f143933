// SPDX-License-Identifier: MIT
// Tables of docs/ledger.md, for the tests that hold them against the code.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace adit::test {

using Row = std::vector<std::string>;

inline std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(' ');
  return first == std::string::npos ? ""
                                    : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

inline std::string bare(std::string cell) {
  std::erase(cell, '`');
  return cell;
}

/// The rows of the first table after a line that starts with `heading`.
inline std::vector<Row> table_after(const std::string& heading) {
  const char* data = std::getenv("ADIT_TEST_DATA");
  REQUIRE(data != nullptr);
  std::ifstream in(std::string(data) + "/../docs/ledger.md");
  REQUIRE(in.good());
  std::vector<Row> rows;
  bool found = false;
  for (std::string line; std::getline(in, line);) {
    if (!found) {
      found = line.starts_with(heading);
      continue;
    }
    if (!line.starts_with("|")) {
      if (!rows.empty()) break;
      continue;
    }
    Row row;
    std::istringstream cells(line.substr(1));
    for (std::string cell; std::getline(cells, cell, '|');) row.push_back(trimmed(cell));
    rows.push_back(row);
  }
  REQUIRE(rows.size() > 2);
  rows.erase(rows.begin(), rows.begin() + 2);  // the head and the rule
  return rows;
}

/// The names of a flat JSON object's fields, in order; good enough for values without quotes.
inline std::vector<std::string> fields_of(const std::string& json) {
  std::vector<std::string> names;
  for (std::size_t at = 0; (at = json.find("\":", at)) != std::string::npos; ++at)
    names.push_back(json.substr(json.rfind('"', at - 1) + 1, at - json.rfind('"', at - 1) - 1));
  return names;
}

inline std::vector<std::string> first_column(const std::vector<Row>& rows) {
  std::vector<std::string> out;
  for (const Row& row : rows) out.push_back(bare(row[0]));
  return out;
}

}  // namespace adit::test
