// SPDX-License-Identifier: MIT
// Endpoint: where a pool listens, and the plain sockets that reach it. For tools, which may block.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "adit/base/result.h"
#include "adit/base/time.h"

namespace adit::client {

struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
  /// "host:port"; an IPv6 host stands in brackets.
  std::string text() const;
};

/// "host:port" or "[v6]:port", with or without "stratum+tcp://" before and a slash behind.
std::optional<Endpoint> parse_endpoint(std::string_view text);

/// A resolved address, ready for connect().
struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage); }
  /// 127.0.0.0/8 or ::1.
  bool is_loopback() const;
};

Result<Address> resolve(const Endpoint& endpoint);

/// A non-blocking socket without Nagle's delay whose connect() is under way.
Result<int> begin_connect(const Address& address);
/// Waits for the connection; the socket stays non-blocking. The caller closes it.
Result<int> dial(const Endpoint& endpoint, Duration within);

}  // namespace adit::client
