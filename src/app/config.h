// SPDX-License-Identifier: MIT
// Every setting of a pool, with its unit, its default and its limits. config/adit.toml is the
// commented reference; a test keeps the two together. Reading is total: any text gives a Config or
// an error that names file, line and key.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "adit/base/result.h"
#include "adit/bitcoin/address.h"
#include "adit/mining/vardiff.h"
#include "adit/payout/terms.h"
#include "adit/stratum/agents.h"

namespace adit {

struct PoolConfig {
  std::string name = "Adit pool";
  Network network = Network::Main;
  std::string coinbase_tag = "/adit/";
  Address payout;  ///< required
  SchemeKind scheme = SchemeKind::Pplns;
  std::uint32_t fee_basis_points = 0;
  std::uint8_t instance = 0;  ///< of several pools on one name: first byte of every extranonce
  bool accept_names = true;   ///< names that are no address are booked to `payout`
  bool operator==(const PoolConfig&) const = default;
};

struct NodeConfig {
  std::string rpc;  ///< http://host:port
  std::string cookie_file;
  std::string user, password;
  std::string zmq_hashblock;  ///< empty: long poll and polling only
  bool operator==(const NodeConfig&) const = default;
};

/// More makes coinbases that some firmware cannot hash, and every job longer.
inline constexpr std::int64_t kCoinbaseWeightMax = 100'000;
inline constexpr std::uint64_t kCoinbaseWeight = 8'000;

/// Of the work of a V1 port, where a plan pays accounts in the coinbase.
struct CoinbaseSize {
  std::uint64_t coinbase_weight = kCoinbaseWeight;  ///< of the accounts' outputs
  bool small_coinbases = true;  ///< false: one size for everybody; refuse who is to have less
  bool operator==(const CoinbaseSize&) const = default;
};

struct StratumV1Config {
  std::vector<std::string> listen = {"0.0.0.0:3333", "[::]:3333"};
  std::vector<std::string> tls_listen;
  std::string tls_certificate, tls_key;
  std::uint8_t extranonce2_size = 8;
  std::uint32_t version_mask = 0x1fffe000;
  std::vector<std::string> proxy_from;       ///< peers (CIDR) that speak the PROXY protocol
  std::uint32_t max_connections = 10'000;    ///< on all ports together, of every protocol
  std::uint32_t accepts_per_second = 2'000;  ///< likewise; 0: no limit
  /// Likewise, from one address until one of them has had a share accepted; 0: no limit.
  std::uint32_t newcomers_per_source = 256;
  CoinbaseSize size;  ///< unless set, [payout]'s
  bool operator==(const StratumV1Config&) const = default;
};

/// A port for miners of a kind. What the file does not say of it is [stratum.v1]'s and [vardiff]'s.
struct PortConfig {
  std::string name;  ///< for logs, and what a reload knows it by
  std::vector<std::string> listen, tls_listen;
  std::uint32_t version_mask = 0;
  CoinbaseSize size;
  VardiffOptions vardiff;
};

struct StratumV2Config {
  std::vector<std::string> listen;  ///< empty: no port for V2 alone
  /// Either this one (certificates are signed here)...
  std::string authority_secret_file;
  /// ...or these two (signed elsewhere, adit keygen --issue). Files are checked when the
  /// configuration is read, and read again when the pool starts.
  std::string certificate_file, static_secret_file;
  std::uint32_t version_mask = 0x1fffffe0;  ///< BIP323; or 0x1fffe000; 0: no rolling
  std::uint32_t channels_per_connection = 128;
  std::uint32_t certificate_days = 7;  ///< of certificates signed here; renewed long before
  bool has_key() const { return !authority_secret_file.empty() || !certificate_file.empty(); }
  bool operator==(const StratumV2Config&) const = default;
};

/// Ports that serve both protocols: the first bytes of a connection tell which.
struct StratumAutoConfig {
  std::vector<std::string> listen;
  bool operator==(const StratumAutoConfig&) const = default;
};

struct LedgerConfig {
  bool sync = true;  ///< durability = "sync"
  std::uint32_t share_retention_days = 30;
  bool operator==(const LedgerConfig&) const = default;
};

struct PayoutConfig {
  PayWay way = PayWay::Wallet;  ///< solo: Coinbase
  std::uint32_t factor = 2;     ///< pplns: the window in network difficulties
  Satoshi minimum{100'000};     ///< of an output; with way Coinbase 1,048,576 unless set
  std::uint64_t coinbase_weight = kCoinbaseWeight;  ///< the largest; other sizes are V1's
  std::vector<AgentSize> agents;                    ///< [[payout.agent]]
  std::uint32_t max_outputs = 500;                  ///< of one payment
  std::string wallet;                               ///< bitcoind's, by name; empty: its only one
  std::uint32_t fee_rate_max = 100;                 ///< satoshi a virtual byte
  bool operator==(const PayoutConfig&) const = default;
};

struct ApiConfig {
  std::string listen;  ///< of the HTTP interface; empty: there is none
  bool operator==(const ApiConfig&) const = default;
};

struct Config {
  std::string source;  ///< the file it came from, for messages
  std::string data_dir = "/var/lib/adit";
  std::uint32_t workers = 0;  ///< threads that speak to miners; 0: cores - 1, at least 1
  PoolConfig pool;
  std::vector<NodeConfig> nodes;
  StratumV1Config v1;
  std::vector<PortConfig> ports;  ///< [[stratum.v1.port]]
  StratumV2Config v2;
  StratumAutoConfig both;  ///< [stratum.auto]
  VardiffOptions vardiff;
  std::vector<AgentStart> agents;  ///< [[vardiff.agent]]
  LedgerConfig ledger;
  PayoutConfig payout;
  ApiConfig api;
  std::vector<std::string> warnings;  ///< things an operator should hear at start
};

inline bool serves_v2(const Config& config) {
  return !config.v2.listen.empty() || !config.both.listen.empty();
}

inline bool serves_tls(const Config& config) {
  return !config.v1.tls_listen.empty() ||
         std::any_of(config.ports.begin(), config.ports.end(),
                     [](const PortConfig& port) { return !port.tls_listen.empty(); });
}

/// Every bit that some V1 miner may roll.
inline std::uint32_t rollable_bits(const Config& config) {
  std::uint32_t bits = config.v1.version_mask;
  for (const PortConfig& port : config.ports) bits |= port.version_mask;
  return bits;
}

/// Coinbases have accounts' outputs, and whose is worked out ahead (solo: only the miner's own).
inline bool pays_by_plan(const Config& config) {
  const SchemeKind scheme = config.pool.scheme;
  return config.payout.way == PayWay::Coinbase &&
         (scheme == SchemeKind::Pplns || scheme == SchemeKind::Prop);
}

PayoutTerms terms_of(const Config& config);

/// `name` stands in messages; relative paths in the text are taken from its folder.
Result<Config> parse_config(std::string_view text, const std::string& name);
Result<Config> load_config(const std::string& path);

}  // namespace adit
