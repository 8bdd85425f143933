// SPDX-License-Identifier: MIT
// ApiServer: the HTTP interface beside a running pool. It reads the books as any other reader does,
// so that no question waits for a share and no share for a question; who is connected it asks the
// worker threads. Thread: the HTTP server's.
#pragma once

#include <memory>

#include "adit/api/routes.h"
#include "adit/runtime/ports.h"
#include "app/live_asker.h"
#include "rocks/rocks_store.h"
#include "uv/http_server.h"

namespace adit {

struct ApiOptions {
  std::string data_dir, listen;
  Network network = Network::Main;
};
/// Ways into the running pool; called from the HTTP server's thread.
struct ApiLinks {
  std::size_t threads = 0;
  LiveAsker::Post ask;
  std::function<PoolMetrics()> metrics;
};

class ApiServer final : private LivePool {
 public:
  /// After the books were opened.
  static Result<std::unique_ptr<ApiServer>> start(Clock& clock, const ApiOptions& options,
                                                  ApiLinks links);
  uv::ListenAddress address() const { return server_->address(); }
  /// The worker threads are about to end: nobody waits for them any more. Any thread.
  void no_more_live() { asker_.stop(); }

 private:
  ApiServer(Clock& clock, const ApiOptions& options, ApiLinks links,
            std::unique_ptr<RocksStore> books);
  uv::HttpResponse answer(const uv::HttpQuestion& question);
  Result<std::vector<LiveWorkers>> who_mines(const LiveQuestion& question) override {
    return asker_.ask(question);
  }
  PoolMetrics metrics() override { return metrics_(); }

  Clock* clock_;
  Network network_;
  LiveAsker asker_;
  std::function<PoolMetrics()> metrics_;
  std::unique_ptr<RocksStore> books_;
  BookTotals totals_;
  Instant caught_up_{};
  std::unique_ptr<uv::HttpServer> server_;  // last: it ends before what it reads
};

}  // namespace adit
