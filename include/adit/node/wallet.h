// SPDX-License-Identifier: MIT
// What payments ask of bitcoind's wallet (versions 24 to 28), and what its answers mean. Values in,
// values out; the app carries the bytes. Amounts are exact: eight decimals, never a double.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adit/base/result.h"
#include "adit/bitcoin/amount.h"
#include "adit/bitcoin/transaction.h"
#include "adit/node/node_link.h"

namespace adit {

/// "0.00012345": always eight decimals.
std::string bitcoin_text(Satoshi amount);
/// What JSON calls a number, as whole satoshi; nullopt for a fraction of one, or beyond all money.
std::optional<Satoshi> satoshi_of_number(std::string_view text);

/// Parameters of walletcreatefundedpsbt: pays each address its amount, adds inputs and change,
/// locks nothing; says to the network that it will not be replaced. `fee_per_kvb` in satoshi;
/// nullopt: as the wallet sees fit.
std::string fund_parameters(const std::vector<std::pair<std::string, Satoshi>>& outputs,
                            std::optional<std::int64_t> fee_per_kvb);
/// Parameters of lockunspent for the inputs of a transaction.
std::string lock_parameters(const Transaction& transaction, bool lock);

struct FundedPsbt {
  std::string psbt;
  Satoshi fee;
};
Result<FundedPsbt> parse_funded(std::string_view result);
/// walletprocesspsbt: the PSBT with what the wallet could sign.
struct SignedPsbt {
  std::string psbt;
  bool complete = false;
};
Result<SignedPsbt> parse_processed(std::string_view result);
/// finalizepsbt: the transaction in hex; nullopt: signatures are missing.
Result<std::optional<std::string>> parse_finalized(std::string_view result);
/// estimatesmartfee: satoshi per 1,000 virtual bytes; nullopt: the node knows too little yet.
std::optional<std::int64_t> parse_fee_estimate(std::string_view result);

/// Of gettransaction, and of getrawtransaction with verbosity 1.
struct KnownTransaction {
  std::string hex;
  std::int64_t confirmations = 0;  ///< below zero: a conflicting one has so many
  std::string block;               ///< hash of the one it is in; empty: in none
  std::optional<Satoshi> fee;      ///< where the wallet knows it
  std::vector<std::string> conflicts;
};
Result<KnownTransaction> parse_known_transaction(std::string_view result);

/// Of getblock with verbosity 1.
struct BlockCoinbase {
  std::string txid;
  std::string block;               ///< hash
  std::int64_t confirmations = 0;  ///< -1: not in the active chain
};
Result<BlockCoinbase> parse_block_coinbase(std::string_view result);

/// getblockheader: -1: not in the active chain; nullopt: not understood.
std::optional<std::int64_t> parse_confirmations(std::string_view result);

enum class SendOutcome : std::uint8_t {
  Sent,     ///< the node has it, from now or from before
  Refused,  ///< it will not take it as things are; the text says why
  Unknown,  ///< no answer: sent or not; the same bytes may be sent again
};
SendOutcome send_outcome(const RpcResult& result);

}  // namespace adit
