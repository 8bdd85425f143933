// SPDX-License-Identifier: MIT
// The options that the tools have in common, and how a command line is read.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "client/pool_target.h"

namespace adit::client {

class CommandLine {
 public:
  /// Adds --url, --channel, --user and --password; `target` outlives the object.
  CommandLine(CLI::App& app, PoolTarget& target);
  /// Reads all options and fills the target; otherwise the exit status: 0 after --help, 2 for a
  /// mistake, which has been printed.
  std::optional<int> parse(int argc, char** argv);

 private:
  CLI::App& app_;
  PoolTarget& target_;
  std::string url_, channel_ = "standard";
};

}  // namespace adit::client
