// SPDX-License-Identifier: MIT
#include "app/credentials.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace adit {

Result<std::string> first_line_of(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "r"),
                                                             &std::fclose);
  if (!file) return Error{ErrorCode::Io, "cannot read " + path + ": " + std::strerror(errno)};
  char line[512];
  if (std::fgets(line, sizeof line, file.get()) == nullptr)
    return Error{ErrorCode::Invalid, path + " is empty"};
  std::string text(line);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

Result<std::string> node_login(const NodeConfig& node) {
  if (node.cookie_file.empty()) return node.user + ":" + node.password;
  return first_line_of(node.cookie_file);
}

}  // namespace adit
