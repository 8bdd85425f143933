// SPDX-License-Identifier: MIT
// The command line of `adit`.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <csignal>

#include "adit/crypto/sha256.h"
#include "app/commands.h"
#include "app/version.h"

namespace {

using namespace adit;

void add_config(CLI::App* command, CommonOptions& options) {
  command->add_option("-c,--config", options.config_file, "the TOML file (see config/adit.toml)")
      ->required();
}

void add_logging(CLI::App* command, CommonOptions& options) {
  command->add_flag("--log-json", options.log_json, "log one JSON object a line");
  command->add_flag("-v,--verbose", options.verbose, "log every connection too");
}

void add_keygen(CLI::App& app, KeygenOptions& options, int& status) {
  CLI::App* keygen = app.add_subcommand(
      "keygen", "make a key pair for Stratum V2, or sign a certificate for one (--issue)");
  keygen->add_option("--out", options.out,
                     "file to write (default: authority.key, with --issue static.cert); a key "
                     "pair's public half goes beside it, with .pub at the end");
  keygen->add_flag("--force", options.force, "replace the file if it exists");
  keygen->add_flag("--issue", options.issue,
                   "sign a certificate for --static with the secret of --authority");
  keygen->add_option("--authority", options.authority, "file of the authority's secret key");
  keygen->add_option("--static", options.static_key,
                     "file of the pool's static key, secret or public half");
  keygen->add_option("--days", options.days, "validity of the certificate (90)")
      ->check(CLI::Range(1, 3650));
  keygen->add_option("--network", options.network,
                     "main | testnet4 | signet | regtest: on main the demo key may not sign");
  keygen->footer(
      "Files are text, one line each. A secret key: base58check of its 32 bytes (mode 0600).\n"
      "A public key: base58check of 01 00 and the X coordinate, as in a pool's URL.\n"
      "A certificate: the authority's public key, a blank, 148 hex digits.");
  keygen->callback([&] { status = keygen_command(options); });
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app{"Adit, a Bitcoin mining pool server", "adit"};
  app.set_version_flag("--version",
                       fmt::format("adit {} (SHA-256: {})", kVersion, sha256_selected()));
  app.require_subcommand(1);
  int status = 2;

  CommonOptions common;
  CLI::App* run = app.add_subcommand("run", "run a pool until SIGTERM");
  add_config(run, common);
  add_logging(run, common);
  run->callback([&] { status = run_command(common); });

  CLI::App* check = app.add_subcommand(
      "check", "validate a configuration, ask its nodes, show the coinbase it would mine");
  add_config(check, common);
  check->callback([&] { status = check_command(common); });

  DemoOptions demo;
  CLI::App* demo_app =
      app.add_subcommand("demo", "a whole pool on this machine: simulated node, miners, blocks");
  demo_app->add_option("--seconds", demo.seconds,
                       "end by itself after so many seconds (0: run until Ctrl-C)");
  demo_app->add_option("--miners", demo.miners, "CPU miners to start")->check(CLI::Range(1, 64));
  demo_app->add_option("--data-dir", demo.data_dir,
                       "keep the books here (default: a temporary folder)");
  add_logging(demo_app, demo.common);
  demo_app->callback([&] { status = demo_command(demo); });

  LedgerCommandOptions ledger;
  CLI::App* ledger_app = app.add_subcommand("ledger", "read the books; works while the pool runs");
  ledger_app->require_subcommand(1);
  const std::pair<const char*, const char*> views[] = {
      {"verify", "recompute the hash chain, every proof and every total"},
      {"shares", "one line a share"},
      {"accounts", "one line an account"},
      {"workers", "one line a worker"},
      {"blocks", "one line a found block"},
      {"balances", "what each account is owed, has earned and was paid, and its work"},
      {"export", "shares, accounts, workers and blocks, one line each with its kind"}};
  for (const auto& [name, help] : views) {
    CLI::App* view = ledger_app->add_subcommand(name, help);
    add_config(view, ledger.common);
    view->add_option("--format", ledger.format, "json (lines) or csv")
        ->check(CLI::IsMember({"json", "csv"}));
    view->add_option("--from", ledger.from, "first sequence number (shares)")
        ->check(CLI::NonNegativeNumber);
    view->add_option("--limit", ledger.limit, "at most so many lines (0: all)")
        ->check(CLI::NonNegativeNumber);
    view->callback([&ledger, &status, name = std::string(name)] {
      ledger.what = name;
      status = ledger_command(ledger);
    });
  }

  KeygenOptions keygen;
  add_keygen(app, keygen, status);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return status;
}
