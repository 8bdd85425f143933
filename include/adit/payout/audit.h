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
  bool settled = false;  ///< false: it has no settlement, and not more than its block is known
  SettlementRecord settlement;       ///< block and height in any case
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

/// pps and fpps: prices slices again and compares with what was paid for them, to the millionth of
/// a satoshi. Batches of which a slice lies in first..last; the chain of batches and what is left
/// now are checked in any case.
struct SliceAudit {
  std::uint64_t batches = 0, slices = 0;     ///< looked at
  std::vector<std::string> problems, notes;  ///< as above
};
Result<SliceAudit> audit_slices(LedgerStore& store, Network network, SliceNumber first,
                                SliceNumber last);

/// I31: every balance again, from shares and blocks. The journal's balances are its entries' sums;
/// entries are those of settlements and priced slices; those follow from slices and terms; every
/// block that is due has a settlement. (That slices follow from shares is verify_ledger's part,
/// that payments are whole for_each_payment's.) Problems as above.
Result<std::vector<std::string>> verify_money(LedgerStore& store, Network network);

}  // namespace adit
