// SPDX-License-Identifier: MIT
// Found blocks as keys and values.
#include "ledger/block_store.h"

#include <algorithm>

#include "adit/ledger/json_fields.h"

namespace adit {

std::string block_key(const BlockRecord& block) {
  std::string key = key_u32(block.height);
  auto hash = block.hash.bytes;
  std::reverse(hash.begin(), hash.end());
  return key.append(text_of(hash));
}

std::string block_value(const BlockRecord& block) { return seal_json(block.json()); }

Result<BlockRecord> block_of(std::string_view key, std::string_view value) {
  const auto bad = [&](std::string_view why) {
    return Error{ErrorCode::Corrupt, "blocks " + to_hex(bytes_of(key)) + ": " + std::string(why)};
  };
  if (!open_sealed_json(value)) return bad("broken JSON or seal");
  auto block = BlockRecord::from_json(value);
  if (!block) return bad(block.error().text);
  if (block_key(*block) != key) return bad("stands under another block's key");
  return block;
}

}  // namespace adit
