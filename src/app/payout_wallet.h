// SPDX-License-Identifier: MIT
// The steps of `adit payout` that speak to a wallet. Each prints what it did; each may be broken
// off at any point and run again.
#pragma once

#include "app/commands.h"
#include "app/control_client.h"
#include "app/wallet_rpc.h"

namespace adit {

struct PayoutStep {
  const PayoutCommandOptions& options;
  const Config& config;
  BooksLink& books;
  WalletRpc& wallet;
};

Result<Payment> ask_payment(BooksLink& books, const BooksCall& call);
/// All, by id.
Result<std::vector<Payment>> all_payments(BooksLink& books);
BooksCall plan_call(const char* what, const PayoutCommandOptions& options, const Config& config);

Status payout_prepare(PayoutStep step);
Status payout_broadcast(PayoutStep step);
Status payout_settle(PayoutStep step, UnixMillis now);

}  // namespace adit
