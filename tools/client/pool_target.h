// SPDX-License-Identifier: MIT
// PoolTarget: which pool, which protocol, who we are: what every tool is told that mines. And the
// Talk that follows from it.
#pragma once

#include <simdjson.h>

#include <memory>
#include <optional>
#include <string_view>

#include "adit/stratum/v2/ephemeral_keys.h"
#include "client/endpoint.h"
#include "client/talk.h"

namespace adit::client {

enum class Protocol : std::uint8_t { V1, V2Standard, V2Extended };

struct PoolTarget {
  Endpoint endpoint;
  Protocol protocol = Protocol::V1;
  std::optional<XOnlyKey> authority;  ///< V2: who must have signed the server's certificate
  Login login;
  bool is_v2() const { return protocol != Protocol::V1; }
};

/// "HOST:PORT" or "stratum+tcp://HOST:PORT" for V1, "stratum2+tcp://HOST:PORT[/KEY]" for V2; V6
/// hosts in brackets. Sets endpoint, protocol and authority.
Status parse_pool_url(std::string_view url, bool extended, PoolTarget& target);

/// What the talks of one thread share. Outlives them.
struct TalkShared {
  explicit TalkShared(std::size_t keys_ahead = 0) : keys(keys_ahead) {}
  simdjson::dom::parser parser;
  v2::EphemeralKeys keys;
  ByteVec payload, wire;  ///< scratch
};

/// From the operating system.
void fill_random(MutableBytes out);

/// `target` and `shared` outlive the talk.
std::unique_ptr<Talk> make_talk(const PoolTarget& target, TalkShared& shared);

}  // namespace adit::client
