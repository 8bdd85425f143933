// SPDX-License-Identifier: MIT
// Reading /proc: see process_meter.h.
#include "stratum_load/process_meter.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace adit::load {

namespace {

std::string read_all(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The first number of a text, or of what follows `label` in it.
std::uint64_t first_number(const std::string& text, const std::string& label = "") {
  std::size_t at = text.find(label);
  if (at != text.npos) at = text.find_first_of("0123456789", at + label.size());
  if (at == text.npos) return 0;
  std::uint64_t value = 0;
  std::from_chars(text.data() + at, text.data() + text.size(), value);
  return value;
}

/// Summed over the threads alive; 0 where the kernel does not keep it.
double scheduled_us(const std::string& folder) {
  double sum = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder + "/task", error), end; !error && at != end;
       at.increment(error))
    sum += static_cast<double>(first_number(read_all(at->path().string() + "/schedstat")));
  return sum / 1000;
}

}  // namespace

CpuTime cpu_time_of(pid_t pid) {
  CpuTime time;
  if (pid == 0) return time;
  const std::string folder = fmt::format("/proc/{}", pid);
  const std::string stat = read_all(folder + "/stat");
  // The name in parentheses may hold anything; utime and stime are the 12th and 13th word after it.
  const std::size_t name_end = stat.rfind(')');
  if (name_end == stat.npos) return time;
  std::istringstream words(stat.substr(name_end + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) words >> skipped;
  double user = 0, system = 0;
  words >> user >> system;
  const double tick_us = 1e6 / static_cast<double>(sysconf(_SC_CLK_TCK));
  time.user_us = user * tick_us;
  time.system_us = system * tick_us;
  const double fine = scheduled_us(folder);
  time.total_us = fine > 0 ? fine : time.user_us + time.system_us;
  return time;
}

std::uint64_t resident_bytes_of(pid_t pid) {
  if (pid == 0) return 0;
  // smaps_rollup counts pages; status may lag behind by some hundred KiB per thread.
  const std::string rollup = read_all(fmt::format("/proc/{}/smaps_rollup", pid));
  if (const std::uint64_t kib = first_number(rollup, "\nRss:")) return kib * 1024;
  return first_number(read_all(fmt::format("/proc/{}/status", pid)), "VmRSS:") * 1024;
}

}  // namespace adit::load
