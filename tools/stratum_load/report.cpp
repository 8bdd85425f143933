// SPDX-License-Identifier: MIT
// Printing figures: see report.h.
#include "stratum_load/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "adit/base/json.h"

namespace adit::load {

void Report::text(std::string_view name, std::string_view value) {
  std::string quoted;
  append_json_string(quoted, value);
  lines_.push_back({std::string(name), std::string(value), quoted});
}

void Report::count(std::string_view name, std::uint64_t value) {
  const std::string digits = std::to_string(value);
  lines_.push_back({std::string(name), digits, digits});
}

void Report::number(std::string_view name, double value) {
  const std::string digits = std::isfinite(value) ? fmt::format("{:.3f}", value) : "null";
  lines_.push_back({std::string(name), digits, digits});
}

void Report::print(bool json) const {
  if (!json) {
    for (const Line& line : lines_) fmt::print("{:<28} {}\n", line.name, line.plain);
    return;
  }
  JsonWriter writer;
  writer.begin_object();
  for (const Line& line : lines_) writer.key(line.name).raw(line.json);
  writer.end_object();
  fmt::print("{}\n", writer.text());
}

void Samples::add(std::int64_t nanoseconds) {
  constexpr std::size_t kMost = 4'000'000;
  if (values_.size() < kMost) values_.push_back(nanoseconds);
  sorted_ = false;
}

double Samples::microseconds(double part) {
  if (values_.empty()) return 0;
  if (!std::exchange(sorted_, true)) std::ranges::sort(values_);
  const auto rank = static_cast<std::size_t>(std::ceil(part * static_cast<double>(values_.size())));
  return static_cast<double>(values_[rank == 0 ? 0 : rank - 1]) / 1000;
}

void Samples::report(Report& report, const std::string& name) {
  report.number(name + "_p50_us", microseconds(0.5));
  report.number(name + "_p90_us", microseconds(0.9));
  report.number(name + "_p99_us", microseconds(0.99));
  report.number(name + "_max_us", microseconds(1));
}

}  // namespace adit::load
