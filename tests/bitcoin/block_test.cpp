// SPDX-License-Identifier: MIT
// Blocks: a real one of mainnet, and one built by hand that is then broken rule by rule.
#include "adit/bitcoin/block.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>

#include "adit/bitcoin/merkle.h"
#include "adit/crypto/sha256.h"

using namespace adit;

namespace {

ByteVec read_vector(const std::string& name) {
  const char* data = std::getenv("ADIT_TEST_DATA");
  REQUIRE(data != nullptr);
  std::ifstream file(std::string(data) + "/vectors/" + name, std::ios::binary);
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

constexpr std::uint32_t kHeight = 1000;

Transaction coinbase() {
  Transaction tx;
  tx.inputs.resize(1);
  tx.inputs[0].previous.index = 0xffffffff;
  tx.inputs[0].script_sig = height_push(kHeight);
  append_push(tx.inputs[0].script_sig, ByteVec(8, 0xee));
  tx.inputs[0].witness = {ByteVec(32, 0)};
  tx.outputs = {{Satoshi(50 * kCoin), {0x51}}};
  return tx;
}

Transaction payment(std::uint8_t seed, bool with_witness) {
  Transaction tx;
  tx.inputs.resize(1);
  tx.inputs[0].previous.txid.bytes.fill(seed);
  if (with_witness) tx.inputs[0].witness = {{seed, 1}, {2}};
  tx.outputs = {{Satoshi(seed), {0x00, 0x14}}};
  return tx;
}

/// Writes the commitment into the coinbase's last output, and the merkle root into the header.
void seal(Block& block) {
  std::vector<Wtxid> others;
  for (std::size_t i = 1; i < block.transactions.size(); ++i) {
    others.push_back(block.transactions[i].wtxid());
  }
  block.transactions[0].outputs.back().script = commitment_script(witness_commitment(others, {}));
  block.header.merkle_root = block.compute_merkle_root();
}

Block valid_block() {
  Block block;
  block.header.version = 0x20000000;
  block.header.bits = CompactTarget(0x207fffff);
  block.transactions = {coinbase(), payment(1, true), payment(2, false)};
  block.transactions[0].outputs.push_back({Satoshi(0), {}});
  seal(block);
  return block;
}

/// The BIP22 word that check_block answers after `change`, or "" when it finds nothing.
std::string verdict(const std::function<void(Block&)>& change, bool reseal_root = true) {
  Block block = valid_block();
  change(block);
  if (reseal_root) block.header.merkle_root = block.compute_merkle_root();
  const Status status = check_block(block.serialize(), kHeight);
  return status ? "" : status.error().text.substr(0, status.error().text.find(':'));
}

}  // namespace

TEST_CASE("block 413567 of mainnet") {
  const ByteVec raw = read_vector("block413567.raw");
  REQUIRE(raw.size() == 999887);
  const auto block = Block::parse(raw);
  REQUIRE(block);
  CHECK(block->transactions.size() == 1557);
  CHECK(block->header.hash().hex() ==
        "0000000000000000025aff8be8a55df8f89c77296db6198f272d6577325d4069");
  CHECK(block->header.time == 1464307123);
  CHECK(block->header.nonce == 2120202499);
  CHECK(block->header.bits == CompactTarget(0x18058436));
  CHECK(meets(block->header.hash(), *Target::from_compact(block->header.bits)));
  CHECK(block->compute_merkle_root() == block->header.merkle_root);
  CHECK(block->serialize() == raw);
  CHECK(block->weight() == 4 * raw.size());
  CHECK(check_block(raw, 413567).ok());
  CHECK_FALSE(check_block(raw, 413568).ok());

  std::vector<Txid> others;
  std::vector<ByteVec> bodies;
  for (std::size_t i = 1; i < block->transactions.size(); ++i) {
    others.push_back(block->transactions[i].txid());
    bodies.push_back(block->transactions[i].serialize());
  }
  const MerkleBranch branch = merkle_branch(others);
  CHECK(branch.size() == 11);
  CHECK(merkle_fold(block->transactions[0].txid(), branch) == block->header.merkle_root);
  CHECK(assemble_block(block->header.bytes(), block->transactions[0].serialize(), bodies) == raw);
}

TEST_CASE("header: bytes there and back, signed version") {
  HeaderBytes bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i + 200);
  const BlockHeader header = BlockHeader::from_bytes(bytes);
  CHECK(header.bytes() == bytes);
  CHECK(header.version == static_cast<std::int32_t>(0xcbcac9c8));
  CHECK(header.prev.bytes[0] == 204);
  CHECK(header.merkle_root.bytes[31] == static_cast<std::uint8_t>(67 + 200));
  CHECK(header.hash().bytes == sha256d(bytes));
}

TEST_CASE("block: every truncation and every extra byte is refused") {
  const ByteVec raw = valid_block().serialize();
  CHECK(check_block(raw, kHeight).ok());
  for (std::size_t size = 0; size < raw.size(); ++size) {
    CHECK_FALSE(Block::parse(Bytes(raw).first(size)).ok());
    CHECK_FALSE(check_block(Bytes(raw).first(size), kHeight).ok());
  }
  ByteVec longer = raw;
  longer.push_back(0);
  CHECK_FALSE(Block::parse(longer).ok());
}

TEST_CASE("block: a huge transaction count is refused") {
  ByteVec raw(80);
  append_compact_size(raw, 0xffffffffffffffff);
  CHECK_FALSE(Block::parse(raw).ok());
  raw.resize(80);
  append_compact_size(raw, 100);
  raw.resize(raw.size() + 100);
  CHECK_FALSE(Block::parse(raw).ok());
}

TEST_CASE("check_block: a sound block, with and without witnesses") {
  CHECK(verdict([](Block&) {}).empty());
  CHECK(verdict([](Block& b) {
          b.transactions = {coinbase()};
          b.transactions[0].outputs.push_back({Satoshi(0), {}});
          seal(b);
        }).empty());
  CHECK(verdict([](Block& b) {  // no commitment is needed where there is no witness
          b.transactions[1].inputs[0].witness.clear();
          b.transactions[0].outputs.pop_back();
          b.transactions[0].inputs[0].witness.clear();
        })
            .empty());
  CHECK(verdict([](Block& b) {  // of two commitments the last one counts
          auto& outputs = b.transactions[0].outputs;
          outputs.insert(outputs.begin(), {Satoshi(0), commitment_script(Hash256{})});
        })
            .empty());
}

TEST_CASE("check_block: merkle root and the coinbase") {
  CHECK(verdict([](Block& b) { b.header.merkle_root.bytes[5] ^= 1; }, false) == "bad-txnmrklroot");
  CHECK(verdict([](Block& b) { b.transactions[2].lock_time = 9; }, false) == "bad-txnmrklroot");
  CHECK(verdict([](Block& b) { std::swap(b.transactions[1], b.transactions[2]); }, false) ==
        "bad-txnmrklroot");
  CHECK(verdict([](Block& b) { b.transactions.push_back(b.transactions[2]); }, false) ==
        "bad-txns-duplicate");
  CHECK(verdict([](Block& b) { b.transactions.clear(); }) == "bad-cb-missing");
  CHECK(verdict([](Block& b) { b.transactions[0].inputs[0].previous.index = 0; }) ==
        "bad-cb-missing");
  CHECK(verdict([](Block& b) { b.transactions[0].inputs[0].previous.txid.bytes[0] = 1; }) ==
        "bad-cb-missing");
  CHECK(verdict([](Block& b) { b.transactions[0].inputs.resize(2); }) == "bad-cb-missing");
  CHECK(verdict([](Block& b) { b.transactions.push_back(coinbase()); }) == "bad-cb-multiple");
  CHECK(verdict([](Block& b) { b.transactions[0].inputs[0].script_sig = {0x51}; }) ==
        "bad-cb-length");
  CHECK(verdict([](Block& b) { b.transactions[0].inputs[0].script_sig.resize(100); }).empty());
  CHECK(verdict([](Block& b) { b.transactions[0].inputs[0].script_sig.resize(101); }) ==
        "bad-cb-length");
  CHECK(verdict([](Block& b) { b.transactions[0].inputs[0].script_sig[1] ^= 1; }) ==
        "bad-cb-height");
  CHECK(verdict([](Block& b) {
          b.transactions[0].inputs[0].script_sig = {0x02, 0xe8};
        }) == "bad-cb-height");
}

TEST_CASE("check_block: witnesses") {
  const auto flip = [](Block& b) { b.transactions[1].inputs[0].witness[0][0] ^= 1; };
  CHECK(verdict(flip) == "bad-witness-merkle-match");
  CHECK(verdict([](Block& b) { b.transactions[0].inputs[0].witness[0][31] = 1; }) ==
        "bad-witness-merkle-match");
  CHECK(verdict([](Block& b) { b.transactions[0].outputs.back().script[37] ^= 1; }) ==
        "bad-witness-merkle-match");
  CHECK(verdict([](Block& b) { b.transactions[0].inputs[0].witness.clear(); }) ==
        "bad-witness-nonce-size");
  CHECK(verdict([](Block& b) { b.transactions[0].inputs[0].witness[0].resize(31); }) ==
        "bad-witness-nonce-size");
  CHECK(verdict([](Block& b) { b.transactions[0].inputs[0].witness.resize(2); }) ==
        "bad-witness-nonce-size");
  CHECK(verdict([](Block& b) { b.transactions[0].outputs.pop_back(); }) == "unexpected-witness");
  CHECK(verdict([](Block& b) { b.transactions[0].outputs.back().script[2] = 0; }) ==
        "unexpected-witness");
}

TEST_CASE("check_block: weight and sigops at their limits") {
  const auto grow = [](std::size_t extra) {
    return [extra](Block& b) {
      Script& script = b.transactions[2].outputs[0].script;
      script.assign(999'000, 0x51);
      seal(b);
      const std::uint64_t weight = b.weight();
      script.resize(script.size() + (4'000'000 - weight) / 4 + extra, 0x51);
      seal(b);
    };
  };
  CHECK(verdict(grow(0)).empty());
  CHECK(verdict(grow(1)) == "bad-blk-weight");
  const auto sigops = [](std::size_t count) {
    return [count](Block& b) {
      b.transactions[2].outputs[0].script.assign(count, 0xac);
      seal(b);
    };
  };
  CHECK(verdict(sigops(20'000)).empty());
  CHECK(verdict(sigops(20'001)) == "bad-blk-sigops");
}
