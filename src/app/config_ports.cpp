// SPDX-License-Identifier: MIT
#include "app/config_ports.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/coinbase_sizes.h"
#include "app/config_agents.h"
#include "uv/tcp.h"

namespace adit {
namespace {

constexpr std::uint32_t kRollableBits = 0x1fffffe0;  // BIP323, the widest
constexpr std::size_t kPortsMax = 16;
constexpr std::size_t kPortNameMax = 32;

void read_difficulty(TomlTable& table, std::string_view key, std::string_view source,
                     Difficulty& value) {
  const auto text = table.number_text(key, source);
  if (!text) return;
  static const Difficulty least = *Difficulty::parse("1e-10"), most = *Difficulty::parse("1e18");
  const auto parsed = Difficulty::parse(*text);
  if (!parsed || *parsed < least || *parsed > most)
    table.fail(key, "must be a number from 1e-10 to 1e18");
  else
    value = *parsed;
}

/// start, minimum, maximum, shares_per_minute; what is absent stays as it is.
void read_bounds(TomlTable& table, std::string_view source, VardiffOptions& vardiff) {
  read_difficulty(table, "start", source, vardiff.start);
  read_difficulty(table, "minimum", source, vardiff.minimum);
  read_difficulty(table, "maximum", source, vardiff.maximum);
  if (vardiff.minimum > vardiff.maximum) {
    if (table.has("minimum"))
      table.fail("minimum", "is above maximum");
    else
      table.fail("maximum", "is below minimum");
  }
  auto pace = static_cast<std::uint32_t>(vardiff.shares_per_minute);
  table.integer("shares_per_minute", pace, 1, 600);
  vardiff.shares_per_minute = pace;
}

bool is_port_name(std::string_view name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  return !name.empty() && name.size() <= kPortNameMax &&
         std::all_of(name.begin(), name.end(), plain);
}

PortConfig read_port(TomlTable table, std::string_view source, const Config& config) {
  PortConfig port;
  port.version_mask = config.v1.version_mask;
  port.size = config.v1.size;
  port.vardiff = config.vardiff;
  table.text("name", port.name);
  if (!is_port_name(port.name))
    table.fail("name", fmt::format("is required: 1 to {} letters, digits, - or _", kPortNameMax));
  for (const PortConfig& other : config.ports)
    if (other.name == port.name) table.fail("name", "is another port's name too");
  read_listen(table, "listen", port.listen);
  read_listen(table, "tls_listen", port.tls_listen);
  if (port.listen.empty() && port.tls_listen.empty())
    table.fail("listen", "is required (or tls_listen)");
  if (!port.tls_listen.empty() && (config.v1.tls_certificate.empty() || config.v1.tls_key.empty()))
    table.fail("tls_listen", "needs tls_certificate and tls_key in [stratum.v1]");
  read_version_mask(table, port.version_mask);
  read_size(table, config, port.size);
  read_bounds(table, source, port.vardiff);
  table.finish();
  return port;
}

}  // namespace

void read_listen(TomlTable& table, std::string_view key, std::vector<std::string>& addresses) {
  table.texts(key, addresses);
  for (const std::string& text : addresses)
    if (const auto address = uv::parse_listen_address(text); !address)
      table.fail(key, address.error().text);
}

void read_version_mask(TomlTable& table, std::uint32_t& mask) {
  if (!table.has("version_mask")) return;
  std::string text;
  table.text("version_mask", text);
  const auto bits = hex_u32(text);
  if (!bits)
    table.fail("version_mask", "must be eight hex digits");
  else if ((*bits & ~kRollableBits) != 0)
    table.fail("version_mask", "must lie within 1fffffe0: the other bits are not a miner's");
  else
    mask = *bits;
}

void read_vardiff(TomlTable table, std::string_view source, Config& config) {
  read_bounds(table, source, config.vardiff);
  read_agents(table, config.agents, [&](TomlTable& agent, AgentStart& rule) {
    read_difficulty(agent, "start", source, rule.start);
    if (!agent.has("start")) agent.fail("start", "is required");
  });
  table.finish();
}

void read_ports(TomlTable& v1_table, std::string_view source, Config& config) {
  if (!v1_table.has("port")) return;
  std::vector<TomlTable> ports = v1_table.tables("port");
  if (ports.size() > kPortsMax) v1_table.fail("port", fmt::format("at most {} of them", kPortsMax));
  for (std::size_t i = 0; i < std::min(ports.size(), kPortsMax); ++i)
    config.ports.push_back(read_port(std::move(ports[i]), source, config));
}

}  // namespace adit
