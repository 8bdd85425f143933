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

struct RunOptions {
  CommonOptions common;
  bool accept_loss = false;  ///< start with books that end before what the high-water mark says
  bool short_certificate = false;  ///< start although V2's certificate ends within a day
};
int run_command(const RunOptions& options);
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
  /// verify | shares | accounts | workers | blocks | slices | balances | journal | settlements |
  /// payments | export
  std::string what;
  std::string format = "json";
  std::uint64_t from = 1;   ///< first sequence, slice or journal entry
  std::uint64_t limit = 0;  ///< 0: all
  std::string account;      ///< of the journal: entries of this address alone
};
int ledger_command(const LedgerCommandOptions& options);

struct ProofOptions {
  CommonOptions common;     ///< check_proof: without a file nothing is compared with the books
  std::uint64_t share = 0;  ///< sequence
  std::string file;         ///< the proof; "-": standard input
  std::string root;         ///< hex; empty: compare with none
};
int proof_command(const ProofOptions& options);
int check_proof_command(const ProofOptions& options);

struct PayoutCommandOptions {
  CommonOptions common;
  std::string what;               ///< plan | prepare | broadcast | settle | list | cancel | export
  std::string format = "table";   ///< table | json (lines) | csv; of an export json | csv
  std::uint64_t id = 0;           ///< 0: not named
  std::uint64_t minimum = 0;      ///< satoshi; 0: the configuration's
  std::uint32_t max_outputs = 0;  ///< 0: the configuration's
  std::uint32_t fee_rate = 0;     ///< satoshi a virtual byte; 0: what the node estimates
  std::string wallet;             ///< empty: the configuration's
  std::string psbt_out, signed_file;
  std::string out;                    ///< of an export
  std::string txid, block, conflict;  ///< of settle
  bool unchecked = false, not_paid = false, nothing_signed = false;
};
int payout_command(const PayoutCommandOptions& options);

struct AuditOptions {
  CommonOptions common;
  std::string block;   ///< hash
  bool parts = false;  ///< also print each account's part, as CSV
  std::string slices;  ///< "A-B", instead of a block
};
int audit_command(const AuditOptions& options);

struct KeygenOptions {
  std::string out;  ///< empty: authority.key, or static.cert with `issue`
  bool force = false;
  bool issue = false;
  std::string authority;   ///< with `issue`: file of the signing secret
  std::string static_key;  ///< with `issue`: file of the static key, either half
  std::uint32_t days = 90;
  std::string network = "main";
};
int keygen_command(const KeygenOptions& options);

}  // namespace adit
