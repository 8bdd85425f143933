// SPDX-License-Identifier: MIT
// A small HTTP server on a thread of its own (libmicrohttpd), for reading only: GET and HEAD, no
// bodies, bounded connections, memory and time. What it is lax about is refused here.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "adit/base/result.h"
#include "uv/tcp.h"

namespace adit::uv {

struct HttpQuestion {
  std::string path;  ///< percent-decoded, at most 1 KiB
  std::vector<std::pair<std::string, std::string>> query;
};

struct HttpResponse {
  int status = 200;
  std::string type;
  std::string body;
};

class HttpServer {
 public:
  /// Called on the server's thread, one question at a time.
  using Handler = std::function<HttpResponse(const HttpQuestion&)>;
  static constexpr unsigned kConnections = 64;

  /// Listens at once. On a loopback address only questions for a loopback host are answered, so
  /// that a web page cannot ask through a name that it points here (DNS rebinding).
  static Result<std::unique_ptr<HttpServer>> listen(const ListenAddress& address, Handler handler);
  ~HttpServer();  ///< ends the thread; a question under way is answered first
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ListenAddress address() const { return address_; }

 private:
  struct Impl;
  HttpServer(std::unique_ptr<Impl> impl, ListenAddress address);
  std::unique_ptr<Impl> impl_;
  ListenAddress address_;
};

}  // namespace adit::uv
