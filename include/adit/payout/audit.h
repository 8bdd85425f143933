// SPDX-License-Identifier: MIT
// Audit: derives a block's split again from the shares, the slices and the terms of its time, and
// compares with everything that was written since. Reads only; on any store.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "adit/bitcoin/network.h"
#include "adit/bitcoin/transaction.h"
#include "adit/ledger/store.h"
#include "adit/payout/settlement_record.h"

namespace adit {

struct AuditReport {
  SettlementRecord settlement;
  std::uint64_t shares_checked = 0;  ///< share records re-added; zero when they have expired
  std::uint64_t slices_checked = 0;
  /// In plain words, each naming the account (address), both numbers and where they stand; at most
  /// 100.
  std::vector<std::string> problems;
  std::vector<std::string> notes;  ///< what could not be looked at, and why
};
/// `coinbase`: the outputs of the real block, where the caller has them. A row that is not what was
/// written is a problem, not an error. NotFound: no such block.
Result<AuditReport> audit_block(LedgerStore& store, const BlockHash& block, Network network,
                                const Script& pool_script,
                                const std::optional<std::vector<TxOut>>& coinbase);

}  // namespace adit
