// SPDX-License-Identifier: MIT
// Child processes of `adit demo`: started with their output in a pipe or a file, and ended by their
// id.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "adit/base/result.h"

namespace adit {

class ChildProcess {
 public:
  /// `arguments[0]` is the program. Its stdout and stderr go to `log_file`.
  static Result<ChildProcess> start(const std::vector<std::string>& arguments,
                                    const std::string& log_file);
  ChildProcess(ChildProcess&& other) noexcept : pid_(other.pid_) { other.pid_ = -1; }
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess() { end(); }
  /// SIGTERM, and SIGKILL after two seconds.
  void end();
  bool running();

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}
  pid_t pid_;
};

/// The folder this program's file is in.
std::string program_folder();
bool is_executable(const std::string& path);
/// An empty folder under TMPDIR or /tmp.
Result<std::string> make_temporary_folder();
/// Removes a folder made by make_temporary_folder and all in it.
void remove_folder(const std::string& path);
/// The whole of a small file; empty when it cannot be read.
std::string read_small_file(const std::string& path);
Status write_small_file(const std::string& path, const std::string& text);

}  // namespace adit
