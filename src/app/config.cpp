// SPDX-License-Identifier: MIT
// From TOML text to a whole, checked Config. Half a configuration never leaves this file.
#include "app/config.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "app/coinbase_sizes.h"
#include "app/config_payout.h"
#include "app/config_ports.h"
#include "app/credentials.h"
#include "app/key_files.h"
#include "app/toml_reader.h"
#include "uv/proxy_protocol.h"
#include "uv/tcp.h"

namespace adit {
namespace {

constexpr std::string_view kNeedsKey =
    "needs authority_secret_file (adit keygen makes one), or certificate_file with "
    "static_secret_file";

std::string path_from(const std::string& file, const std::string& path) {
  const std::size_t slash = file.rfind('/');
  if (path.empty() || path.front() == '/' || slash == std::string::npos) return path;
  return file.substr(0, slash + 1) + path;
}

/// Private key 1, in BIP173's examples and half of all documentation: whoever pays it pays the
/// quickest of its many owners.
bool has_a_key_of_everybodys(const Script& script) {
  constexpr std::string_view kPrograms[] = {
      "751e76e8199196d454941c45d1b3a323f1433bd6",
      "1863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262"};
  const std::string hex = to_hex(script);
  return std::any_of(std::begin(kPrograms), std::end(kPrograms),
                     [&](std::string_view program) { return hex.find(program) != hex.npos; });
}

void read_pool(TomlTable table, PoolConfig& pool) {
  table.text("name", pool.name);
  std::string network = "main", address;
  table.text("network", network);
  if (const auto found = network_from_name(network)) {
    pool.network = *found;
  } else {
    table.fail("network", "must be main, testnet4, signet or regtest");
  }
  table.text("coinbase_tag", pool.coinbase_tag);
  if (pool.coinbase_tag.size() > 60) table.fail("coinbase_tag", "is longer than 60 bytes");
  for (const char c : pool.coinbase_tag)
    if (c < 0x20 || c > 0x7e) table.fail("coinbase_tag", "must be printable ASCII");
  table.text("payout_address", address);
  if (address.empty()) {
    table.fail("payout_address", "is required: the pool's own address");
  } else if (auto parsed = parse_address(address, pool.network)) {
    pool.payout = *parsed;
    if (parsed->future_witness)
      table.fail("payout_address",
                 "is of a witness version that has no rules yet: anyone could spend from it");
    if (pool.network == Network::Main && has_a_key_of_everybodys(parsed->script))
      table.fail("payout_address", "is a standard's example, whose key everybody has");
  } else {
    table.fail("payout_address", fmt::format("\"{}\": {}", address, parsed.error().text));
  }
  read_scheme(table, pool);
  table.integer("instance", pool.instance, 0, 255);
  table.boolean("accept_names", pool.accept_names);
  table.finish();
}

NodeConfig read_node(TomlTable table, const std::string& file) {
  NodeConfig node;
  table.text("rpc", node.rpc);
  if (!node.rpc.starts_with("http://") && !node.rpc.starts_with("https://"))
    table.fail("rpc", "is required and must be like \"http://127.0.0.1:8332\"");
  if (const std::size_t at = node.rpc.find('@'); at != node.rpc.npos)
    table.fail("rpc", "must not carry a password, for it is logged: use user and password");
  table.text("cookie_file", node.cookie_file);
  table.text("user", node.user);
  table.text("password", node.password);
  std::string password_file;
  table.text("password_file", password_file);
  if (!password_file.empty()) {
    auto line = first_line_of(path_from(file, password_file));
    if (line)
      node.password = *line;
    else
      table.fail("password_file", line.error().text);
  }
  if (node.cookie_file.empty() == node.user.empty())
    table.fail("cookie_file", "give either cookie_file, or user with password or password_file");
  if (!node.cookie_file.empty() && !node.password.empty())
    table.fail("password", "belongs to user, not to cookie_file");
  node.cookie_file = path_from(file, node.cookie_file);
  table.text("zmq_hashblock", node.zmq_hashblock);
  if (const std::string& zmq = node.zmq_hashblock;
      !zmq.empty() && !zmq.starts_with("tcp://") && !zmq.starts_with("ipc://"))
    table.fail("zmq_hashblock", "must be like \"tcp://127.0.0.1:28332\" or \"ipc:///path\"");
  table.finish();
  return node;
}

void read_v1(TomlTable table, std::string_view source, Config& config) {
  StratumV1Config& v1 = config.v1;
  read_listen(table, "listen", v1.listen);
  read_listen(table, "tls_listen", v1.tls_listen);
  table.text("tls_certificate", v1.tls_certificate);
  table.text("tls_key", v1.tls_key);
  if (!v1.tls_listen.empty() && (v1.tls_certificate.empty() || v1.tls_key.empty()))
    table.fail("tls_listen", "needs tls_certificate and tls_key");
  v1.tls_certificate = path_from(config.source, v1.tls_certificate);
  v1.tls_key = path_from(config.source, v1.tls_key);
  read_version_mask(table, v1.version_mask);
  read_size(table, config, v1.size);
  read_ports(table, source, config);
  for (const auto& [key, path] :
       {std::pair("tls_certificate", v1.tls_certificate), {"tls_key", v1.tls_key}})
    if (serves_tls(config) && !path.empty() && access(path.c_str(), R_OK) != 0)
      table.fail(key, fmt::format("{} cannot be read: {}", path, std::strerror(errno)));
  table.integer("extranonce2_size", v1.extranonce2_size, 4, 8);
  table.texts("proxy_from", v1.proxy_from);
  if (const auto networks = uv::NetworkList::parse(v1.proxy_from); !networks)
    table.fail("proxy_from", networks.error().text);
  table.integer("max_connections", v1.max_connections, 1, 1'000'000);
  table.integer("accepts_per_second", v1.accepts_per_second, 0, 1'000'000);
  table.integer("newcomers_per_source", v1.newcomers_per_source, 0, 1'000'000);
  table.finish();
}

/// What the file holds; an error is reported at its key.
template <class Read>
auto read_key_file(TomlTable& table, const std::string& key, const std::string& path, Read read) {
  auto found = read(path);
  if (!found) table.fail(key, found.error().text);
  return found;
}

void warn_if_readable(const std::string& path, std::vector<std::string>& warnings) {
  if (is_readable_by_others(path))
    warnings.push_back(fmt::format("{} can be read by other users: chmod 600 it", path));
}

void check_v2_keys(TomlTable& table, const StratumV2Config& v2, Network network,
                   std::vector<std::string>& warnings) {
  const auto refuse_demo = [&](const std::string& key, const XOnlyKey& authority) {
    if (const Status good = refuse_demo_key(authority, network); !good)
      table.fail(key, good.error().text);
  };
  if (!v2.authority_secret_file.empty()) {
    const std::string key = "authority_secret_file";
    if (access(v2.authority_secret_file.c_str(), F_OK) != 0)
      return table.fail(key, fmt::format("{0} does not exist; make it with: adit keygen --out {0}",
                                         v2.authority_secret_file));
    const auto secret = read_key_file(table, key, v2.authority_secret_file, read_secret_key);
    if (!secret) return;
    refuse_demo(key, public_key_of(*secret));
    return warn_if_readable(v2.authority_secret_file, warnings);
  }
  const auto issued =
      read_key_file(table, "certificate_file", v2.certificate_file, read_certificate);
  if (issued) refuse_demo("certificate_file", issued->authority);
  (void)read_key_file(table, "static_secret_file", v2.static_secret_file, read_secret_key);
  warn_if_readable(v2.static_secret_file, warnings);
}

void read_v2(TomlTable table, const Config& config, StratumV2Config& v2,
             std::vector<std::string>& warnings) {
  read_listen(table, "listen", v2.listen);
  for (const auto& [key, value] :
       {std::pair<const char*, std::string*>{"authority_secret_file", &v2.authority_secret_file},
        {"certificate_file", &v2.certificate_file},
        {"static_secret_file", &v2.static_secret_file}}) {
    table.text(key, *value);
    *value = path_from(config.source, *value);
  }
  std::string mask = "1fffffe0";
  table.text("version_mask", mask);
  if (mask == "1fffffe0" || mask == "1fffe000" || mask == "00000000")
    v2.version_mask = *hex_u32(mask);
  else
    table.fail("version_mask", "must be \"1fffffe0\", \"1fffe000\" or \"00000000\"");
  table.integer("channels_per_connection", v2.channels_per_connection, 1, 10'000);
  table.integer("certificate_days", v2.certificate_days, 1, 3'650);
  if (v2.certificate_file.empty() != v2.static_secret_file.empty())
    table.fail(v2.certificate_file.empty() ? "static_secret_file" : "certificate_file",
               "certificate_file and static_secret_file belong together");
  else if (!v2.authority_secret_file.empty() && !v2.certificate_file.empty())
    table.fail("certificate_file", "give either it or authority_secret_file");
  else if (v2.has_key())
    check_v2_keys(table, v2, config.pool.network, warnings);
  else if (!v2.listen.empty())
    table.fail("listen", std::string(kNeedsKey));
  table.finish();
}

void read_auto(TomlTable table, bool has_key, StratumAutoConfig& both) {
  read_listen(table, "listen", both.listen);
  if (!both.listen.empty() && !has_key)
    table.fail("listen", "[stratum.v2] " + std::string(kNeedsKey));
  table.finish();
}

void read_api(TomlTable table, ApiConfig& api) {
  table.text("listen", api.listen);
  if (!api.listen.empty())
    if (const auto address = uv::parse_listen_address(api.listen); !address)
      table.fail("listen", address.error().text);
  table.finish();
}

void read_ledger(TomlTable table, LedgerConfig& ledger) {
  std::string durability = "sync";
  table.text("durability", durability);
  if (durability != "sync" && durability != "relaxed")
    table.fail("durability", "must be sync or relaxed");
  ledger.sync = durability == "sync";
  table.integer("share_retention_days", ledger.share_retention_days, 0, 36'500);
  table.finish();
}

}  // namespace

Result<Config> parse_config(std::string_view text, const std::string& name) {
  const toml::parse_result parsed = toml::parse(text, name);
  if (!parsed) {
    const auto& error = parsed.error();
    return Error{ErrorCode::Invalid, fmt::format("{}:{}: {}", name, error.source().begin.line,
                                                 std::string(error.description()))};
  }
  TomlProblem problem{name, std::nullopt};
  TomlTable root(&parsed.table(), "", problem);
  Config config;
  config.source = name;
  root.text("data_dir", config.data_dir);
  config.data_dir = path_from(name, config.data_dir);
  root.integer("workers", config.workers, 0, 255);
  read_pool(root.table("pool"), config.pool);
  for (TomlTable& table : root.tables("node"))
    config.nodes.push_back(read_node(std::move(table), name));
  if (config.nodes.empty()) root.fail("node", "at least one [[node]] is required");
  read_vardiff(root.table("vardiff"), text, config);
  read_payout(root.table("payout"), config);
  TomlTable stratum = root.table("stratum");
  read_v1(stratum.table("v1"), text, config);
  read_v2(stratum.table("v2"), config, config.v2, config.warnings);
  read_auto(stratum.table("auto"), config.v2.has_key(), config.both);
  read_api(root.table("api"), config.api);
  stratum.finish();
  read_ledger(root.table("ledger"), config.ledger);
  root.finish();
  if (problem.worst()) return *problem.worst();
  return config;
}

Result<Config> load_config(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  if (!file) return Error{ErrorCode::NotFound, fmt::format("{}: cannot be read", path)};
  std::string text(1 << 20, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (text.size() == 1 << 20) return Error{ErrorCode::Limit, path + ": longer than 1 MiB"};
  return parse_config(text, path);
}

}  // namespace adit
