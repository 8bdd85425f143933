// SPDX-License-Identifier: MIT
#include "adit/stratum/v2/key_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "adit/bitcoin/base58.h"

namespace adit::v2 {
namespace {

constexpr std::array<std::uint8_t, 2> kVersion = {1, 0};
constexpr std::string_view kDemoKey = "9auqWEzQDVyd2oe1JVGFLMLHZtCo2FFqZwtKA5gd9xbuEu7PH72";

}  // namespace

std::string authority_key_text(const XOnlyKey& key) {
  ByteVec all(kVersion.begin(), kVersion.end());
  append(all, key.bytes);
  return base58check_encode(all);
}

Result<XOnlyKey> parse_authority_key(std::string_view text) {
  const auto wrong = [](std::string_view why) {
    return Error{ErrorCode::Invalid, fmt::format("not a public key of an authority: {}", why)};
  };
  const auto bytes = base58check_decode(text);
  if (!bytes) return wrong("wrong checksum, or characters that base58 does not have");
  if (bytes->size() != kVersion.size() + 32) return wrong("wrong length");
  if (!std::equal(kVersion.begin(), kVersion.end(), bytes->begin())) return wrong("wrong version");
  XOnlyKey key;
  std::copy(bytes->begin() + kVersion.size(), bytes->end(), key.bytes.begin());
  if (!is_valid(key)) return wrong("no point of the curve has this X");
  return key;
}

std::string secret_key_text(const SecretKey& key) { return base58check_encode(key.bytes()); }

Result<SecretKey> parse_secret_key(std::string_view text) {
  auto bytes = base58check_decode(text);
  if (!bytes)
    return Error{ErrorCode::Invalid,
                 "not a secret key: wrong checksum, or characters that base58 does not have"};
  auto key = SecretKey::from_bytes(*bytes);
  wipe(*bytes);
  if (!key) return Error{ErrorCode::Invalid, "not a secret key: wrong length or value"};
  return std::move(*key);
}

std::string pool_url(std::string_view host_and_port, const XOnlyKey& authority) {
  return fmt::format("stratum2+tcp://{}/{}", host_and_port, authority_key_text(authority));
}

bool is_demo_key(const XOnlyKey& key) { return authority_key_text(key) == kDemoKey; }

}  // namespace adit::v2
