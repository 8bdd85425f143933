// SPDX-License-Identifier: MIT
// statvfs, in bytes.
#include "rocks/disk_space.h"

#include <sys/statvfs.h>

namespace adit {

DiskSpace disk_space(const std::string& path) {
  struct statvfs s {};
  if (::statvfs(path.c_str(), &s) != 0) return {};
  const std::uint64_t unit = s.f_frsize != 0 ? s.f_frsize : s.f_bsize;
  return {s.f_bavail * unit, s.f_blocks * unit};
}

double disk_free_fraction(const std::string& path) {
  const DiskSpace space = disk_space(path);
  if (space.total_bytes == 0) return 1;
  return static_cast<double>(space.free_bytes) / static_cast<double>(space.total_bytes);
}

}  // namespace adit
