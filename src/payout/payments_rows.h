// SPDX-License-Identifier: MIT
// The rows of payments, and the key that outside tools know one by.
#pragma once

#include <string>
#include <vector>

#include "adit/ledger/store.h"
#include "adit/payout/payments.h"

namespace adit {

/// What tells this pool's books from all others.
Result<std::string> pool_identity(LedgerStore& store);
std::string idempotency_key(const std::string& pool, std::uint64_t id,
                            const std::vector<PaymentOutput>& outputs);

void put_payment(LedgerBatch& batch, const Payment& payment);
void put_payment_outputs(LedgerBatch& batch, const Payment& payment);
/// NotFound, or Corrupt with the row in its text.
Result<Payment> read_payment(LedgerStore& store, const std::string& pool, std::uint64_t id);
/// Every payment by id, without its outputs.
Status for_each_payment_row(LedgerStore& store, const std::function<void(const Payment&)>& visit);

}  // namespace adit
