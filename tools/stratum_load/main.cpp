// SPDX-License-Identifier: MIT
// stratum-load: puts a running Stratum pool on this machine under load and measures it. Exit
// status 0 when the scenario ran as it should, 1 when not, 2 for a wrong command line.
#include <fmt/format.h>
#include <sys/resource.h>

#include "client/command_line.h"
#include "stratum_load/scenarios.h"

namespace adit::load {
namespace {

void raise_file_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int run(const Options& options) {
  const auto address = client::resolve(options.pool.endpoint);
  if (!address || !address->is_loopback()) {
    fmt::print(stderr, "--url: only a server on the loopback interface is put under load\n");
    return 2;
  }
  raise_file_limit();
  Report report;
  report.text("scenario", options.scenario);
  Status status;
  if (options.scenario == "connect" || options.scenario == "handshake")
    status = run_connect(options, *address, report);
  if (options.scenario == "submit") status = run_submit(options, *address, report);
  if (options.scenario == "fan-out") status = run_fan_out(options, *address, report);
  if (options.scenario == "idle") status = run_idle(options, *address, report);
  if (!status) report.text("error", status.error().text);
  report.print(options.json);
  return status ? 0 : 1;
}

}  // namespace
}  // namespace adit::load

int main(int argc, char** argv) {
  adit::load::Options options;
  CLI::App app("Load for a Stratum pool on this machine, V1 or V2.", "stratum-load");
  adit::client::CommandLine line(app, options.pool);
  std::vector<std::string> rpc;
  app.add_option("scenario", options.scenario)
      ->required()
      ->check(CLI::IsMember({"handshake", "connect", "submit", "fan-out", "idle"}));
  app.add_option("--connections", options.connections)
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--in-flight", options.in_flight,
                 "unanswered shares per connection; for handshake, connect: connections at a time")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--shares", options.shares, "end after so many accepted shares");
  app.add_option("--seconds", options.seconds, "end after so long")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  app.add_option("--jobs", options.jobs, "new jobs in fan-out and idle")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--pid", options.server_pid, "the server, to measure its CPU and memory");
  app.add_option("--trigger-rpc", rpc, "http://USER:PASSWORD@HOST:PORT METHOD: brings a new job")
      ->expected(2);
  app.add_option("--trigger-signal", options.signal_pid,
                 "SIGUSR1 to this process brings a new job");
  app.add_flag("--json", options.json);
  if (const auto status = line.parse(argc, argv)) return *status;
  if (options.scenario == "handshake" && !options.pool.is_v2()) {
    fmt::print(stderr, "handshake: only V2 has one\n");
    return 2;
  }
  options.pool.login.agent = "adit-stratum-load/0.1";
  if (rpc.size() == 2) {
    options.rpc_url = rpc[0];
    options.rpc_method = rpc[1];
  }
  return adit::load::run(options);
}
