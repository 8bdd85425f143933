// SPDX-License-Identifier: MIT
// Pool: the house, built from a Config and taken down in order. The only place that knows every
// thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/api_server.h"
#include "app/config.h"
#include "app/control_server.h"
#include "app/ledger_writer.h"
#include "app/upstream.h"
#include "app/worker.h"
#include "uv/system.h"

namespace adit {

struct PoolHooks {
  std::function<void(const BlockRecord&)> on_block;  ///< from the upstream thread
  bool accept_loss = false;        ///< open books that end before what the high-water mark says
  bool short_certificate = false;  ///< serve V2 although its certificate ends within a day
};

struct PoolTotals {
  std::uint64_t begun = 0, begun_ms = 0;   ///< WorkerCounters
  std::uint64_t jobs = 0, clean_jobs = 0;  ///< clean: miners drop what they have and begin anew
  std::uint64_t connections = 0, accepted = 0, rejected = 0, duplicates = 0;
  std::uint64_t blocks_found = 0, blocks_accepted = 0, height = 0, sequence = 0;
};

class Pool {
 public:
  Pool(Config config, PoolHooks hooks);
  ~Pool();

  /// Opens the books and the vault, listens, starts all threads. An error: nothing runs.
  Status start();
  /// Where it listens, in the order of the configuration; ports are the real ones. V1's without
  /// those of [[stratum.v1.port]].
  const std::vector<uv::ListenAddress>& v1_addresses() const { return v1_addresses_; }
  const std::vector<uv::ListenAddress>& v2_addresses() const { return v2_addresses_; }
  const std::vector<uv::ListenAddress>& auto_addresses() const { return auto_addresses_; }
  /// The key in V2 miners' URLs; valid when V2 is served.
  const XOnlyKey& authority() const { return authority_; }
  /// Sends miners away over `over`, writes what is acknowledged, ends all threads.
  void stop(Duration over);
  /// Takes over what may change while miners are connected (vardiff, also of ports, the size of
  /// V1's extranonce2, and the TLS certificate); names what differs and must wait for the next
  /// start, or nothing. An error: nothing was taken over.
  Result<std::string> reload(const Config& config);
  PoolTotals totals() const;
  /// Any thread.
  PoolMetrics metrics() const;
  /// Of the HTTP interface; nothing where there is none.
  std::optional<uv::ListenAddress> api_address() const {
    return api_ ? std::optional(api_->address()) : std::nullopt;
  }
  /// When the TLS certificate ends; nothing without TLS. The thread that reloads.
  std::optional<UnixMillis> tls_not_after() const;
  /// When Stratum V2's certificate ends; nothing for one that the pool signs itself, and renews.
  std::optional<UnixMillis> v2_not_after() const { return v2_not_after_; }
  const Config& config() const { return config_; }

 private:
  Status open_books();
  Status make_workers();
  Status serve_v2();
  Status listen_all();
  Status listen_ports();
  struct Entrance {
    Protocol protocol = Protocol::V1;
    bool tls = false;
    std::optional<std::size_t> port = std::nullopt;  // of config_.ports; none: no port of its own
  };
  Status listen(const std::vector<std::string>& texts, const Entrance& entrance,
                std::vector<uv::ListenAddress>& listening);
  Status listen(const std::string& text, const Entrance& entrance,
                std::vector<uv::ListenAddress>& listening);
  void make_upstream();
  Status start_api();

  Config config_;
  PoolHooks hooks_;
  uv::OsClock clock_;
  uv::OsEntropy entropy_;
  KeptBlocks kept_;
  std::unique_ptr<LedgerWriter> ledger_;
  std::unique_ptr<ControlServer> control_;
  std::unique_ptr<ApiServer> api_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<Upstream> upstream_;
  PlanPtr first_plan_;  // as the books were opened
  std::vector<uv::ListenAddress> v1_addresses_, v2_addresses_, auto_addresses_, port_addresses_;
  XOnlyKey authority_;
  std::optional<UnixMillis> v2_not_after_;
  std::shared_ptr<const uv::TlsContext> tls_;
  int lock_fd_ = -1;
  bool running_ = false;
};

}  // namespace adit
