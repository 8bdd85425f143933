// SPDX-License-Identifier: MIT
// WalletRpc: bitcoind's wallet for commands, one call at a time on a loop of its own. Blocking.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adit/node/wallet.h"
#include "app/config.h"
#include "uv/http_client.h"

namespace adit {

class WalletRpc {
 public:
  /// `wallet`: its name; empty: the only one that is loaded.
  WalletRpc(Clock& clock, NodeConfig node, const std::string& wallet);

  /// Whether this is a node of `network`.
  Status check_chain(Network network);
  /// What the node thinks that confirmation within six blocks costs; satoshi per 1,000 virtual
  /// bytes.
  std::optional<std::int64_t> fee_rate();
  Result<FundedPsbt> fund(const std::vector<std::pair<std::string, Satoshi>>& outputs,
                          std::optional<std::int64_t> fee_per_kvb);
  Result<SignedPsbt> sign(const std::string& psbt);
  Result<std::optional<std::string>> finalize(const std::string& psbt);
  /// Keeps the wallet from using the inputs elsewhere, or lets it again. Best effort: an input that
  /// is locked, or free, already is no failure.
  void lock(const Transaction& transaction, bool on);
  /// The outcome and, where the node refused or said nothing, its words.
  std::pair<SendOutcome, std::string> send(const std::string& transaction_hex);
  /// From the wallet, else from the node: its mempool, its index of transactions, or the block that
  /// is named. nullopt: neither knows it.
  Result<std::optional<KnownTransaction>> look(const std::string& txid, const std::string& block);
  /// Of the active chain.
  Result<BlockCoinbase> coinbase_at(std::uint32_t height);

 private:
  RpcResult call(const std::string& method, const std::string& params);
  Error error_of(const std::string& method, const RpcError& error) const;

  uv::Loop loop_;
  uv::HttpClient http_;
  NodeConfig node_;
  std::string url_;
  std::uint64_t token_ = 0;
};

}  // namespace adit
