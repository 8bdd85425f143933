// SPDX-License-Identifier: MIT
// Options in common: see command_line.h.
#include "client/command_line.h"

#include <fmt/format.h>

#include <cstdio>

namespace adit::client {

CommandLine::CommandLine(CLI::App& app, PoolTarget& target) : app_(app), target_(target) {
  app.add_option("--url", url_, "the pool: HOST:PORT, or stratum2+tcp://HOST:PORT/KEY for V2")
      ->required();
  app.add_option("--channel", channel_, "V2: standard (header-only) or extended")
      ->check(CLI::IsMember({"standard", "extended"}))
      ->capture_default_str();
  app.add_option("--user", target.login.user, "ADDRESS.worker")->required();
  app.add_option("--password", target.login.password)->capture_default_str();
}

std::optional<int> CommandLine::parse(int argc, char** argv) {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app_.exit(e) == 0 ? 0 : 2;
  }
  const Status status = parse_pool_url(url_, channel_ == "extended", target_);
  if (status) return std::nullopt;
  fmt::print(stderr, "--url: {}\n", status.error().text);
  return 2;
}

}  // namespace adit::client
