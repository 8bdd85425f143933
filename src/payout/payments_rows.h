// SPDX-License-Identifier: MIT
// The rows of payments, and the key that outside tools know one by.
#pragma once

#include <map>
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
PaymentBrief brief_of(const Payment& payment);
/// Of every payment, by id.
Result<std::map<std::uint64_t, PaymentBrief>> payment_briefs(LedgerStore& store);

}  // namespace adit
