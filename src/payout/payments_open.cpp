// SPDX-License-Identifier: MIT
#include <algorithm>

#include "adit/payout/payments.h"

namespace adit {

Result<Payments> Payments::open(Ledger& ledger, Treasury& treasury) {
  const TreasuryOptions& options = treasury.options();
  const bool by_coinbase = options.terms.way == PayWay::Coinbase;
  PaymentSources sources;
  sources.journal = &treasury.journal();
  sources.payable = [&treasury, by_coinbase](AccountId account) {
    return by_coinbase ? Satoshi(0) : treasury.payable(account);
  };
  sources.network = options.network;
  sources.least = std::max(options.terms.threshold, Satoshi(546));
  sources.pool_script = options.pool_script;
  return open(ledger, std::move(sources));
}

}  // namespace adit
