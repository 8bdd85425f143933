// SPDX-License-Identifier: MIT
// How much room a file system has left.
#pragma once

#include <cstdint>
#include <string>

namespace adit {

struct DiskSpace {
  std::uint64_t free_bytes = 0;   ///< for users without privileges
  std::uint64_t total_bytes = 0;  ///< 0: it cannot be told
};
/// Of the file system that holds `path`. May block for as long as the disk does.
DiskSpace disk_space(const std::string& path);
/// Free part, 0 to 1; 1 when it cannot be told.
double disk_free_fraction(const std::string& path);

}  // namespace adit
