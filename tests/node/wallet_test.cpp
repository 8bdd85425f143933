// SPDX-License-Identifier: MIT
#include "adit/node/wallet.h"

#include <doctest/doctest.h>

namespace adit {

TEST_CASE("wallet amounts: eight decimals, exactly, both ways") {
  CHECK(bitcoin_text(Satoshi(0)) == "0.00000000");
  CHECK(bitcoin_text(Satoshi(1)) == "0.00000001");
  CHECK(bitcoin_text(Satoshi(12'345'678)) == "0.12345678");
  CHECK(bitcoin_text(kMaxMoney) == "21000000.00000000");
  std::uint64_t seed = 1;
  for (int i = 0; i < 10'000; ++i) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    const Satoshi amount(
        static_cast<std::int64_t>((seed >> 8) % static_cast<std::uint64_t>(kMaxMoney.value() + 1)));
    CHECK(satoshi_of_number(bitcoin_text(amount)) == amount);
  }
  const std::pair<const char*, std::int64_t> good[] = {{"0", 0},
                                                       {"1", kCoin},
                                                       {"0.00001410", 1410},
                                                       {"1.41e-05", 1410},
                                                       {"1.41E-5", 1410},
                                                       {"2e+1", 20 * kCoin},
                                                       {"0.1000000000", kCoin / 10},
                                                       {"21000000", 21'000'000 * kCoin}};
  for (const auto& [text, value] : good) {
    const std::string read = text;  // clang 14 lets no binding into CAPTURE's closure
    CAPTURE(read);
    CHECK(satoshi_of_number(read) == Satoshi(value));
  }
  for (const char* text : {"", "-1", "0.000000001", "1e-9", "21000000.00000001", "1e99", "1e", "x",
                           "1.2.3", "1,2", "99999999999999999999", "0.1 ", "e5", ".", "null"}) {
    CAPTURE(std::string(text));
    CHECK_FALSE(satoshi_of_number(text).has_value());
  }
}

TEST_CASE("wallet parameters: amounts as text, the rate in satoshi a byte, never replaceable") {
  CHECK(fund_parameters({{"a", Satoshi(12'345'678)}, {"b", Satoshi(546)}}, 12'345) ==
        R"([[],[{"a":"0.12345678"},{"b":"0.00000546"}],0,)"
        R"({"lockUnspents":false,"replaceable":false,"fee_rate":12.345},true])");
  CHECK(fund_parameters({{"a", Satoshi(1)}}, std::nullopt) ==
        R"([[],[{"a":"0.00000001"}],0,{"lockUnspents":false,"replaceable":false},true])");
  Transaction transaction;
  transaction.inputs.resize(1);
  transaction.inputs[0].previous.txid.bytes[31] = 0xab;
  transaction.inputs[0].previous.index = 3;
  CHECK(lock_parameters(transaction, true) ==
        R"([false,[{"txid":"ab)" + std::string(62, '0') + R"(","vout":3}]])");
}

TEST_CASE("wallet answers: what is not understood is never half read") {
  const auto funded = parse_funded(R"({"psbt":"cHNi","fee":0.00001410,"changepos":1})");
  REQUIRE(funded.ok());
  CHECK(funded->psbt == "cHNi");
  CHECK(funded->fee == Satoshi(1410));
  CHECK(parse_processed(R"({"psbt":"x","complete":true,"hex":"00"})")->complete);
  CHECK_FALSE(parse_processed(R"({"psbt":"x","complete":false})")->complete);
  CHECK(*parse_finalized(R"({"hex":"0102","complete":true})") == "0102");
  CHECK_FALSE(parse_finalized(R"({"psbt":"x","complete":false})")->has_value());
  CHECK(parse_fee_estimate(R"({"feerate":0.00012345,"blocks":6})") == 12'345);
  CHECK_FALSE(parse_fee_estimate(R"({"errors":["no"],"blocks":6})").has_value());
  const auto known = parse_known_transaction(
      R"({"amount":-1.5,"fee":-0.00001234,"confirmations":-7,"walletconflicts":["aa","bb"],)"
      R"("blockhash":"cc","hex":"00"})");
  REQUIRE(known.ok());
  CHECK(known->confirmations == -7);
  CHECK(known->fee == Satoshi(1234));
  CHECK(known->block == "cc");
  CHECK(known->conflicts == std::vector<std::string>{"aa", "bb"});
  CHECK(parse_known_transaction(R"({"hex":"00"})")->confirmations == 0);
  CHECK(parse_known_transaction(R"({"hex":"00"})")->block.empty());
  CHECK_FALSE(parse_known_transaction(R"({"hex":"00"})")->fee.has_value());
  for (const char* text : {"null", "[]", "{}", "\"x\"", R"({"psbt":1,"fee":0.1,"complete":1})",
                           R"({"psbt":"x","fee":"much","complete":"true","hex":5})",
                           R"({"psbt":"x","fee":-0.1,"complete":true})"}) {
    CAPTURE(std::string(text));
    CHECK_FALSE(parse_funded(text).ok());
    CHECK_FALSE(parse_finalized(text).ok());
    CHECK_FALSE(parse_known_transaction(text).ok());
  }
  CHECK_FALSE(parse_processed(R"({"psbt":"x","complete":"true"})").ok());
}

TEST_CASE("the coinbase that stands at a height") {
  const auto block = parse_block_coinbase(R"({"hash":"00","confirmations":7,"tx":["aa","bb"]})");
  REQUIRE(block.ok());
  CHECK(block->txid == "aa");
  CHECK(block->block == "00");
  CHECK(block->confirmations == 7);
  for (const char* text : {"null", R"({"confirmations":7,"tx":[]})", R"({"tx":["aa"]})",
                           R"({"confirmations":7,"tx":["aa"]})"})
    CHECK_FALSE(parse_block_coinbase(text).ok());
  CHECK(parse_confirmations(R"({"hash":"00","confirmations":-1})") == -1);
  for (const char* text : {"null", "{}", R"({"confirmations":"6"})"})
    CHECK_FALSE(parse_confirmations(text).has_value());
}

TEST_CASE("sending: known already is sent, no answer is neither") {
  const auto outcome = [](int code, const char* message) {
    return send_outcome({RpcError{code, message}, {}});
  };
  CHECK(send_outcome({std::nullopt, "\"txid\""}) == SendOutcome::Sent);
  CHECK(outcome(-27, "Transaction outputs already in utxo set") == SendOutcome::Sent);
  CHECK(outcome(-27, "Transaction already in block chain") == SendOutcome::Sent);
  CHECK(outcome(-26, "txn-already-in-mempool") == SendOutcome::Sent);
  CHECK(outcome(-25, "bad-txns-inputs-missingorspent") == SendOutcome::Refused);
  CHECK(outcome(-26, "txn-mempool-conflict") == SendOutcome::Refused);
  CHECK(outcome(-22, "TX decode failed") == SendOutcome::Refused);
  CHECK(outcome(0, "timed out after 60 s") == SendOutcome::Unknown);
  CHECK(outcome(-28, "Loading block index") == SendOutcome::Unknown);
}

}  // namespace adit
