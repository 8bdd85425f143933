// SPDX-License-Identifier: MIT
#include "uv/proxy_protocol.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace adit::uv {
namespace {

using Address = std::array<std::uint8_t, 16>;

constexpr std::string_view kV1 = "PROXY ";
constexpr std::string_view kV2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kV1Max = 107;
constexpr std::size_t kV2Prefix = 16;
constexpr std::size_t kV2BodyMax = 520;
constexpr unsigned kMappedBits = 96;

/// `out` is an in_addr or an in6_addr. A zero byte would end the text early for the C library.
bool parse_host(int family, std::string_view text, void* out) {
  return text.find('\0') == text.npos && inet_pton(family, std::string(text).c_str(), out) == 1;
}

std::optional<in_addr> parse_v4(std::string_view text) {
  in_addr out{};
  return parse_host(AF_INET, text, &out) ? std::optional(out) : std::nullopt;
}

std::optional<in6_addr> parse_v6(std::string_view text) {
  in6_addr out{};
  return parse_host(AF_INET6, text, &out) ? std::optional(out) : std::nullopt;
}

std::string show_v4(const void* address, unsigned port) {
  char text[INET_ADDRSTRLEN] = "";
  inet_ntop(AF_INET, address, text, sizeof text);
  return fmt::format("{}:{}", text, port);
}

std::string show_v6(const void* address, unsigned port) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(AF_INET6, address, text, sizeof text);
  return fmt::format("[{}]:{}", text, port);
}

/// Digits only, no leading zero.
template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  const bool padded = text.size() > 1 && text[0] == '0';
  if (error != std::errc{} || at != end || padded) return std::nullopt;
  return value;
}

/// The text up to the next blank, which is taken as well; the last field takes the rest.
std::string_view take_field(std::string_view& line) {
  const std::size_t blank = std::min(line.find(' '), line.size());
  const std::string_view field = line.substr(0, blank);
  line.remove_prefix(std::min(blank + 1, line.size()));
  return field;
}

/// Type, length and value, one behind the other, filling the space exactly. What they say (ALPN,
/// TLS of the front, a checksum that TCP makes needless) changes nothing here.
bool well_formed_tlvs(Bytes bytes) {
  while (!bytes.empty()) {
    if (bytes.size() < 3) return false;
    const std::size_t length = 3 + std::size_t{load_be16(bytes.data() + 1)};
    if (bytes.size() < length) return false;
    bytes = bytes.subspan(length);
  }
  return true;
}

bool begins_alike(std::string_view text, std::string_view whole) {
  const std::size_t common = std::min(text.size(), whole.size());
  return text.substr(0, common) == whole.substr(0, common);
}

/// Every address as IPv6; IPv4 is mapped (::ffff:a.b.c.d).
std::optional<Address> to_address(std::string_view text, bool& is_v4) {
  Address out{};
  const auto v4 = parse_v4(text);
  is_v4 = v4.has_value();
  if (v4) {
    out[10] = out[11] = 0xff;
    std::memcpy(out.data() + 12, &*v4, 4);
    return out;
  }
  const auto v6 = parse_v6(text);
  if (!v6) return std::nullopt;
  std::memcpy(out.data(), &*v6, 16);
  return out;
}

Address masked(Address address, unsigned bits) {
  for (unsigned i = 0; i < 16; ++i) {
    const unsigned kept = bits > i * 8 ? std::min(bits - i * 8, 8U) : 0;
    address[i] = static_cast<std::uint8_t>(address[i] & (0xff00U >> kept));
  }
  return address;
}

}  // namespace

ProxyParser::State ProxyParser::feed(Bytes bytes, std::size_t& consumed) {
  consumed = 0;
  // One byte at a time: what follows the header belongs to somebody else, and it comes once.
  for (const std::uint8_t byte : bytes) {
    header_.push_back(static_cast<char>(byte));
    ++consumed;
    const State state = judge();
    if (state != State::NeedMore) return state;
  }
  return State::NeedMore;
}

ProxyParser::State ProxyParser::judge() {
  if (begins_alike(header_, kV2)) return judge_v2();
  if (begins_alike(header_, kV1)) return judge_v1();
  return State::Invalid;
}

ProxyParser::State ProxyParser::judge_v1() {
  if (!header_.ends_with("\r\n")) return header_.size() < kV1Max ? State::NeedMore : State::Invalid;
  std::string_view line(header_);
  line.remove_prefix(std::min(kV1.size(), line.size()));
  line.remove_suffix(2);
  // The rest of an UNKNOWN line is to be ignored (section 2.1).
  if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) return State::Done;
  const std::string_view family = take_field(line);
  const std::string_view from = take_field(line);
  const std::string_view to = take_field(line);
  const auto from_port = parse_number<std::uint16_t>(take_field(line));
  const auto to_port = parse_number<std::uint16_t>(line);
  if (!from_port || !to_port) return State::Invalid;
  if (family == "TCP4") {
    const auto v4 = parse_v4(from);
    if (!v4 || !parse_v4(to)) return State::Invalid;
    source_ = show_v4(&*v4, *from_port);
    return State::Done;
  }
  if (family != "TCP6") return State::Invalid;
  const auto v6 = parse_v6(from);
  if (!v6 || !parse_v6(to)) return State::Invalid;
  source_ = show_v6(&*v6, *from_port);
  return State::Done;
}

ProxyParser::State ProxyParser::judge_v2() {
  if (header_.size() < kV2Prefix) return State::NeedMore;
  const Bytes header = bytes_of(header_);
  const std::size_t length = load_be16(header.data() + 14);
  const std::uint8_t command = header[12];
  const std::uint8_t family = header[13];
  if (length > kV2BodyMax || (command != 0x20 && command != 0x21)) return State::Invalid;
  if (header.size() < kV2Prefix + length) return State::NeedMore;
  // LOCAL: the front itself speaks (a health check); its addresses are to be ignored.
  if (command == 0x20) return State::Done;
  const Bytes body = header.subspan(kV2Prefix);
  std::size_t addresses = 0;  // AF_UNSPEC: a real peer, but it is not told which
  if (family == 0x11) {
    addresses = 12;
  } else if (family == 0x21) {
    addresses = 36;
  } else if (family != 0x00) {
    return State::Invalid;  // datagrams and Unix sockets do not lead to a miner
  }
  if (body.size() < addresses) return State::Invalid;
  if (family != 0x00 && !well_formed_tlvs(body.subspan(addresses))) return State::Invalid;
  if (family == 0x11) source_ = show_v4(body.data(), load_be16(body.data() + 8));
  if (family == 0x21) source_ = show_v6(body.data(), load_be16(body.data() + 32));
  return State::Done;
}

Result<NetworkList> NetworkList::parse(const std::vector<std::string>& texts) {
  NetworkList out;
  for (const std::string& text : texts) {
    const std::size_t slash = text.find('/');
    const std::string_view host = std::string_view(text).substr(0, slash);
    bool is_v4 = false;
    const auto address = to_address(host, is_v4);
    unsigned bits = 128;
    if (address && slash != std::string::npos) {
      const auto given = parse_number<unsigned>(std::string_view(text).substr(slash + 1));
      bits = given && *given <= (is_v4 ? 32U : 128U) ? *given + (is_v4 ? kMappedBits : 0) : 129;
    }
    if (!address || bits > 128)
      return Error{ErrorCode::Invalid,
                   fmt::format("\"{}\" is no network; write \"10.0.0.0/8\" or \"::1\"", text)};
    if (masked(*address, bits) != *address)
      return Error{ErrorCode::Invalid,
                   fmt::format("\"{}\" has bits set behind its length; a mistyped network?", text)};
    out.networks_.push_back({*address, bits});
  }
  return out;
}

bool NetworkList::contains(std::string_view host) const {
  bool is_v4 = false;
  const auto address = to_address(host, is_v4);
  return address && std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
           return masked(*address, network.bits) == network.address;
         });
}

}  // namespace adit::uv
