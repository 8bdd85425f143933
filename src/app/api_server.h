// SPDX-License-Identifier: MIT
// ApiServer: the HTTP interface beside a running pool. It reads the books as any other reader does,
// so that no question waits for a share and no share for a question. Thread: the HTTP server's.
#pragma once

#include <memory>

#include "adit/runtime/ports.h"
#include "rocks/rocks_store.h"
#include "uv/http_server.h"

namespace adit {

class ApiServer {
 public:
  /// After the books were opened.
  static Result<std::unique_ptr<ApiServer>> start(Clock& clock, const std::string& data_dir,
                                                  const std::string& listen);
  uv::ListenAddress address() const { return server_->address(); }

 private:
  ApiServer(Clock& clock, std::unique_ptr<RocksStore> books)
      : clock_(&clock), books_(std::move(books)) {}
  uv::HttpResponse answer(const uv::HttpQuestion& question);

  Clock* clock_;
  std::unique_ptr<RocksStore> books_;
  Instant caught_up_{};
  std::unique_ptr<uv::HttpServer> server_;  // last: it ends before what it reads
};

}  // namespace adit
