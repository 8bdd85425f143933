// SPDX-License-Identifier: MIT
#include "app/wallet_rpc.h"

#include <fmt/format.h>

#include "adit/base/json.h"
#include "adit/bitcoin/network.h"
#include "app/credentials.h"

namespace adit {
namespace {

constexpr Duration kPatience = std::chrono::seconds(60), kOthersPatience = std::chrono::seconds(10);
constexpr std::size_t kMaxAnswer = 16u << 20;
/// bitcoind's codes (rpc/protocol.h).
constexpr int kNotFound = -5, kUnlockNeeded = -13, kWalletNotFound = -18, kWalletNotSpecified = -19,
              kNoSuchMethod = -32601;

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

WalletRpc::WalletRpc(Clock& clock, const std::vector<NodeConfig>& nodes, const std::string& wallet)
    : loop_(clock), http_(loop_) {
  for (const NodeConfig& node : nodes) {
    nodes_.push_back({node, node.rpc});
    std::string& url = nodes_.back().url;
    while (!url.empty() && url.back() == '/') url.pop_back();
  }
  if (!wallet.empty()) nodes_.front().url += "/wallet/" + percent_encoded(wallet);
}

RpcResult WalletRpc::call(const Node& node, const std::string& method, const std::string& params) {
  RpcRequest request;
  request.token = ++token_;
  request.method = method;
  request.params = params;
  const auto login = node_login(node.config);
  if (!login) return {RpcError{0, login.error().text}, {}};
  RpcAnswer answer;
  const Duration patience = &node == &nodes_.front() ? kPatience : kOthersPatience;
  http_.post({node.url, *login, rpc_body(request), patience, kMaxAnswer}, [&](uv::HttpAnswer got) {
    answer = {request.token, std::move(got.transport_error), got.status, std::move(got.body)};
    loop_.stop();
  });
  loop_.run();
  return parse_rpc_answer(answer);
}

Error WalletRpc::error_of(const std::string& method, const RpcError& error) const {
  return {error.code == 0 ? ErrorCode::Unavailable : ErrorCode::Refused,
          fmt::format("{}: {}: {}{}", nodes_.front().url, method, error.message, hint_of(error))};
}

Status WalletRpc::check_chain(Network network) {
  const RpcResult genesis = call("getblockhash", "[0]");
  if (genesis.error) return error_of("getblockhash", *genesis.error);
  if (genesis.result != "\"" + genesis_hash(network).hex() + "\"")
    return Error{ErrorCode::Conflict, fmt::format("{}: is on another chain than {}",
                                                  nodes_.front().url, network_name(network))};
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
  SendOutcome outcome = SendOutcome::Unknown;
  std::string words;
  for (const Node& node : nodes_) {
    const RpcResult sent = call(node, "sendrawtransaction", text_array(transaction_hex));
    const SendOutcome here = send_outcome(sent);
    if (&node == &nodes_.front() || here == SendOutcome::Sent) outcome = here;
    if (here == SendOutcome::Sent) continue;
    if (!words.empty()) words += "; ";
    if (nodes_.size() > 1) words += node.url + ": ";
    words += sent.error->message;
  }
  return {outcome, words};
}

bool WalletRpc::in_mempool(const std::string& txid) {
  return !call("getmempoolentry", text_array(txid)).error;
}

std::optional<std::string> WalletRpc::objection(const std::string& block, std::int64_t depth) {
  for (const Node& node : nodes_) {
    if (&node == &nodes_.front()) continue;
    const RpcResult header = call(node, "getblockheader", text_array(block));
    if (header.error && header.error->code == kNotFound)
      return fmt::format("{} does not know block {}", node.url, block);
    const auto deep = header.error ? std::nullopt : parse_confirmations(header.result);
    if (deep && *deep < depth)
      return fmt::format("for {} block {} has {} confirmations", node.url, block, *deep);
  }
  return std::nullopt;
}

Result<std::optional<KnownTransaction>> WalletRpc::look(const std::string& txid,
                                                        const std::string& block) {
  struct Way {
    const char* method;
    std::string params;
    bool in_block = false;
  };
  const auto params = [&](const char* more) { return fmt::format("[\"{}\",{}]", txid, more); };
  std::vector<Way> ways = {{"gettransaction", params("true")}, {"getrawtransaction", params("1")}};
  if (!block.empty())
    ways.insert(ways.begin() + 1,
                {"getrawtransaction", params(("1,\"" + block + "\"").c_str()), true});
  std::optional<Error> no_wallet;
  for (const Way& way : ways) {
    const RpcResult found = call(way.method, way.params);
    // A node without a wallet, or with several, can still be asked for what it has itself.
    const bool unnamed = found.error && (found.error->code == kWalletNotFound ||
                                         found.error->code == kWalletNotSpecified);
    if (unnamed) no_wallet = error_of(way.method, *found.error);
    if (unnamed ||
        (found.error && (found.error->code == kNotFound || found.error->code == kNoSuchMethod)))
      continue;
    if (found.error) return error_of(way.method, *found.error);
    auto known = parse_known_transaction(found.result);
    if (!known) return known.error();
    if (way.in_block && known->confirmations <= 0) continue;  // that block left the chain
    return std::optional<KnownTransaction>(std::move(*known));
  }
  if (no_wallet) return std::move(*no_wallet);
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
