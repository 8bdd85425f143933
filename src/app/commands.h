// SPDX-License-Identifier: MIT
// The subcommands of `adit`, one file each. Each returns the exit status: 0 done, 1 failed, 2
// usage.
#pragma once

#include <cstdint>
#include <string>

namespace adit {

struct CommonOptions {
  std::string config_file;
  bool log_json = false;
  bool verbose = false;
};

int run_command(const CommonOptions& options);
int check_command(const CommonOptions& options);

struct DemoOptions {
  CommonOptions common;
  std::uint32_t seconds = 0;  ///< 0: until a signal
  std::uint32_t miners = 3;
  std::string data_dir;  ///< empty: a temporary one, removed at the end
};
int demo_command(const DemoOptions& options);

struct LedgerCommandOptions {
  CommonOptions common;
  std::string what;  ///< verify | shares | accounts | workers | blocks | balances | export
  std::string format = "json";
  std::uint64_t from = 1;   ///< first sequence
  std::uint64_t limit = 0;  ///< 0: all
};
int ledger_command(const LedgerCommandOptions& options);

}  // namespace adit
