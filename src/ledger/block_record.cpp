// SPDX-License-Identifier: MIT
// Found blocks: the arrows of their state machine, and their JSON.
#include <array>
#include <string>
#include <utility>

#include "adit/base/check.h"
#include "adit/base/json.h"
#include "adit/ledger/json_fields.h"
#include "adit/ledger/records.h"

namespace adit {
namespace {

constexpr std::array<std::pair<BlockState, std::string_view>, 7> kNames{{
    {BlockState::Found, "found"},
    {BlockState::Submitted, "submitted"},
    {BlockState::Side, "side"},
    {BlockState::Accepted, "accepted"},
    {BlockState::Refused, "refused"},
    {BlockState::Orphaned, "orphaned"},
    {BlockState::Mature, "mature"},
}};

Error bad_block(std::string_view field) {
  return {ErrorCode::Corrupt, "block record: missing or wrong \"" + std::string(field) + "\""};
}

}  // namespace

std::string_view block_state_name(BlockState state) {
  for (const auto& [value, name] : kNames)
    if (value == state) return name;
  UNREACHABLE();
}

std::optional<BlockState> block_state_from(std::string_view name) {
  for (const auto& [value, text] : kNames)
    if (text == name) return value;
  return std::nullopt;
}

bool block_may_move(BlockState from, BlockState to) {
  using enum BlockState;
  switch (from) {
    case Found:
      return to == Submitted || to == Side || to == Accepted || to == Refused || to == Orphaned;
    case Submitted:
      return to == Side || to == Accepted || to == Refused || to == Orphaned;
    // A side block is not checked to the end: when its turn comes it may still be refused.
    case Side:
      return to == Accepted || to == Refused || to == Orphaned;
    // A node may have taken it, lost it before it was on any chain, and then refused it.
    case Accepted:
      return to == Side || to == Refused || to == Orphaned || to == Mature;
    // A node that was silent then may have had it all the same.
    case Refused:
    case Orphaned:
      return to == Accepted;
    // A reorganisation deeper than 100, by the same proof: another block at that height.
    case Mature:
      return to == Orphaned;
  }
  UNREACHABLE();
}

std::string BlockRecord::json() const {
  JsonWriter w;
  w.begin_object();
  w.key("hash").string(hash.hex()).key("prev").string(prev.hex());
  w.key("height").number(height).key("found_ms").number(found.value());
  w.key("value").number(value.value());
  w.key("account").string(account).key("worker").string(worker);
  w.key("after").number_u64(after.value()).key("state").string(block_state_name(state));
  w.key("detail").string(detail).key("confirmations").number(confirmations);
  w.key("plan_slice").number_u64(plan_slice).key("plan_entry").number_u64(plan_entry);
  w.key("plan_weight").number_u64(plan_weight).key("terms").string(terms);
  w.key("pool_script").string(to_hex(pool_script));
  w.end_object();
  return w.take();
}

Result<BlockRecord> BlockRecord::from_json(std::string_view text) {
  const auto fields = JsonFields::parse(text);
  if (!fields) return Error{ErrorCode::Corrupt, "block record: not a flat JSON object"};
  BlockRecord b;
  const auto hash = BlockHash::from_hex(fields->string("hash").value_or(""));
  if (!hash) return bad_block("hash");
  const auto prev = BlockHash::from_hex(fields->string("prev").value_or(""));
  if (!prev) return bad_block("prev");
  const auto state = block_state_from(fields->string("state").value_or(""));
  if (!state) return bad_block("state");
  b.hash = *hash, b.prev = *prev, b.state = *state;
  const auto text_field = [&](std::string_view key, std::string& out) {
    const auto stored = fields->string(key);
    if (stored) out = *stored;
    return stored.has_value();
  };
  const auto height = fields->u32("height"), confirmations = fields->u32("confirmations");
  const auto found = fields->i64("found_ms"), value = fields->i64("value");
  const auto after = fields->u64("after");
  const auto plan_slice = fields->u64("plan_slice"), plan_entry = fields->u64("plan_entry");
  const auto plan_weight = fields->u64("plan_weight");
  if (!height) return bad_block("height");
  if (!confirmations) return bad_block("confirmations");
  if (!found) return bad_block("found_ms");
  if (!value) return bad_block("value");
  if (!after) return bad_block("after");
  if (!text_field("account", b.account)) return bad_block("account");
  if (!text_field("worker", b.worker)) return bad_block("worker");
  if (!text_field("detail", b.detail)) return bad_block("detail");
  if (!text_field("terms", b.terms)) return bad_block("terms");
  auto pool_script = from_hex(fields->string("pool_script").value_or("?"));
  if (!pool_script) return bad_block("pool_script");
  b.pool_script = *std::move(pool_script);
  if (!plan_slice || !plan_entry || !plan_weight) return bad_block("plan_*");
  b.height = *height, b.confirmations = *confirmations, b.found = UnixMillis(*found);
  b.value = Satoshi(*value), b.after = Sequence(*after);
  b.plan_slice = *plan_slice, b.plan_entry = *plan_entry, b.plan_weight = *plan_weight;
  return b;
}

}  // namespace adit
