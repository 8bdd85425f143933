// SPDX-License-Identifier: MIT
// The networks' parameters, as in Bitcoin Core's src/kernel/chainparams.cpp.
#include "adit/bitcoin/network.h"

#include <array>

#include "adit/base/check.h"

namespace adit {
namespace {

struct Parameters {
  std::string_view name;
  std::string_view genesis;
  std::uint32_t halving_interval;
  std::uint32_t retarget_interval;
  bool minimum_difficulty_blocks;
};

constexpr std::array<Parameters, 4> kParameters{{
    {"main", "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f", 210'000, 2016,
     false},
    {"testnet4", "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043", 210'000, 2016,
     true},
    {"signet", "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6", 210'000, 2016,
     false},
    {"regtest", "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206", 150, 0, false},
}};

const Parameters& parameters(Network network) {
  const auto index = static_cast<std::size_t>(network);
  CHECK(index < kParameters.size());
  return kParameters[index];
}

}  // namespace

std::optional<Network> network_from_name(std::string_view name) {
  for (std::size_t i = 0; i < kParameters.size(); ++i) {
    if (kParameters[i].name == name) return static_cast<Network>(i);
  }
  return std::nullopt;
}

std::string_view network_name(Network network) { return parameters(network).name; }

std::string_view network_chain_name(Network network) { return parameters(network).name; }

BlockHash genesis_hash(Network network) {
  const auto hash = BlockHash::from_hex(parameters(network).genesis);
  CHECK(hash.has_value());
  return *hash;
}

std::uint32_t halving_interval(Network network) { return parameters(network).halving_interval; }

Satoshi block_subsidy(Network network, std::uint32_t height) {
  const std::uint32_t halvings = height / halving_interval(network);
  return halvings >= 64 ? Satoshi(0) : Satoshi((50 * kCoin) >> halvings);
}

std::uint32_t retarget_interval(Network network) { return parameters(network).retarget_interval; }

bool allows_minimum_difficulty_blocks(Network network) {
  return parameters(network).minimum_difficulty_blocks;
}

}  // namespace adit
