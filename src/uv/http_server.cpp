// SPDX-License-Identifier: MIT
#include "uv/http_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <microhttpd.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace adit::uv {
namespace {

constexpr unsigned kTimeoutSeconds = 10;
constexpr std::size_t kMemoryPerConnection = 16 * 1024;
constexpr std::size_t kPathMax = 1024;
constexpr std::size_t kQueryMax = 16;

bool is_loopback(const ListenAddress& address) {
  const std::string host = address.host();
  return host.starts_with("127.") || host == "::1";
}

/// "localhost:8080", "127.0.0.1", "[::1]:8080".
bool names_loopback(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']')) == "[::1";
  const std::string name(host.substr(0, host.find(':')));
  in_addr parsed{};
  if (inet_pton(AF_INET, name.c_str(), &parsed) == 1) return ntohl(parsed.s_addr) >> 24 == 127;
  return name == "localhost";
}

MHD_Result send(MHD_Connection* connection, const HttpResponse& reply) {
  MHD_Response* response = MHD_create_response_from_buffer(
      reply.body.size(), const_cast<char*>(reply.body.data()), MHD_RESPMEM_MUST_COPY);
  if (response == nullptr) return MHD_NO;
  for (const auto& [name, value] : {std::pair("Content-Type", reply.type.c_str()),
                                    {"Cache-Control", "no-store"},
                                    {"X-Content-Type-Options", "nosniff"},
                                    {"Content-Security-Policy", "default-src 'none'"}})
    MHD_add_response_header(response, name, value);
  if (reply.status == 405) MHD_add_response_header(response, "Allow", "GET, HEAD");
  const auto queued = MHD_queue_response(connection, static_cast<unsigned>(reply.status), response);
  MHD_destroy_response(response);
  return queued;
}

HttpResponse plain(int status, std::string text) {
  return {status, "text/plain", std::move(text) + "\n"};
}

MHD_Result add_pair(void* into, MHD_ValueKind, const char* key, const char* value) {
  auto& query = *static_cast<std::vector<std::pair<std::string, std::string>>*>(into);
  if (query.size() > kQueryMax) return MHD_NO;
  query.emplace_back(key, value == nullptr ? "" : value);
  return MHD_YES;
}

}  // namespace

struct HttpServer::Impl {
  Handler handler;
  bool only_loopback = false;
  MHD_Daemon* daemon = nullptr;

  ~Impl() {
    if (daemon != nullptr) MHD_stop_daemon(daemon);
  }

  HttpResponse reply(MHD_Connection* connection, std::string_view path, std::string_view method) {
    if (method != "GET" && method != "HEAD") return plain(405, "only GET and HEAD");
    const char* host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host");
    if (only_loopback && (host == nullptr || !names_loopback(host)))
      return plain(403, "this server answers for localhost only");
    for (const char* of_a_body : {"Content-Length", "Transfer-Encoding"})
      if (MHD_lookup_connection_value(connection, MHD_HEADER_KIND, of_a_body) != nullptr)
        return plain(400, "a question has no body");
    if (path.size() > kPathMax) return plain(414, "the path is too long");
    HttpQuestion question{std::string(path), {}};
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, add_pair, &question.query);
    if (question.query.size() > kQueryMax) return plain(400, "too many parameters");
    return handler(question);
  }

  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url,
                               const char* method, const char*, const char*, std::size_t* size,
                               void** seen) {
    // Called for the head, and again when all was read.
    if (*seen == nullptr) {
      *seen = self;
      return MHD_YES;
    }
    if (*size != 0) {  // never looked at; the head says 400 already
      *size = 0;
      return MHD_YES;
    }
    return send(connection, static_cast<Impl*>(self)->reply(connection, url, method));
  }
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl, ListenAddress address)
    : impl_(std::move(impl)), address_(address) {}
HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::listen(const ListenAddress& address,
                                                       Handler handler) {
  if (const Status free = check_port_free(address); !free) return free.error();
  auto impl = std::make_unique<Impl>();
  impl->handler = std::move(handler);
  impl->only_loopback = is_loopback(address);
  unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL;
  if (address.address.ss_family == AF_INET6) flags |= MHD_USE_IPv6;
  impl->daemon =
      MHD_start_daemon(flags, address.port(), nullptr, nullptr, &Impl::on_request, impl.get(),
                       MHD_OPTION_SOCK_ADDR, reinterpret_cast<const sockaddr*>(&address.address),
                       MHD_OPTION_CONNECTION_LIMIT, kConnections, MHD_OPTION_CONNECTION_TIMEOUT,
                       kTimeoutSeconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT, kMemoryPerConnection,
                       MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
  if (impl->daemon == nullptr)
    return Error{ErrorCode::Io,
                 fmt::format("cannot listen on {}: {}", address.text(), std::strerror(errno))};
  ListenAddress real = address;
  const auto* info = MHD_get_daemon_info(impl->daemon, MHD_DAEMON_INFO_LISTEN_FD);
  socklen_t length = sizeof real.address;
  if (info != nullptr)
    getsockname(info->listen_fd, reinterpret_cast<sockaddr*>(&real.address), &length);
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl), real));
}

}  // namespace adit::uv
