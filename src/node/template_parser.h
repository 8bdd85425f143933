// SPDX-License-Identifier: MIT
// A getblocktemplate result as it stands: every key with its exact type and length (BIP22, BIP23,
// BIP145), nothing yet compared with anything else. template_check.h does that.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adit/base/result.h"
#include "adit/mining/block_template.h"

namespace adit {

struct RawTransaction {
  ByteVec data;
  Txid txid;
  Wtxid wtxid;
  std::optional<std::int64_t> fee;  ///< satoshi; may be unknown
  std::uint32_t sigops = 0;
  std::uint32_t weight = 0;
  std::vector<std::uint32_t> depends;  ///< places in the list, from 1
};

struct RawTemplate {
  std::int32_t version = 0;
  BlockHash prev;
  std::int64_t coinbase_value = 0;
  Target target;
  CompactTarget bits;
  std::uint32_t mintime = 0;
  std::uint32_t curtime = 0;
  std::uint32_t height = 0;
  std::uint32_t sigop_limit = 80'000;
  std::uint64_t weight_limit = 4'000'000;
  std::vector<std::string> rules;
  std::string long_poll_id;
  std::optional<std::string> signet_challenge;
  std::optional<ByteVec> commitment_script;
  std::vector<RawTransaction> transactions;
};

/// 4,000,000 weight / 240, the least a transaction weighs.
inline constexpr std::size_t kMaxTransactions = 16'666;

/// An error names the key: "curtime: missing", "transactions[3].fee: not an integer".
Result<RawTemplate> parse_raw_template(std::string_view result_json);

}  // namespace adit
