// SPDX-License-Identifier: MIT
// Places: how many connections there may be, in all and from one source, so that nobody takes every
// place without mining. One for all workers of a pool; any thread. Asked when a connection comes,
// goes, or has its first share accepted: never on the way of the others.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace adit {

/// Whose connections count together: an IPv4 address, or the /64 of an IPv6 one.
struct Source {
  std::array<std::uint8_t, 16> prefix{};  ///< IPv4 as ::ffff:a.b.c.d
  static Source of(const sockaddr_storage& peer);
  std::string text() const;  ///< "10.1.2.3", "2001:db8:1:2::/64"
  bool operator==(const Source&) const = default;
};

class Places {
 public:
  /// `newcomers` bounds the connections of a source until one of them has had a share accepted;
  /// then `total` alone counts, for a farm behind one address is many miners. 0: no such bound.
  Places(std::uint32_t total, std::uint32_t newcomers) : total_(total), newcomers_(newcomers) {}

  enum class Answer : std::uint8_t {
    Welcome,             ///< leave() follows
    Full,                ///< nobody comes in
    SourceAtBound,       ///< nobody of this source, until it mines
    SourceAtBoundFirst,  ///< likewise, and nobody was told: worth a line in the log
  };
  Answer enter(const Source& source);
  void leave(const Source& source);
  /// A share of this source was accepted. Between its enter() and its leave().
  void mines(const Source& source);

 private:
  struct Held {
    std::uint32_t connections = 0;
    bool mines = false;
    bool told = false;
  };
  struct Hash {
    std::size_t operator()(const Source& source) const;
  };
  const std::uint32_t total_, newcomers_;
  std::mutex mutex_;
  std::uint32_t connections_ = 0;
  std::unordered_map<Source, Held, Hash> held_;  // of sources with connections: at most total_
};

}  // namespace adit
