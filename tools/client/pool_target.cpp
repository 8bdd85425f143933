// SPDX-License-Identifier: MIT
// URLs and the choice of protocol: see pool_target.h.
#include "client/pool_target.h"

#include <fmt/format.h>
#include <sys/random.h>

#include "adit/base/check.h"
#include "adit/stratum/v2/key_text.h"
#include "v1_client/v1_talk.h"
#include "v2_client/v2_talk.h"

namespace adit::client {

Status parse_pool_url(std::string_view url, bool extended, PoolTarget& target) {
  constexpr std::string_view kScheme = "stratum2+tcp://";
  const bool v2 = url.starts_with(kScheme);
  std::string_view place = url, key;
  if (v2) {
    place.remove_prefix(kScheme.size());
    const std::size_t slash = place.find('/');
    if (slash != place.npos) {
      key = place.substr(slash + 1);
      place = place.substr(0, slash);
    }
  }
  const auto endpoint = parse_endpoint(place);
  if (!endpoint)
    return Error{
        ErrorCode::Invalid,
        fmt::format("HOST:PORT or stratum2+tcp://HOST:PORT/KEY is wanted, not \"{}\"", url)};
  target.endpoint = *endpoint;
  target.protocol = !v2 ? Protocol::V1 : extended ? Protocol::V2Extended : Protocol::V2Standard;
  target.authority.reset();
  if (key.empty()) return {};
  const auto authority = v2::parse_authority_key(key);
  if (!authority) return authority.error();
  target.authority = *authority;
  return {};
}

void fill_random(MutableBytes out) {
  while (!out.empty()) {
    const ssize_t got = getrandom(out.data(), out.size(), 0);
    if (got > 0) out = out.subspan(static_cast<std::size_t>(got));
  }
}

std::unique_ptr<Talk> make_talk(const PoolTarget& target, TalkShared& shared) {
  if (!target.is_v2()) return std::make_unique<V1Talk>(target.login, shared.parser);
  V2Options options;
  options.extended = target.protocol == Protocol::V2Extended;
  options.authority = target.authority;
  options.host = target.endpoint.host;
  options.port = target.endpoint.port;
  return std::make_unique<V2Talk>(target.login, options, shared.keys.take(fill_random),
                                  V2Talk::Scratch{shared.payload, shared.wire});
}

}  // namespace adit::client
