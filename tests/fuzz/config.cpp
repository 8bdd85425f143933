// SPDX-License-Identifier: MIT
// Any text as a configuration: read, or an error that names the file and a line; nothing thrown.
#include "app/config.h"

#include "fuzz.h"

namespace adit::fuzz {

void one(Bytes input) {
  const auto config = parse_config(text_of(input), "pool.toml");
  if (!config.ok()) ADIT_CHECK(config.error().text.starts_with("pool.toml"));
}

std::vector<std::string> seeds() {
  return {R"(data_dir = "x"
workers = 2
[pool]
name = "p"
network = "regtest"
payout_address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
scheme = "pplns"
fee = "1.5%"
[[node]]
rpc = "http://127.0.0.1:18443"
user = "u"
password = "p"
zmq_hashblock = "tcp://127.0.0.1:28332"
[stratum.v1]
listen = ["127.0.0.1:0", "[::1]:0"]
extranonce2_size = 8
version_mask = "1fffe000"
proxy_from = ["10.0.0.0/8"]
[vardiff]
start = 1024.0
minimum = 0.0001
maximum = 1e12
shares_per_minute = 15
[ledger]
durability = "relaxed"
share_retention_days = 30
[api]
listen = "127.0.0.1:8080"
)",
          "[pool]\nscheme = \"solo\"\nfee = \"0%\"\nnetwork = \"main\"\n", "data_dir = 7\n",
          "[payout]\nway = \"coinbase\"\nfactor = 8\nminimum = \"0.01\"\n"};
}

}  // namespace adit::fuzz
