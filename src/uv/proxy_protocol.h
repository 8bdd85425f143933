// SPDX-License-Identifier: MIT
// The PROXY protocol, versions 1 and 2 (haproxy's proxy-protocol.txt): who really connects, told by
// a load balancer. Believed only from listed peers; anything but one well-formed header is invalid.
// Pure: bytes in, a verdict out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "adit/base/bytes.h"
#include "adit/base/result.h"

namespace adit::uv {

class ProxyParser {
 public:
  enum class State { NeedMore, Done, Invalid };
  /// Feeds bytes; `consumed` says how many of them belong to the header. After Done or Invalid: no
  /// more calls. Version 1 is at most 107 bytes, version 2 at most 536.
  State feed(Bytes bytes, std::size_t& consumed);
  /// The address of the real peer, "1.2.3.4:555"; empty for LOCAL and UNKNOWN (the connection's own
  /// then).
  const std::string& source() const { return source_; }

 private:
  State judge();
  State judge_v1();
  State judge_v2();
  std::string header_;
  std::string source_;
};

/// A list of networks: "10.0.0.0/8", "::1/128", "127.0.0.1".
class NetworkList {
 public:
  static Result<NetworkList> parse(const std::vector<std::string>& texts);
  bool contains(std::string_view host) const;  ///< a numeric address
  bool empty() const { return networks_.empty(); }

 private:
  struct Network {
    std::array<std::uint8_t, 16> address{};
    unsigned bits = 0;  // of 128; IPv4 is mapped
  };
  std::vector<Network> networks_;
};

}  // namespace adit::uv
