// SPDX-License-Identifier: MIT
#include "adit/node/wallet.h"

#include <fmt/format.h>

#include <charconv>

#include "adit/base/json.h"
#include "node/json_text.h"

namespace adit {
namespace {

constexpr int kDecimals = 8;
/// bitcoind's codes (rpc/protocol.h).
constexpr int kVerifyError = -25, kVerifyRejected = -26, kAlreadyInUtxoSet = -27;

Error odd(std::string_view method) {
  return {ErrorCode::Unavailable, fmt::format("{}: the node's answer is not understood", method)};
}

/// The raw text of a top-level member; empty when it is absent.
std::string_view raw_member(std::string_view object, std::string_view wanted) {
  std::string_view found;
  for_each_member(object, [&](std::string_view key, std::string_view value) {
    if (key == wanted) found = value;
  });
  return found;
}

/// An object, or nothing.
std::optional<simdjson::dom::element> object_of(const JsonText& json) {
  if (!json.root() || !json.root()->is_object()) return std::nullopt;
  return json.root();
}

}  // namespace

std::string bitcoin_text(Satoshi amount) {
  ADIT_CHECK(amount >= Satoshi(0));
  return fmt::format("{}.{:08}", amount.value() / kCoin, amount.value() % kCoin);
}

std::optional<Satoshi> satoshi_of_number(std::string_view text) {
  std::int64_t digits = 0;
  int scale = kDecimals;
  bool point = false, any = false;
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == '.' && !point) {
      point = true;
    } else if (text[at] >= '0' && text[at] <= '9') {
      if (digits > kMaxMoney.value()) return std::nullopt;
      digits = digits * 10 + (text[at] - '0');
      scale -= point ? 1 : 0;
      any = true;
    } else {
      break;
    }
  }
  if (!any) return std::nullopt;
  if (at < text.size()) {  // an exponent
    if (text[at] != 'e' && text[at] != 'E') return std::nullopt;
    ++at;
    if (at < text.size() && text[at] == '+') ++at;
    int exponent = 0;
    const auto [end, error] =
        std::from_chars(text.data() + at, text.data() + text.size(), exponent);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    if (exponent < -30 || exponent > 30) return std::nullopt;
    scale += exponent;
  }
  for (; scale > 0; --scale) {
    if (digits > kMaxMoney.value()) return std::nullopt;
    digits *= 10;
  }
  for (; scale < 0; ++scale) {
    if (digits % 10 != 0) return std::nullopt;
    digits /= 10;
  }
  if (digits > kMaxMoney.value()) return std::nullopt;
  return Satoshi(digits);
}

std::string fund_parameters(const std::vector<std::pair<std::string, Satoshi>>& outputs,
                            std::optional<std::int64_t> fee_per_kvb) {
  JsonWriter json;
  json.begin_array().begin_array().end_array().begin_array();
  for (const auto& [address, amount] : outputs)
    json.begin_object().key(address).string(bitcoin_text(amount)).end_object();
  json.end_array().number(0).begin_object();
  json.key("lockUnspents").boolean(false).key("replaceable").boolean(false);
  if (fee_per_kvb)
    json.key("fee_rate").raw(fmt::format("{}.{:03}", *fee_per_kvb / 1000, *fee_per_kvb % 1000));
  json.end_object().boolean(true).end_array();
  return json.take();
}

std::string lock_parameters(const Transaction& transaction, bool lock) {
  JsonWriter json;
  json.begin_array().boolean(!lock).begin_array();
  for (const TxIn& input : transaction.inputs) {
    json.begin_object().key("txid").string(input.previous.txid.hex());
    json.key("vout").number_u64(input.previous.index).end_object();
  }
  json.end_array().end_array();
  return json.take();
}

Result<FundedPsbt> parse_funded(std::string_view result) {
  const JsonText json(result);
  const auto object = object_of(json);
  if (!object) return odd("walletcreatefundedpsbt");
  const auto psbt = json_string(*object, "psbt");
  const auto fee = satoshi_of_number(raw_member(result, "fee"));
  if (!psbt || !fee) return odd("walletcreatefundedpsbt");
  return FundedPsbt{std::string(*psbt), *fee};
}

Result<SignedPsbt> parse_processed(std::string_view result) {
  const JsonText json(result);
  const auto object = object_of(json);
  if (!object) return odd("walletprocesspsbt");
  const auto psbt = json_string(*object, "psbt");
  const auto complete = json_bool(*object, "complete");
  if (!psbt || !complete) return odd("walletprocesspsbt");
  return SignedPsbt{std::string(*psbt), *complete};
}

Result<std::optional<std::string>> parse_finalized(std::string_view result) {
  const JsonText json(result);
  const auto object = object_of(json);
  const auto complete = object ? json_bool(*object, "complete") : std::nullopt;
  if (!complete) return odd("finalizepsbt");
  if (!*complete) return std::optional<std::string>();
  const auto hex = json_string(*object, "hex");
  if (!hex) return odd("finalizepsbt");
  return std::optional<std::string>(*hex);
}

std::optional<std::int64_t> parse_fee_estimate(std::string_view result) {
  const JsonText json(result);
  if (!object_of(json)) return std::nullopt;
  const auto rate = satoshi_of_number(raw_member(result, "feerate"));
  if (!rate || *rate <= Satoshi(0)) return std::nullopt;
  return rate->value();
}

Result<KnownTransaction> parse_known_transaction(std::string_view result) {
  const JsonText json(result);
  const auto object = object_of(json);
  const auto hex = object ? json_string(*object, "hex") : std::nullopt;
  if (!hex) return odd("gettransaction");
  KnownTransaction known;
  known.hex = *hex;
  known.confirmations = json_integer(*object, "confirmations").value_or(0);
  known.block = json_string(*object, "blockhash").value_or("");
  std::string_view fee = raw_member(result, "fee");
  if (fee.starts_with('-')) fee.remove_prefix(1);  // what a wallet spent
  known.fee = satoshi_of_number(fee);
  simdjson::dom::array conflicts;
  if ((*object)["walletconflicts"].get(conflicts) == simdjson::SUCCESS)
    for (const simdjson::dom::element& one : conflicts) {
      std::string_view txid;
      if (one.get(txid) == simdjson::SUCCESS) known.conflicts.emplace_back(txid);
    }
  return known;
}

Result<BlockCoinbase> parse_block_coinbase(std::string_view result) {
  const JsonText json(result);
  const auto object = object_of(json);
  const auto confirmations = object ? json_integer(*object, "confirmations") : std::nullopt;
  simdjson::dom::array transactions;
  const auto hash = object ? json_string(*object, "hash") : std::nullopt;
  std::string_view first;
  if (!confirmations || !hash || (*object)["tx"].get(transactions) != simdjson::SUCCESS ||
      transactions.at(0).get(first) != simdjson::SUCCESS)
    return odd("getblock");
  return BlockCoinbase{std::string(first), std::string(*hash), *confirmations};
}

std::optional<std::int64_t> parse_confirmations(std::string_view result) {
  const JsonText json(result);
  const auto object = object_of(json);
  return object ? json_integer(*object, "confirmations") : std::nullopt;
}

SendOutcome send_outcome(const RpcResult& result) {
  if (!result.error) return SendOutcome::Sent;
  const RpcError& error = *result.error;
  const auto says = [&](std::string_view word) {
    return error.message.find(word) != std::string::npos;
  };
  if (error.code == kAlreadyInUtxoSet) return SendOutcome::Sent;
  if (error.code == kVerifyRejected || error.code == kVerifyError) {
    const bool known = says("txn-already-known") || says("txn-already-in-mempool") ||
                       says("already in block chain");
    return known ? SendOutcome::Sent : SendOutcome::Refused;
  }
  // Zero: no answer. Others (warming up, work queue full, a proxy's) say nothing of the bytes.
  return error.code == -22 ? SendOutcome::Refused : SendOutcome::Unknown;
}

}  // namespace adit
