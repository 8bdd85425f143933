// SPDX-License-Identifier: MIT
// The least that a configuration needs, and what is wrong with another one.
#pragma once

#include <string>

#include "app/config.h"

namespace adit::test {

inline const std::string kGood = R"([pool]
network = "regtest"
payout_address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
[[node]]
rpc = "http://127.0.0.1:18443"
user = "a"
password = "b"
)";

inline std::string problem(const std::string& text) {
  const auto config = parse_config(text, "x.toml");
  return config ? "good" : config.error().text;
}

}  // namespace adit::test
