// SPDX-License-Identifier: MIT
// The four networks and what differs between them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "adit/bitcoin/amount.h"
#include "adit/bitcoin/hash.h"

namespace adit {

enum class Network : std::uint8_t { Main, Testnet4, Signet, Regtest };

std::optional<Network> network_from_name(std::string_view name);  ///< main|testnet4|signet|regtest
std::string_view network_name(Network network);
/// The name bitcoind's getblockchaininfo gives: main, testnet4, signet, regtest.
std::string_view network_chain_name(Network network);
BlockHash genesis_hash(Network network);
/// Blocks between halvings: 210000, on regtest 150.
std::uint32_t halving_interval(Network network);
Satoshi block_subsidy(Network network, std::uint32_t height);
/// 2016 except where a retarget never changes the bits (regtest: 0).
std::uint32_t retarget_interval(Network network);
/// Testnet4's rule: a block 20 minutes after its parent may have minimum difficulty.
bool allows_minimum_difficulty_blocks(Network network);

}  // namespace adit
