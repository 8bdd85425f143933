// SPDX-License-Identifier: MIT
// Report: named figures in order, printed as text or as one JSON object; and percentiles.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace adit::load {

class Report {
 public:
  void text(std::string_view name, std::string_view value);
  void count(std::string_view name, std::uint64_t value);
  void number(std::string_view name, double value);
  void print(bool json) const;

 private:
  struct Line {
    std::string name, plain, json;
  };
  std::vector<Line> lines_;
};

/// Durations in nanoseconds; keeps the first four million.
class Samples {
 public:
  void add(std::int64_t nanoseconds);
  std::size_t size() const { return values_.size(); }
  /// The value below which `part` (0 to 1) of all lie, in microseconds; 0 without samples.
  double microseconds(double part);
  /// p50, p90, p99 and max under `name`_p50_us and so on.
  void report(Report& report, const std::string& name);

 private:
  std::vector<std::int64_t> values_;
  bool sorted_ = false;
};

}  // namespace adit::load
