// SPDX-License-Identifier: MIT
// The second look at a template. Hashes, weights and the witness commitment are recomputed from the
// transactions' bytes; sums are compared with the block's limits, our coinbase's share included.
#include "node/template_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>

#include "adit/base/log.h"
#include "adit/bitcoin/merkle.h"
#include "adit/bitcoin/script.h"
#include "adit/crypto/sha256.h"

namespace adit {
namespace {

constexpr std::uint64_t kMaxWeight = 4'000'000;
constexpr std::uint32_t kMaxSigops = 80'000;
/// As a merkle node's preimage is 64 bytes, such a transaction can be taken for one (BIP54).
constexpr std::size_t kMerkleNodeSize = 64;

using Places = std::unordered_map<Txid, std::size_t>;

struct OutPointHash {
  std::size_t operator()(const OutPoint& point) const noexcept {
    return std::hash<Txid>{}(point.txid) ^ (point.index * 0x9e3779b97f4a7c15ull);
  }
};
using Spent = std::unordered_set<OutPoint, OutPointHash>;

Error refused(std::string why) { return {ErrorCode::Invalid, std::move(why)}; }
Error refused_at(std::size_t place, std::string_view why) {
  return refused(fmt::format("transactions[{}]: {}", place, why));
}

Status check_rules(const std::vector<std::string>& rules) {
  constexpr std::array<std::string_view, 4> kKnown{"csv", "segwit", "taproot", "signet"};
  for (const std::string_view rule : rules) {
    if (!rule.starts_with('!')) continue;
    if (std::find(kKnown.begin(), kKnown.end(), rule.substr(1)) == kKnown.end())
      return refused(fmt::format("rules: {} is required but unknown", log_escape(rule)));
  }
  return {};
}

/// Blocks of a signet are signed, and the pool has no key: without the signature of a challenge
/// that asks for one, all work is in vain.
Status check_signet(const RawTemplate& raw, Network network) {
  if (network != Network::Signet) return {};
  if (!raw.signet_challenge) return refused("signet_challenge: missing");
  if (*raw.signet_challenge != "51")
    return refused(
        "signet_challenge: blocks of this signet must be signed; only one whose challenge is 51 "
        "(OP_TRUE) can be mined");
  return {};
}

Status check_header_fields(const RawTemplate& raw) {
  const auto target = Target::from_compact(raw.bits);
  if (!target) return refused("bits: not a target");
  if (*target != raw.target) return refused("bits: do not match target");
  if (raw.mintime > raw.curtime) return refused("mintime: above curtime");
  if (raw.height == 0) return refused("height: out of range");
  return {};
}

Status check_value(const RawTemplate& raw, Network network) {
  if (raw.coinbase_value < 0 || raw.coinbase_value > kMaxMoney.value())
    return refused("coinbasevalue: out of range");
  std::int64_t known = block_subsidy(network, raw.height).value();
  bool all_known = true;
  for (const RawTransaction& transaction : raw.transactions) {
    if (!transaction.fee) all_known = false;
    known += transaction.fee.value_or(0);
    if (known > kMaxMoney.value()) return refused("fee: more than all money");
  }
  if (all_known ? raw.coinbase_value != known : raw.coinbase_value < known)
    return refused(fmt::format("coinbasevalue: {} is not the subsidy and fees, {}",
                               raw.coinbase_value, known));
  return {};
}

Status check_limits(const RawTemplate& raw) {
  std::uint64_t weight = kBareBlockWeight;
  std::uint64_t sigops = kBareBlockSigops;
  for (const RawTransaction& transaction : raw.transactions) {
    weight += transaction.weight;
    sigops += transaction.sigops;
  }
  if (weight > std::min(raw.weight_limit, kMaxWeight))
    return refused(fmt::format("weight: {} with the coinbase is above the limit", weight));
  if (sigops > std::min(raw.sigop_limit, kMaxSigops))
    return refused(fmt::format("sigops: {} with the coinbase are above the limit", sigops));
  return {};
}

Status check_inputs(const Transaction& transaction, std::size_t place, const Places& places,
                    Spent& spent) {
  if (transaction.inputs.empty()) return refused_at(place, "no inputs");
  if (transaction.outputs.empty()) return refused_at(place, "no outputs");
  for (const TxIn& input : transaction.inputs) {
    if (input.previous.txid == Txid{}) return refused_at(place, "a coinbase among them");
    const auto parent = places.find(input.previous.txid);
    if (parent != places.end() && parent->second >= place)
      return refused_at(place, "stands before its parent");
    if (!spent.insert(input.previous).second) return refused_at(place, "spends an output twice");
  }
  return {};
}

Status check_transaction(const RawTransaction& raw, const Transaction& transaction,
                         std::size_t place) {
  if (sha256d(raw.data) != raw.wtxid.bytes) return refused_at(place, "hash does not match data");
  const Txid txid = transaction.has_witness() ? transaction.txid() : Txid::from(raw.wtxid);
  if (txid != raw.txid) return refused_at(place, "txid does not match data");
  const std::uint64_t weight = transaction.weight();
  if (weight != raw.weight) return refused_at(place, "weight does not match data");
  if ((weight - raw.data.size()) / 3 == kMerkleNodeSize) return refused_at(place, "64 bytes long");
  for (const std::uint32_t parent : raw.depends)
    if (parent > place) return refused_at(place, "depends on a later one");
  return {};
}

/// Sets `any_witness`.
Status check_transactions(const RawTemplate& raw, bool& any_witness) {
  Places places;
  places.reserve(raw.transactions.size());
  for (std::size_t i = 0; i < raw.transactions.size(); ++i)
    if (!places.emplace(raw.transactions[i].txid, i).second) return refused_at(i, "duplicate txid");
  Spent spent;
  spent.reserve(raw.transactions.size() * 2);
  for (std::size_t i = 0; i < raw.transactions.size(); ++i) {
    const auto transaction = Transaction::parse(raw.transactions[i].data);
    if (!transaction) return refused_at(i, "data is not one transaction");
    any_witness = any_witness || transaction->has_witness();
    if (auto status = check_transaction(raw.transactions[i], *transaction, i); !status)
      return status;
    if (auto status = check_inputs(*transaction, i, places, spent); !status) return status;
  }
  return {};
}

Result<std::optional<Hash256>> check_commitment(const RawTemplate& raw, bool any_witness) {
  if (!raw.commitment_script) {
    if (any_witness) return refused("default_witness_commitment: missing, though there is witness");
    return std::optional<Hash256>{};
  }
  std::vector<Wtxid> wtxids;
  wtxids.reserve(raw.transactions.size());
  for (const RawTransaction& transaction : raw.transactions) wtxids.push_back(transaction.wtxid);
  const Hash256 commitment = witness_commitment(wtxids, {});
  if (commitment_script(commitment) != *raw.commitment_script)
    return refused("default_witness_commitment: does not match the transactions");
  return std::optional<Hash256>{commitment};
}

TemplatePtr to_template(RawTemplate raw, std::optional<Hash256> commitment,
                        const NodeOptions& options, Instant now) {
  auto made = std::make_shared<BlockTemplate>();
  made->network = options.network;
  made->height = raw.height;
  made->prev = raw.prev;
  made->version = raw.version;
  made->bits = raw.bits;
  made->target = raw.target;
  made->curtime = raw.curtime;
  made->mintime = raw.mintime;
  made->coinbase_value = Satoshi(raw.coinbase_value);
  made->witness_commitment = commitment;
  made->long_poll_id = std::move(raw.long_poll_id);
  made->sigop_limit = std::min(raw.sigop_limit, kMaxSigops);
  made->weight_limit = std::min(raw.weight_limit, kMaxWeight);
  made->received = now;
  made->transactions.reserve(raw.transactions.size());
  for (RawTransaction& transaction : raw.transactions)
    made->transactions.push_back({std::move(transaction.data), transaction.txid, transaction.wtxid,
                                  Satoshi(transaction.fee.value_or(0)), transaction.sigops,
                                  transaction.weight});
  return made;
}

}  // namespace

Result<TemplatePtr> check_template(RawTemplate raw, const NodeOptions& options, Instant now) {
  if (auto status = check_rules(raw.rules); !status) return status.error();
  if (auto status = check_signet(raw, options.network); !status) return status.error();
  if (auto status = check_header_fields(raw); !status) return status.error();
  if (auto status = check_value(raw, options.network); !status) return status.error();
  if (auto status = check_limits(raw); !status) return status.error();
  bool any_witness = false;
  if (auto status = check_transactions(raw, any_witness); !status) return status.error();
  auto commitment = check_commitment(raw, any_witness);
  if (!commitment) return commitment.error();
  return to_template(std::move(raw), *commitment, options, now);
}

Result<TemplatePtr> parse_template(std::string_view result_json, const NodeOptions& options,
                                   Instant now) {
  auto raw = parse_raw_template(result_json);
  if (!raw) return raw.error();
  return check_template(std::move(raw).value(), options, now);
}

}  // namespace adit
