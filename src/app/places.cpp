// SPDX-License-Identifier: MIT
#include "app/places.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "adit/base/check.h"

namespace adit {
namespace {
constexpr std::size_t kIpv6Prefix = 8;  // a customer has a /64, and all its addresses
constexpr std::size_t kIpv4At = 12;
constexpr std::array<std::uint8_t, kIpv4At> kIpv4Mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
}  // namespace

Source Source::of(const sockaddr_storage& peer) {
  Source source;
  if (peer.ss_family == AF_INET) {
    const auto& address = reinterpret_cast<const sockaddr_in&>(peer);
    std::copy(kIpv4Mapped.begin(), kIpv4Mapped.end(), source.prefix.begin());
    std::memcpy(source.prefix.data() + kIpv4At, &address.sin_addr, 4);
  } else if (peer.ss_family == AF_INET6) {
    const auto& address = reinterpret_cast<const sockaddr_in6&>(peer);
    const bool mapped = std::memcmp(&address.sin6_addr, kIpv4Mapped.data(), kIpv4At) == 0;
    std::memcpy(source.prefix.data(), &address.sin6_addr,
                mapped ? source.prefix.size() : kIpv6Prefix);
  }
  return source;
}

std::string Source::text() const {
  std::array<char, INET6_ADDRSTRLEN> out{};
  if (std::equal(kIpv4Mapped.begin(), kIpv4Mapped.end(), prefix.begin())) {
    inet_ntop(AF_INET, prefix.data() + kIpv4At, out.data(), out.size());
    return out.data();
  }
  inet_ntop(AF_INET6, prefix.data(), out.data(), out.size());
  return std::string(out.data()) + "/64";
}

std::size_t Places::Hash::operator()(const Source& source) const {
  const auto* text = reinterpret_cast<const char*>(source.prefix.data());
  return std::hash<std::string_view>{}({text, source.prefix.size()});
}

Places::Answer Places::enter(const Source& source) {
  const std::lock_guard lock(mutex_);
  if (connections_ >= total_) return Answer::Full;
  Held& held = held_[source];
  if (newcomers_ != 0 && !held.mines && held.connections >= newcomers_)
    return std::exchange(held.told, true) ? Answer::SourceAtBound : Answer::SourceAtBoundFirst;
  ++held.connections;
  ++connections_;
  return Answer::Welcome;
}

void Places::leave(const Source& source) {
  const std::lock_guard lock(mutex_);
  const auto held = held_.find(source);
  CHECK(held != held_.end() && held->second.connections > 0);
  --connections_;
  if (--held->second.connections == 0) held_.erase(held);
}

void Places::mines(const Source& source) {
  const std::lock_guard lock(mutex_);
  const auto held = held_.find(source);
  CHECK(held != held_.end());
  held->second.mines = true;
}

}  // namespace adit
