// SPDX-License-Identifier: MIT
// Looking after a submitted block: getchaintips while it stands beside the chain, getblockheader
// for its depth, and, where it is not on the chain, who stands at its height. An error never
// counts against a block: only a rival that the node shows buried does.
#include <algorithm>

#include "adit/base/json.h"
#include "node/block_state.h"
#include "node/json_text.h"

namespace adit {
namespace {

/// Looks under way at one node: bitcoind's work queue has 16 places, and a block may be found now.
constexpr unsigned kLooksAtOnce = 2;
/// Six blocks on top of the rival.
constexpr std::int64_t kRivalBuried = 7;
/// Where the node never had our block, so could not say that it stands beside the chain.
constexpr std::int64_t kRivalMature = 100;
constexpr int kNotFound = -5;
constexpr Duration kAfterError = std::chrono::seconds(2);

bool shown_invalid(std::string_view tips_json, const BlockHash& hash) {
  const JsonText json(tips_json);
  simdjson::dom::array tips;
  if (!json.root() || json.root()->get(tips) != simdjson::SUCCESS) return false;
  for (const simdjson::dom::element tip : tips)
    if (json_hash(tip, "hash") == hash) return json_string(tip, "status") == "invalid";
  return false;
}

std::optional<std::int64_t> confirmations_in(const std::string& header_json) {
  const JsonText json(header_json);
  if (!json.root() || !json.root()->is_object()) return std::nullopt;
  return json_integer(*json.root(), "confirmations");
}

}  // namespace

Duration look_interval(const OpenBlock& block, const Leg& leg) {
  if (block.state == SubmitState::Orphaned) return std::chrono::seconds(30);
  if (leg.confirmations > 0) return std::chrono::seconds(5);
  return leg.stage == LegStage::ParentUnknown || leg.stage == LegStage::Unknown
             ? std::chrono::seconds(2)
             : std::chrono::seconds(1);
}

bool BlockSubmitter::State::may_look(std::uint32_t node) const {
  return looks[node] < kLooksAtOnce;
}

void BlockSubmitter::State::pump_looks(std::uint32_t node, Instant now) {
  while (may_look(node)) {
    OpenBlock* first = nullptr;
    for (OpenBlock& block : open) {
      const Leg& leg = block.legs[node];
      if (leg.asked || leg.at > now || !wants_looks(leg)) continue;
      if (!first || leg.at < first->legs[node].at) first = &block;
    }
    if (first == nullptr) return;
    send_look(*first, node);
  }
}

void BlockSubmitter::State::send_look(OpenBlock& block, std::uint32_t node) {
  const Leg& leg = block.legs[node];
  JsonWriter json;
  json.begin_array();
  if (leg.look == Look::Header) json.string(block.hash.hex());
  if (leg.look == Look::RivalHeader) json.string(leg.rival.hex());
  if (leg.look == Look::HashAtHeight) json.number(block.height);
  json.end_array();
  const char* method = leg.look == Look::Tips           ? "getchaintips"
                       : leg.look == Look::HashAtHeight ? "getblockhash"
                                                        : "getblockheader";
  send(block, node, false, method, json.take());
}

void BlockSubmitter::State::looked(OpenBlock& block, std::uint32_t node, const RpcResult& result,
                                   Instant now) {
  Leg& leg = block.legs[node];
  if (!wants_looks(leg)) return;  // to be submitted again meanwhile
  switch (leg.look) {
    case Look::Tips:
      leg.look = Look::Header;
      leg.at = now;
      if (result.error || !shown_invalid(result.result, block.hash)) return;
      block.detail = "node " + std::to_string(node) + ": getchaintips: invalid";
      // Once it was on the chain, so an operator's word or a sick disk may have done it.
      if (block.was_on_chain) return;
      leg.text = "getchaintips: invalid";
      leg.stage = LegStage::Refused;
      leg.confirmations = 0;
      return heard(block, SubmitAlarm::Refusal, now);
    case Look::Header:
      return saw_header(block, leg, result, now);
    case Look::HashAtHeight: {
      const JsonText json(result.result);
      std::string_view text;
      const bool good = !result.error && json.root() && json.root()->get(text) == simdjson::SUCCESS;
      const auto hash = good ? BlockHash::from_hex(text) : std::nullopt;
      // Ours again, or nobody there yet: the next look begins anew.
      leg.look = hash && *hash != block.hash ? Look::RivalHeader : Look::Header;
      if (hash) leg.rival = *hash;
      leg.at = leg.look == Look::RivalHeader ? now : now + look_interval(block, leg);
      return;
    }
    case Look::RivalHeader:
      return saw_rival(block, leg, result, now);
  }
}

void BlockSubmitter::State::saw_header(OpenBlock& block, Leg& leg, const RpcResult& result,
                                       Instant now) {
  const bool submitted_here = leg.stage == LegStage::Accepted || leg.stage == LegStage::Side;
  if (result.error && result.error->code == kNotFound && submitted_here) {
    // It had the block and has it no more (another data directory, a crash): bring it again.
    leg.stage = LegStage::Due;
    leg.confirmations = 0;
    leg.at = now + submit_delay(++leg.tries);
    return;
  }
  const auto confirmations = result.error ? std::nullopt : confirmations_in(result.result);
  if (!confirmations && !(result.error && result.error->code == kNotFound)) {
    leg.at = now + kAfterError;
    return;
  }
  leg.header_known = confirmations.has_value();
  leg.confirmations = confirmations.value_or(0);
  leg.looked_at = now;
  if (leg.header_known && leg.stage != LegStage::Side) leg.stage = LegStage::Accepted;
  if (leg.confirmations > 0) {
    leg.stage = LegStage::Accepted;
    leg.tries = 0;
    leg.look = Look::Header;
    block.proofs = 0;
    block.was_on_chain = true;
    leg.at = now + look_interval(block, leg);
    return;
  }
  leg.look = Look::HashAtHeight;
  leg.at = now;
}

void BlockSubmitter::State::saw_rival(OpenBlock& block, Leg& leg, const RpcResult& result,
                                      Instant now) {
  leg.look = leg.header_known ? Look::Tips : Look::Header;
  const auto depth = result.error ? std::nullopt : confirmations_in(result.result);
  if (depth) {
    const bool buried = *depth >= (leg.header_known ? kRivalBuried : kRivalMature);
    block.proofs = buried ? block.proofs + 1 : 0;
    block.rival_depth = buried ? *depth : 0;
    if (buried) block.detail = "buried at this height: " + leg.rival.hex();
  }
  // Weighed here as well, since the pause depends on the state.
  weigh(block, now);
  leg.at = now + look_interval(block, leg);
}

}  // namespace adit
