// SPDX-License-Identifier: MIT
#include "app/wallet_rpc.h"

#include <fmt/format.h>

#include "adit/base/json.h"
#include "adit/bitcoin/network.h"
#include "app/credentials.h"

namespace adit {
namespace {

constexpr Duration kPatience = std::chrono::seconds(60);
constexpr std::size_t kMaxAnswer = 16u << 20;
/// bitcoind's codes (rpc/protocol.h).
constexpr int kNotFound = -5, kUnlockNeeded = -13, kWalletNotFound = -18, kWalletNotSpecified = -19;

std::string percent_encoded(std::string_view name) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string out;
  for (const char c : name)
    if (kPlain.find(c) != std::string_view::npos)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return out;
}

std::string text_array(std::string_view text) {
  JsonWriter json;
  json.begin_array().string(text).end_array();
  return json.take();
}

/// What an operator can do about an error of the wallet.
std::string_view hint_of(const RpcError& error) {
  switch (error.code) {
    case kUnlockNeeded:
      return " (bitcoin-cli walletpassphrase, then run the command again)";
    case kWalletNotFound:
      return " (bitcoin-cli loadwallet NAME)";
    case kWalletNotSpecified:
      return " (name the wallet: [payout] wallet = \"NAME\")";
    default:
      return "";
  }
}

}  // namespace

WalletRpc::WalletRpc(Clock& clock, NodeConfig node, const std::string& wallet)
    : loop_(clock), http_(loop_), node_(std::move(node)), url_(node_.rpc) {
  while (!url_.empty() && url_.back() == '/') url_.pop_back();
  if (!wallet.empty()) url_ += "/wallet/" + percent_encoded(wallet);
}

RpcResult WalletRpc::call(const std::string& method, const std::string& params) {
  RpcRequest request;
  request.token = ++token_;
  request.method = method;
  request.params = params;
  const auto login = node_login(node_);
  if (!login) return {RpcError{0, login.error().text}, {}};
  RpcAnswer answer;
  http_.post({url_, *login, rpc_body(request), kPatience, kMaxAnswer}, [&](uv::HttpAnswer got) {
    answer = {request.token, std::move(got.transport_error), got.status, std::move(got.body)};
    loop_.stop();
  });
  loop_.run();
  return parse_rpc_answer(answer);
}

Error WalletRpc::error_of(const std::string& method, const RpcError& error) const {
  return {error.code == 0 ? ErrorCode::Unavailable : ErrorCode::Refused,
          fmt::format("{}: {}: {}{}", url_, method, error.message, hint_of(error))};
}

Status WalletRpc::check_chain(Network network) {
  const RpcResult genesis = call("getblockhash", "[0]");
  if (genesis.error) return error_of("getblockhash", *genesis.error);
  if (genesis.result != "\"" + genesis_hash(network).hex() + "\"")
    return Error{ErrorCode::Conflict,
                 fmt::format("{}: is on another chain than {}", url_, network_name(network))};
  return {};
}

std::optional<std::int64_t> WalletRpc::fee_rate() {
  const RpcResult estimate = call("estimatesmartfee", "[6]");
  return estimate.error ? std::nullopt : parse_fee_estimate(estimate.result);
}

Result<FundedPsbt> WalletRpc::fund(const std::vector<std::pair<std::string, Satoshi>>& outputs,
                                   std::optional<std::int64_t> fee_per_kvb) {
  const RpcResult funded = call("walletcreatefundedpsbt", fund_parameters(outputs, fee_per_kvb));
  if (funded.error) return error_of("walletcreatefundedpsbt", *funded.error);
  return parse_funded(funded.result);
}

Result<SignedPsbt> WalletRpc::sign(const std::string& psbt) {
  const RpcResult signed_one = call("walletprocesspsbt", text_array(psbt));
  if (signed_one.error) return error_of("walletprocesspsbt", *signed_one.error);
  return parse_processed(signed_one.result);
}

Result<std::optional<std::string>> WalletRpc::finalize(const std::string& psbt) {
  const RpcResult final_one = call("finalizepsbt", text_array(psbt));
  if (final_one.error) return error_of("finalizepsbt", *final_one.error);
  return parse_finalized(final_one.result);
}

void WalletRpc::lock(const Transaction& transaction, bool on) {
  for (const TxIn& input : transaction.inputs) {  // one refused input refuses a whole list
    Transaction one;
    one.inputs.push_back(input);
    (void)call("lockunspent", lock_parameters(one, on));
  }
}

std::pair<SendOutcome, std::string> WalletRpc::send(const std::string& transaction_hex) {
  const RpcResult sent = call("sendrawtransaction", text_array(transaction_hex));
  return {send_outcome(sent), sent.error ? sent.error->message : ""};
}

Result<std::optional<KnownTransaction>> WalletRpc::look(const std::string& txid,
                                                        const std::string& block) {
  JsonWriter wallet, node;
  wallet.begin_array().string(txid).boolean(true).end_array();
  node.begin_array().string(txid).number(1);
  if (!block.empty()) node.string(block);
  node.end_array();
  const std::pair<std::string, std::string> ways[] = {{"gettransaction", wallet.take()},
                                                      {"getrawtransaction", node.take()}};
  for (const auto& [method, params] : ways) {
    const RpcResult found = call(method, params);
    // A node without a wallet, or with several, can still be asked for what it has itself.
    const bool elsewhere =
        found.error && (found.error->code == kNotFound || found.error->code == -32601 ||
                        (method == "gettransaction" && (found.error->code == kWalletNotFound ||
                                                        found.error->code == kWalletNotSpecified)));
    if (elsewhere) continue;
    if (found.error) return error_of(method, *found.error);
    auto known = parse_known_transaction(found.result);
    if (!known) return known.error();
    return std::optional<KnownTransaction>(std::move(*known));
  }
  return std::optional<KnownTransaction>();
}

Result<BlockCoinbase> WalletRpc::coinbase_at(std::uint32_t height) {
  const RpcResult hash = call("getblockhash", fmt::format("[{}]", height));
  if (hash.error) return error_of("getblockhash", *hash.error);
  const RpcResult block = call("getblock", fmt::format("[{},1]", hash.result));
  if (block.error) return error_of("getblock", *block.error);
  return parse_block_coinbase(block.result);
}

}  // namespace adit
