// SPDX-License-Identifier: MIT
#include "adit/mining/coinbase.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <utility>

namespace adit {
namespace {

Extranonce counting() {
  Extranonce e;
  for (std::size_t i = 0; i < e.size(); ++i) e[i] = static_cast<std::uint8_t>(0xa0 + i);
  return e;
}

CoinbasePlan plan_of(std::uint32_t height, std::size_t outputs = 1) {
  CoinbasePlan plan;
  plan.height = height;
  plan.tag = "/adit/";
  for (std::size_t i = 0; i < outputs; ++i) {
    plan.outputs.push_back({Satoshi(static_cast<std::int64_t>(1000 + i)),
                            ByteVec(22 + i % 13, static_cast<std::uint8_t>(i))});
  }
  return plan;
}

Transaction parsed(const CoinbaseHalves& halves, bool commitment) {
  return Transaction::parse(coinbase_for_block(halves, counting(), commitment)).value();
}

Script hex_script(std::string_view hex) { return from_hex(hex).value(); }

}  // namespace

TEST_CASE("the coinbase starts with the height as BIP34 pushes it") {
  const std::pair<std::uint32_t, const char*> cases[] = {{0, "00"},
                                                         {1, "51"},
                                                         {2, "52"},
                                                         {15, "5f"},
                                                         {16, "60"},
                                                         {17, "0111"},
                                                         {127, "017f"},
                                                         {128, "028000"},
                                                         {255, "02ff00"},
                                                         {256, "020001"},
                                                         {32767, "02ff7f"},
                                                         {32768, "03008000"},
                                                         {65535, "03ffff00"},
                                                         {65536, "03000001"},
                                                         {840000, "0340d10c"},
                                                         {8388607, "03ffff7f"},
                                                         {8388608, "0400008000"}};
  for (const auto& known : cases) {
    const std::uint32_t height = known.first;
    CAPTURE(height);
    Script expected = hex_script(known.second);
    append_push(expected, bytes_of("/adit/"));
    append_push(expected, counting());
    const Transaction tx = parsed(build_coinbase(plan_of(height)).value(), false);
    CHECK(tx.inputs.size() == 1);
    CHECK(tx.inputs[0].script_sig == expected);
    CHECK(tx.lock_time == (height == 0 ? 0 : height - 1));
  }
}

TEST_CASE("the coinbase is what its plan says, to several hundred outputs") {
  for (const std::size_t outputs : {1, 2, 251, 252, 253, 254, 700}) {
    for (const bool commitment : {false, true}) {
      CAPTURE(outputs);
      CoinbasePlan plan = plan_of(850'000, outputs);
      Hash256 hash;
      hash.bytes.fill(0xcc);
      if (commitment) plan.witness_commitment = hash;
      const CoinbaseHalves halves = build_coinbase(plan).value();
      const Transaction tx = parsed(halves, commitment);
      CHECK(tx.version == 2);
      CHECK(tx.inputs[0].previous == OutPoint{{}, 0xffffffff});
      CHECK(tx.inputs[0].sequence == 0xfffffffe);
      std::vector<TxOut> expected = plan.outputs;
      if (commitment) expected.push_back({Satoshi(0), commitment_script(hash)});
      CHECK(tx.outputs == expected);
      CHECK(tx.has_witness() == commitment);
      if (commitment) CHECK(tx.inputs[0].witness == std::vector<ByteVec>{ByteVec(32, 0)});
      CHECK(tx.txid() == coinbase_txid(halves, counting()));
      CHECK(tx.serialize() == coinbase_for_block(halves, counting(), commitment));
    }
  }
}

TEST_CASE("the extranonce gap is where the halves meet, whatever is in it") {
  const CoinbaseHalves halves = build_coinbase(plan_of(1)).value();
  Extranonce other = counting();
  other[15] ^= 1;
  CHECK(coinbase_txid(halves, counting()) != coinbase_txid(halves, other));
  const ByteVec block_form = coinbase_for_block(halves, counting(), false);
  CHECK(block_form.size() == halves.prefix.size() + kExtranonceSize + halves.suffix.size());
  CHECK(std::equal(halves.prefix.begin(), halves.prefix.end(), block_form.begin()));
}

TEST_CASE("tags: none, the longest, one too long, not printable") {
  CoinbasePlan plan = plan_of(0xffffffff);
  plan.tag.clear();
  CHECK(parsed(build_coinbase(plan).value(), false).inputs[0].script_sig.size() == 6 + 17);
  plan.tag.assign(75, 'x');
  CHECK(parsed(build_coinbase(plan).value(), false).inputs[0].script_sig.size() == 6 + 76 + 17);
  plan.tag.assign(76, 'x');
  CHECK_FALSE(build_coinbase(plan).ok());
  plan.tag = "caf\xc3\xa9";
  CHECK_FALSE(build_coinbase(plan).ok());
  plan.tag = std::string("a\0b", 3);
  CHECK_FALSE(build_coinbase(plan).ok());
}

TEST_CASE("outputs that cannot be are refused") {
  CoinbasePlan plan = plan_of(1, 0);
  CHECK_FALSE(build_coinbase(plan).ok());
  plan.outputs = {{Satoshi(-1), {0x51}}};
  CHECK_FALSE(build_coinbase(plan).ok());
  plan.outputs = {{kMaxMoney + Satoshi(1), {0x51}}};
  CHECK_FALSE(build_coinbase(plan).ok());
  plan.outputs = {{kMaxMoney, {0x51}}, {Satoshi(1), {0x51}}};
  CHECK_FALSE(build_coinbase(plan).ok());
  plan.outputs = {{Satoshi(0), {0x51}}, {kMaxMoney, {0x51}}};
  CHECK(build_coinbase(plan).ok());
}

}  // namespace adit
