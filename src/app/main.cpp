// SPDX-License-Identifier: MIT
// The command line of `adit`.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <sstream>
#include <string_view>
#include <system_error>

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

void add_run(CLI::App& app, RunOptions& options, int& status) {
  CLI::App* run = app.add_subcommand("run", "run a pool until SIGTERM");
  add_config(run, options.common);
  add_logging(run, options.common);
  run->add_flag("--accept-loss", options.accept_loss,
                "start although the books end before what data_dir/high_water says (an old copy, "
                "lost files): logs what is missing and writes the mark anew, so once is enough");
  run->add_flag("--short-certificate", options.short_certificate,
                "start although the Stratum V2 certificate (certificate_file) ends within a day");
  run->callback([&] { status = run_command(options); });
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

CLI::App* add_payout_step(CLI::App* payout, PayoutCommandOptions& options, int& status,
                          const char* name, const char* help) {
  CLI::App* step = payout->add_subcommand(name, help);
  add_config(step, options.common);
  step->callback([&options, &status, name = std::string(name)] {
    options.what = name;
    status = payout_command(options);
  });
  return step;
}

void add_payout_rules(CLI::App* step, PayoutCommandOptions& options) {
  step->add_option("--minimum", options.minimum, "smaller balances wait (satoshi)")
      ->check(CLI::PositiveNumber);
  step->add_option("--max-outputs", options.max_outputs, "the largest balances first")
      ->check(CLI::Range(1, 2500));
}

void add_payout(CLI::App& app, PayoutCommandOptions& options, int& status) {
  CLI::App* payout = app.add_subcommand(
      "payout",
      "pay accounts by the wallet, or hand payments to another tool; works while the "
      "pool runs");
  payout->require_subcommand(1);
  const auto add = [&](const char* name, const char* help) {
    return add_payout_step(payout, options, status, name, help);
  };
  const auto add_id = [&](CLI::App* step, const char* help) {
    return step->add_option("--id", options.id, help)->check(CLI::PositiveNumber);
  };
  const auto add_wallet = [&](CLI::App* step) {
    step->add_option("--wallet", options.wallet, "bitcoind's wallet, by name");
  };
  CLI::App* plan = add("plan", "who would be paid now; changes nothing");
  add_payout_rules(plan, options);
  CLI::App* list = add("list", "payments and their states");
  for (CLI::App* view : {plan, list})
    view->add_option("--format", options.format, "table, json (lines) or csv")
        ->check(CLI::IsMember({"table", "json", "csv"}));

  CLI::App* prepare =
      add("prepare", "plan a payment (or go on with the planned one) and keep its signed bytes");
  add_payout_rules(prepare, options);
  add_id(prepare, "the payment to go on with");
  prepare->add_option("--fee-rate", options.fee_rate, "satoshi a virtual byte");
  prepare->add_option("--psbt-out", options.psbt_out, "where the PSBT goes to be signed elsewhere");
  prepare->add_option("--signed", options.signed_file, "the signed PSBT or transaction");
  CLI::App* broadcast = add("broadcast", "send what is prepared; may be repeated");
  add_id(broadcast, "only this payment");
  CLI::App* settle = add("settle", "see what became of payments that were sent");
  add_id(settle, "only this payment");
  auto* txid =
      settle->add_option("--txid", options.txid, "this transaction of another tool paid it");
  auto* conflict =
      settle->add_option("--conflict", options.conflict,
                         "this transaction spent an input of it, or of a parent of it");
  settle->add_option("--block", options.block, "the block that the transaction is in");
  settle->add_flag("--unchecked", options.unchecked, "the node cannot see --txid: take it as paid")
      ->needs(txid);
  settle
      ->add_flag("--not-paid", options.not_paid,
                 "what --txid said, and no node shows, was wrong: exported again")
      ->excludes(txid)
      ->excludes(conflict);
  txid->excludes(conflict);
  CLI::App* cancel = add("cancel", "give a planned or exported payment back to the accounts");
  add_id(cancel, "the payment")->required();
  cancel->add_flag("--nothing-signed", options.nothing_signed,
                   "you know that nobody signed or paid it, or ever will");
  CLI::App* exported = add("export", "hand a payment to another tool");
  add_payout_rules(exported, options);
  add_id(exported, "write this one's file again");
  exported->add_option("--out", options.out, "the file")->required();
  exported->add_option("--format", options.format, "json or csv")
      ->check(CLI::IsMember({"json", "csv"}));
  for (CLI::App* step : {prepare, broadcast, settle, cancel}) add_wallet(step);
}

CLI::App* add_ledger(CLI::App& app, LedgerCommandOptions& options, int& status) {
  CLI::App* ledger_app = app.add_subcommand("ledger", "read the books; works while the pool runs");
  ledger_app->require_subcommand(1);
  const std::pair<const char*, const char*> views[] = {
      {"verify", "recompute the hash chain, every proof, total, slice and balance"},
      {"shares", "one line a share"},
      {"accounts", "one line an account"},
      {"workers", "one line a worker"},
      {"blocks", "one line a found block"},
      {"slices", "one line a closed slice: its shares, work, root and hash"},
      {"balances", "what each account is owed, has earned and was paid, and its work"},
      {"journal", "one line an entry: why balances are what they are"},
      {"settlements", "one line a settled block"},
      {"payments", "one line a payment"},
      {"export",
       "shares, workers, blocks, settlements, journal, payments, balances and accounts, one line "
       "each with its kind"}};
  for (const auto& [name, help] : views) {
    CLI::App* view = ledger_app->add_subcommand(name, help);
    add_config(view, options.common);
    view->add_option("--format", options.format, "json (lines) or csv")
        ->check(CLI::IsMember({"json", "csv"}));
    view->add_option("--from", options.from, "first number (shares, slices, journal)")
        ->check(CLI::NonNegativeNumber);
    view->add_option("--limit", options.limit, "at most so many lines (0: all)")
        ->check(CLI::NonNegativeNumber);
    if (std::string_view(name) == "journal")
      view->add_option("--account", options.account, "entries of this address alone");
    view->callback([&options, &status, name = std::string(name)] {
      options.what = name;
      status = ledger_command(options);
    });
  }
  return ledger_app;
}

void add_proofs(CLI::App* ledger, ProofOptions& options, int& status) {
  CLI::App* make = ledger->add_subcommand("proof", "prove that a share stands in a closed slice");
  add_config(make, options.common);
  make->add_option("--share", options.share, "its sequence number")
      ->required()
      ->check(CLI::PositiveNumber);
  make->callback([&] { status = proof_command(options); });
  CLI::App* check = ledger->add_subcommand("check-proof", "check such a proof; needs no books");
  check->add_option("file", options.file, "the proof (-: standard input)")->required();
  check->add_option("--root", options.root, "the slice's root must be this one (hex)");
  check->add_option("-c,--config", options.common.config_file,
                    "the slice must be in the books of this pool");
  check->callback([&] { status = check_proof_command(options); });
}

void add_audit(CLI::App& app, AuditOptions& options, int& status) {
  CLI::App* audit = app.add_subcommand(
      "audit",
      "derive from the shares again what a block or priced slices brought to whom, and compare; "
      "works while the pool runs");
  add_config(audit, options.common);
  CLI::Option* block = audit->add_option("--block", options.block, "the hash of a block");
  audit->add_flag("--parts", options.parts, "print each account's part, as CSV")->needs(block);
  CLI::Option* slices = audit->add_option("--slices", options.slices,
                                          "pps and fpps: what slices A to B were paid, as A-B");
  slices->excludes(block);
  audit->require_option(1, 0);
  audit->callback([&] { status = audit_command(options); });
}

/// Somebody who reads on stops of his own will (EPIPE) knows; anybody else must hear.
int cannot_print(int error) {
  constexpr std::string_view kWords = "cannot write to standard output\n";
  if (error != EPIPE) (void)std::fwrite(kWords.data(), 1, kWords.size(), stderr);
  return 1;
}

/// The exit status, when all is written.
int finish(int status) {
  errno = 0;
  return std::fflush(stdout) == 0 ? status : cannot_print(errno);
}

int adit_main(int argc, char** argv) {
  CLI::App app{"Adit, a Bitcoin mining pool server", "adit"};
  app.set_version_flag("--version",
                       fmt::format("adit {} (SHA-256: {})", kVersion, sha256_selected()));
  app.require_subcommand(1);
  int status = 2;

  RunOptions run_options;
  add_run(app, run_options, status);

  CommonOptions common;
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
  ProofOptions proof;
  CLI::App* ledger_app = add_ledger(app, ledger, status);
  add_proofs(ledger_app, proof, status);

  PayoutCommandOptions payout;
  add_payout(app, payout, status);

  AuditOptions audit;
  add_audit(app, audit, status);

  KeygenOptions keygen;
  add_keygen(app, keygen, status);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    const bool asked = app.exit(error, out) == 0;
    fmt::print("{}", out.str());
    return asked ? 0 : 2;
  }
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return finish(adit_main(argc, argv));
  } catch (const std::system_error& error) {
    if (std::ferror(stdout) == 0) throw;
    return cannot_print(error.code().value());
  }
}
