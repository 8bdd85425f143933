// SPDX-License-Identifier: MIT
// Names, addresses and sockets: see endpoint.h.
#include "client/endpoint.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace adit::client {

namespace {

Error failed(const char* what, int code) {
  return {ErrorCode::Unavailable, fmt::format("{}: {}", what, std::strerror(code))};
}

}  // namespace

std::string Endpoint::text() const {
  const bool v6 = host.find(':') != host.npos;
  return v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  constexpr std::string_view kScheme = "stratum+tcp://";
  if (text.starts_with(kScheme)) text.remove_prefix(kScheme.size());
  if (text.ends_with('/')) text.remove_suffix(1);
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != host.npos) {
    return std::nullopt;
  }
  std::uint16_t port = 0;
  const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  const bool whole = end.ec == std::errc{} && end.ptr == digits.data() + digits.size();
  if (host.empty() || !whole || port == 0) return std::nullopt;
  return Endpoint{std::string(host), port};
}

bool Address::is_loopback() const {
  if (storage.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&storage);
    return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&storage);
  return storage.ss_family == AF_INET6 &&
         std::memcmp(&v6->sin6_addr, &in6addr_loopback, sizeof in6addr_loopback) == 0;
}

Result<Address> resolve(const Endpoint& endpoint) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const std::string port = std::to_string(endpoint.port);
  const int code = getaddrinfo(endpoint.host.c_str(), port.c_str(), &hints, &list);
  if (code != 0)
    return Error{ErrorCode::Unavailable, fmt::format("{}: {}", endpoint.host, gai_strerror(code))};
  Address address;
  std::memcpy(&address.storage, list->ai_addr, list->ai_addrlen);
  address.size = list->ai_addrlen;
  freeaddrinfo(list);
  return address;
}

Result<int> begin_connect(const Address& address) {
  const int fd = socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed("socket", errno);
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(fd, address.raw(), address.size) == 0 || errno == EINPROGRESS) return fd;
  const int code = errno;
  close(fd);
  return failed("connect", code);
}

Result<int> dial(const Endpoint& endpoint, Duration within) {
  const auto address = resolve(endpoint);
  if (!address) return address.error();
  auto fd = begin_connect(*address);
  if (!fd) return fd;
  pollfd waiting{*fd, POLLOUT, 0};
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(within).count();
  int code = 0;
  if (poll(&waiting, 1, static_cast<int>(milliseconds)) <= 0) {
    code = ETIMEDOUT;
  } else {
    socklen_t size = sizeof code;
    getsockopt(*fd, SOL_SOCKET, SO_ERROR, &code, &size);
  }
  if (code == 0) return fd;
  close(*fd);
  return failed("connect", code);
}

}  // namespace adit::client
