// SPDX-License-Identifier: MIT
// WalletRpc: bitcoind's wallet for commands, one call at a time on a loop of its own. Blocking. The
// wallet is the first node's; the others are told of transactions, and asked for blocks.
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
  /// `nodes`: at least one. `wallet`: its name; empty: the only one that is loaded.
  WalletRpc(Clock& clock, const std::vector<NodeConfig>& nodes, const std::string& wallet);

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
  /// To all nodes: Sent if one took it, else what the wallet's node made of it. And the words of
  /// those that refused or said nothing.
  std::pair<SendOutcome, std::string> send(const std::string& transaction_hex);
  /// Whether it waits in the mempool of the wallet's node.
  bool in_mempool(const std::string& txid);
  /// What another node that answers says against a block being `depth` deep; silence is no word.
  std::optional<std::string> objection(const std::string& block, std::int64_t depth);
  /// From the wallet, else from the node: its mempool, its index of transactions, or the block that
  /// is named. nullopt: neither knows it.
  Result<std::optional<KnownTransaction>> look(const std::string& txid, const std::string& block);
  /// Of the active chain.
  Result<BlockCoinbase> coinbase_at(std::uint32_t height);

 private:
  struct Node {
    NodeConfig config;
    std::string url;
  };
  RpcResult call(const std::string& method, const std::string& params) {
    return call(nodes_.front(), method, params);
  }
  RpcResult call(const Node& node, const std::string& method, const std::string& params);
  Error error_of(const std::string& method, const RpcError& error) const;

  uv::Loop loop_;
  uv::HttpClient http_;
  std::vector<Node> nodes_;
  std::uint64_t token_ = 0;
};

}  // namespace adit
