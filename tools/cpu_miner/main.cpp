// SPDX-License-Identifier: MIT
// cpu-miner: a Stratum miner on the CPU, V1 or V2, with real hashes, for demos and tests of a pool.
// Exit status 0 when a share was accepted, 1 when none was, 2 for a wrong command line.
#include <fmt/format.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <thread>

#include "adit/crypto/sha256.h"
#include "client/command_line.h"
#include "cpu_miner/digger.h"
#include "cpu_miner/pool_link.h"

namespace adit::miner {
namespace {

/// SIGINT and SIGTERM become readable; before any thread starts.
int signals_as_fd() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return signalfd(-1, &set, SFD_CLOEXEC);
}

void print_summary(const PoolLink& link, std::uint64_t hashes) {
  const Totals& totals = link.totals();
  const double seconds = link.seconds();
  fmt::print(
      "\n{:.1f} s, {} hashes, {:.4f} MH/s ({}), {} connections\n{} shares accepted, {} rejected\n",
      seconds, hashes, static_cast<double>(hashes) / seconds / 1e6, sha256_selected(),
      totals.connections, totals.accepted, totals.rejected);
  for (const auto& [reason, count] : totals.reasons) fmt::print("  {} x {}\n", count, reason);
  std::fflush(stdout);
}

int mine(const Options& options) {
  const int stop_fd = signals_as_fd();
  WorkShelf shelf;
  const double limit = options.limit_mhs * 1e6 / options.threads;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < options.threads; ++i)
    threads.emplace_back([&shelf, limit] { dig(shelf, limit); });
  PoolLink link(options, shelf, stop_fd);
  link.run();
  shelf.stop();
  for (std::thread& thread : threads) thread.join();
  print_summary(link, shelf.hashes);
  close(stop_fd);
  return link.totals().accepted > 0 ? 0 : 1;
}

}  // namespace
}  // namespace adit::miner

int main(int argc, char** argv) {
  adit::miner::Options options;
  CLI::App app("Mines on the CPU for a Stratum pool, V1 or V2.", "cpu-miner");
  adit::client::CommandLine line(app, options.pool);
  app.add_option("--threads", options.threads)->check(CLI::Range(1, 1024))->capture_default_str();
  app.add_option("--limit-mhs", options.limit_mhs,
                 "at most so many million hashes a second, of all threads together; fractions too")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--seconds", options.seconds, "end by itself");
  app.add_flag("--exit-with-parent", options.exit_with_parent, "end when the parent process does");
  app.add_flag("--quiet", options.quiet, "no line per job and share");
  if (const auto status = line.parse(argc, argv)) return *status;
  options.pool.login.agent = "adit-cpu-miner/0.1";
  options.pool.login.hash_rate = options.limit_mhs * 1e6;
  return adit::miner::mine(options);
}
