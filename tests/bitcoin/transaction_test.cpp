// SPDX-License-Identifier: MIT
// Transactions: a real one, BIP143's with a witness, and everything that must not parse.
#include "adit/bitcoin/transaction.h"

#include <doctest/doctest.h>

using namespace adit;

namespace {

ByteVec bytes(std::string_view hex) {
  const auto b = from_hex(hex);
  REQUIRE(b);
  return *b;
}

// The coinbase of the genesis block.
const char* const kGenesisCoinbase =
    "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d"
    "0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66"
    "207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a0100000043410467"
    "8afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de"
    "5c384df7ba0b8d578a4c702b6bf11d5fac00000000";

// BIP143's signed P2SH-P2WPKH example.
const char* const kWitnessTx =
    "01000000000101db6b1b20aa0fd7b23880be2ecbd4a98130974cf4748fb66092ac4d3ceb1a54770100000017160014"
    "79"
    "091972186c449eb1ded22b78e40d009bdf0089feffffff02b8b4eb0b000000001976a914a457b684d7f0d539a46a45"
    "bb"
    "c043f35b59d0d96388ac0008af2f000000001976a914fd270b1ee6abcaea97fea7ad0402e8bd8ad6d77c88ac024730"
    "44"
    "022047ac8e878352d3ebbde1c94ce3a10d057c24175747116f8288e5d794d12d482f0220217f36a485cae903c71333"
    "1d"
    "877c1f64677e3622ad4010726870540656fe9dcb012103ad1d8e89212f0b92c74d23bb710c00662ad1470198ac48c4"
    "3f"
    "7d6f93a2a2687392040000";

Transaction small() {
  Transaction tx;
  tx.inputs.resize(2);
  tx.inputs[0].script_sig = {1, 2, 3};
  tx.inputs[1].previous.index = 7;
  tx.inputs[1].witness = {{9, 9}, {}};
  tx.outputs = {{Satoshi(5), {0x51}}, {Satoshi(0), {}}};
  tx.lock_time = 77;
  return tx;
}

}  // namespace

TEST_CASE("transaction: the genesis coinbase") {
  const ByteVec raw = bytes(kGenesisCoinbase);
  const auto tx = Transaction::parse(raw);
  REQUIRE(tx);
  CHECK(tx->txid().hex() == "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b");
  CHECK(tx->wtxid().bytes == tx->txid().bytes);
  CHECK(tx->serialize() == raw);
  CHECK(tx->weight() == 4 * raw.size());
  CHECK(tx->outputs.at(0).value == Satoshi(50 * kCoin));
  CHECK(tx->inputs.at(0).previous == OutPoint{{}, 0xffffffff});
}

TEST_CASE("transaction: with a witness (BIP143, BIP144)") {
  const ByteVec raw = bytes(kWitnessTx);
  const auto tx = Transaction::parse(raw);
  REQUIRE(tx);
  CHECK(tx->has_witness());
  CHECK(tx->serialize() == raw);
  CHECK(tx->txid().hex() == "ef48d9d0f595052e0f8cdcf825f7a5e50b6a388a81f206f3f4846e5ecd7a0c23");
  CHECK(tx->txid().bytes != tx->wtxid().bytes);
  CHECK(tx->lock_time == 1170);
  const auto stripped = tx->serialize_without_witness();
  CHECK(tx->weight() == 3 * stripped.size() + raw.size());
  const auto again = Transaction::parse(stripped);
  REQUIRE(again);
  CHECK(again->txid() == tx->txid());
  CHECK_FALSE(again->has_witness());
}

TEST_CASE("transaction: every truncation and every extra byte is refused") {
  for (const ByteVec& raw : {bytes(kGenesisCoinbase), bytes(kWitnessTx), small().serialize()}) {
    for (std::size_t size = 0; size < raw.size(); ++size) {
      CHECK_FALSE(Transaction::parse(Bytes(raw).first(size)).ok());
    }
    ByteVec longer = raw;
    longer.push_back(0);
    CHECK_FALSE(Transaction::parse(longer).ok());
    ByteReader reader(longer);
    CHECK(Transaction::parse(reader).ok());
    CHECK(reader.remaining() == 1);
  }
}

TEST_CASE("transaction: huge counts are refused without reading on") {
  const char* const cases[] = {
      "01000000ffffffffffffffffff",          // inputs
      "01000000feffffff7f0000000000000000",  // inputs
      "01000000000100",                      // no inputs behind the marker
      "010000000000",                        // no inputs at all
      "01000000000201",                      // unknown flag
      "01000000fd0100",                      // count not in shortest form
  };
  for (const char* hex : cases) CHECK_FALSE(Transaction::parse(bytes(hex)).ok());
  const std::string input = "01" + std::string(64, '0') + "ffffffff00ffffffff";
  CHECK_FALSE(Transaction::parse(bytes("01000000" + input + "ffffffffffffffffff00")).ok());
  const std::string long_script = "01" + std::string(64, '0') + "fffffffffeffffffff";
  CHECK_FALSE(Transaction::parse(bytes("01000000" + long_script + "00")).ok());
  const std::string output =
      "01"
      "0000000000000000"
      "00";
  CHECK(Transaction::parse(bytes("01000000" + input + output + "00000000")).ok());
  CHECK_FALSE(Transaction::parse(bytes("010000000001" + input + output +
                                       "feffffffff"
                                       "00"))
                  .ok());
  // A witness flag whose witnesses are all empty.
  CHECK_FALSE(Transaction::parse(bytes("010000000001" + input + output +
                                       "00"
                                       "00000000"))
                  .ok());
}

TEST_CASE("coinbases: the height they name") {
  for (const std::uint32_t height : {0u, 1u, 16u, 17u, 127u, 128u, 255u, 256u, 32'767u, 32'768u,
                                     840'000u, 8'388'608u, 16'777'216u}) {
    CAPTURE(height);
    Transaction coinbase;
    coinbase.inputs.resize(1);
    coinbase.inputs[0].previous.index = 0xffffffff;
    coinbase.inputs[0].script_sig = height_push(height);
    append(coinbase.inputs[0].script_sig, bytes_of("pool"));
    CHECK(coinbase_height(coinbase) == height);
    coinbase.inputs[0].script_sig.resize(height_push(height).size() - 1);
    CHECK_FALSE(coinbase_height(coinbase).has_value());
    coinbase.inputs[0].script_sig = {5, 1, 2, 3, 4, 5};
    CHECK_FALSE(coinbase_height(coinbase).has_value());
    coinbase.inputs[0].script_sig = {2, 16, 0};  // not the shortest
    CHECK_FALSE(coinbase_height(coinbase).has_value());
    coinbase.inputs[0].script_sig = height_push(height);
    coinbase.inputs[0].previous.txid.bytes[0] = 1;
    CHECK_FALSE(coinbase_height(coinbase).has_value());
  }
}

TEST_CASE("transaction: random damage never breaks the round trip") {
  const ByteVec raw = small().serialize();
  for (std::size_t at = 0; at < raw.size(); ++at) {
    for (const int value : {0x00, 0x01, 0x7f, 0xfc, 0xfd, 0xfe, 0xff}) {
      ByteVec damaged = raw;
      damaged[at] = static_cast<std::uint8_t>(value);
      const auto tx = Transaction::parse(damaged);
      if (tx) CHECK(tx->serialize() == damaged);
    }
  }
}
