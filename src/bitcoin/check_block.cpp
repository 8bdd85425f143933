// SPDX-License-Identifier: MIT
// The second look at a found block: Bitcoin Core's CheckBlock and ContextualCheckBlock, as far as a
// block can be judged without the chain. Proof of work is not looked at; who found it has.
#include <algorithm>

#include "adit/bitcoin/block.h"
#include "adit/bitcoin/merkle.h"
#include "bitcoin/opcodes.h"

namespace adit {
namespace {

constexpr std::uint64_t kMaxWeight = 4'000'000;
constexpr unsigned kMaxLegacySigops = 80'000 / 4;
constexpr std::size_t kMinCoinbaseScript = 2;
constexpr std::size_t kMaxCoinbaseScript = 100;

Error bad(const char* word, const std::string& why) {
  return {ErrorCode::Invalid, std::string(word) + ": " + why};
}

bool is_coinbase(const Transaction& tx) {
  return tx.inputs.size() == 1 && tx.inputs[0].previous == OutPoint{{}, 0xffffffff};
}

Status check_merkle(const Block& block) {
  std::vector<Hash256> leaves;
  leaves.reserve(block.transactions.size() + 1);
  for (const Transaction& tx : block.transactions) leaves.push_back(Hash256::from(tx.txid()));
  bool mutated = false;
  const Hash256 root = merkle_root(std::move(leaves), &mutated);
  if (root.bytes != block.header.merkle_root.bytes) {
    return bad("bad-txnmrklroot", "the transactions give " + root.hex() + ", the header says " +
                                      block.header.merkle_root.hex());
  }
  if (mutated) return bad("bad-txns-duplicate", "two equal nodes meet in the merkle tree");
  return {};
}

Status check_coinbase(const Block& block, std::uint32_t height) {
  const auto& txs = block.transactions;
  if (txs.empty() || !is_coinbase(txs[0])) {
    return bad("bad-cb-missing", "the first transaction is not a coinbase");
  }
  if (std::any_of(txs.begin() + 1, txs.end(), is_coinbase)) {
    return bad("bad-cb-multiple", "a later transaction is a coinbase");
  }
  const Script& script = txs[0].inputs[0].script_sig;
  if (script.size() < kMinCoinbaseScript || script.size() > kMaxCoinbaseScript) {
    return bad("bad-cb-length", "the coinbase script has " + std::to_string(script.size()) +
                                    " bytes, 2 to 100 are allowed");
  }
  const Script push = height_push(height);
  if (script.size() < push.size() || !std::equal(push.begin(), push.end(), script.begin())) {
    return bad("bad-cb-height",
               "the coinbase script does not start with height " + std::to_string(height));
  }
  return {};
}

/// BIP141's commitment: of several outputs that look like one, the last counts.
const TxOut* find_commitment(const Transaction& coinbase) {
  const auto looks_right = [](const TxOut& out) {
    return out.script.size() >= kCommitmentScriptSize &&
           std::equal(kCommitmentPrefix.begin(), kCommitmentPrefix.end(), out.script.begin());
  };
  const auto& outputs = coinbase.outputs;
  const auto found = std::find_if(outputs.rbegin(), outputs.rend(), looks_right);
  return found == outputs.rend() ? nullptr : &*found;
}

Status check_witness(const Block& block) {
  const auto& txs = block.transactions;
  const TxOut* commitment = find_commitment(txs[0]);
  if (commitment == nullptr) {
    const bool any =
        std::any_of(txs.begin(), txs.end(), [](const Transaction& tx) { return tx.has_witness(); });
    if (any) return bad("unexpected-witness", "witnesses, but the coinbase commits to none");
    return {};
  }
  const auto& stack = txs[0].inputs[0].witness;
  if (stack.size() != 1 || stack[0].size() != 32) {
    return bad("bad-witness-nonce-size", "the coinbase witness must be one item of 32 bytes");
  }
  std::array<std::uint8_t, 32> reserved;
  std::copy(stack[0].begin(), stack[0].end(), reserved.begin());
  std::vector<Wtxid> others;
  others.reserve(txs.size() - 1);
  for (std::size_t i = 1; i < txs.size(); ++i) others.push_back(txs[i].wtxid());
  const Hash256 expected = witness_commitment(others, reserved);
  const auto written = commitment->script.begin() + std::ssize(kCommitmentPrefix);
  if (!std::equal(expected.bytes.begin(), expected.bytes.end(), written)) {
    return bad("bad-witness-merkle-match", "the witnesses give another commitment");
  }
  return {};
}

Status check_limits(const Block& block) {
  const std::uint64_t weight = block.weight();
  if (weight > kMaxWeight) {
    return bad("bad-blk-weight", "weight " + std::to_string(weight) + " is above 4000000");
  }
  std::uint64_t sigops = 0;
  for (const Transaction& tx : block.transactions) {
    for (const TxIn& in : tx.inputs) sigops += count_sigops(in.script_sig);
    for (const TxOut& out : tx.outputs) sigops += count_sigops(out.script);
  }
  if (sigops > kMaxLegacySigops) {
    return bad("bad-blk-sigops", std::to_string(sigops) + " legacy sigops, 20000 are allowed");
  }
  return {};
}

}  // namespace

Status check_block(Bytes bytes, std::uint32_t height) {
  const Result<Block> block = Block::parse(bytes);
  if (!block) return bad("rejected", block.error().text);
  if (Status s = check_merkle(*block); !s) return s;
  if (Status s = check_coinbase(*block, height); !s) return s;
  if (Status s = check_witness(*block); !s) return s;
  return check_limits(*block);
}

}  // namespace adit
