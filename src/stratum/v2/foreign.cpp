// SPDX-License-Identifier: MIT
#include "stratum/v2/foreign.h"

#include <algorithm>
#include <string_view>

namespace adit::v2 {
namespace {

constexpr std::size_t kCertain = 8;  // bytes of text that no random key begins with
constexpr std::size_t kHello = 64;
constexpr std::size_t kNameBytes = 8;  // beyond ASCII, that text may have from the start
constexpr std::uint8_t kTlsHandshake = 0x16, kTlsMajor = 3, kTlsClientHello = 1;

bool is_printable(std::uint8_t c) { return c >= ' ' && c <= '~'; }
bool is_space(std::uint8_t c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
/// Bytes beyond ASCII are UTF-8 in some miner's name; control characters are no text.
bool is_text(std::uint8_t c) { return (c >= ' ' && c != 0x7f) || is_space(c); }

}  // namespace

std::optional<Foreign> foreign_protocol(Bytes start) {
  if (start.size() < kCertain) return std::nullopt;
  if (start[0] == kTlsHandshake && start[1] == kTlsMajor && start[2] <= 4 &&
      start[5] == kTlsClientHello && start[6] == 0)  // a ClientHello is shorter than 64 KiB
    return Foreign::Tls;
  if (!std::all_of(start.begin(), start.begin() + kCertain, is_printable)) return std::nullopt;
  // Somebody may choose a key that begins like text; it does not go on so.
  if (!std::all_of(start.begin(), start.end(), is_text)) return std::nullopt;
  const std::string_view text = text_of(start);
  // A port of both protocols hands a key over as soon as it knows that it is none of V1's.
  if ((text.starts_with("{\"") || text.starts_with("{ \"")) && guess_protocol(start) != Guess::V2)
    return Foreign::StratumV1;
  for (const std::string_view verb : {"GET /", "POST /", "HEAD /", "PUT /", "OPTIONS "})
    if (text.starts_with(verb)) return Foreign::Http;
  return std::nullopt;
}

Guess guess_protocol(Bytes start) {
  const Bytes seen = start.first(std::min(start.size(), kHello));
  const auto first = std::find_if_not(seen.begin(), seen.end(), is_space);
  if (first == seen.end()) return seen.size() == kHello ? Guess::V1 : Guess::Unknown;
  if (*first != '{') return Guess::V2;
  std::size_t beyond_ascii = 0;
  std::uint8_t last = 0;  // that is no space
  for (auto at = first; at != seen.end(); ++at) {
    if (*at == '\n') return last == '}' ? Guess::V1 : Guess::V2;
    if (!is_space(*at)) last = *at;
    if (!is_text(*at)) return Guess::V2;
    // Of what came until here, so that a guess stands whatever follows.
    const auto length = static_cast<std::size_t>(at - seen.begin());
    if (*at >= 0x80 && ++beyond_ascii > kNameBytes + length / 4) return Guess::V2;
  }
  return seen.size() == kHello ? Guess::V1 : Guess::Unknown;
}

}  // namespace adit::v2
