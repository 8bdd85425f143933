// SPDX-License-Identifier: MIT
// A folder that lives as long as a test, and this test program started again as a child.
#pragma once

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace adit::test {

class Scratch {
 public:
  Scratch() {
    // In memory where possible: a killed process loses no more there than on a disk, and syncs are
    // free.
    const bool memory = ::access("/dev/shm", W_OK) == 0;
    std::string path = memory
                           ? "/dev/shm/adit-test-XXXXXX"
                           : (std::filesystem::temp_directory_path() / "adit-test-XXXXXX").string();
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    path_ = path;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::string& path() const { return path_; }
  std::string at(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline void spill(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

/// Runs one (skipped) test case of this program in a new process: RocksDB's threads do not survive
/// a fork. `out` becomes its file descriptor 3. Returns its pid.
inline pid_t start_child(const char* test_case, const std::string& folder, int out = -1) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  if (out >= 0) ::dup2(out, 3);
  ::setenv("ADIT_CHILD_FOLDER", folder.c_str(), 1);
  const std::string filter = std::string("--test-case=") + test_case;
  ::execl("/proc/self/exe", "rocks_test", filter.c_str(), "--no-skip", "--out=/dev/null", nullptr);
  ::_exit(127);
}
inline std::string child_folder() {
  const char* folder = ::getenv("ADIT_CHILD_FOLDER");
  return folder == nullptr ? "" : folder;
}

}  // namespace adit::test
