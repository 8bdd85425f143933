// SPDX-License-Identifier: MIT
// The steps of `adit payout` that speak to a wallet. Each prints what it did; each may be broken
// off at any point and run again.
#pragma once

#include <limits>

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
Result<Payment> get_payment(BooksLink& books, std::uint64_t id);
/// The one that is named; else, by id, all that are open, and those that became final since.
Result<std::vector<Payment>> payments_to_look_at(
    BooksLink& books, std::uint64_t id,
    UnixMillis final_since = UnixMillis(std::numeric_limits<std::int64_t>::max()));
BooksCall plan_call(const char* what, const PayoutCommandOptions& options, const Config& config);
/// The one that is named, or the planned one, or a new one; NotFound: nobody is due.
Result<Payment> named_or_planned(BooksLink& books, const PayoutCommandOptions& options,
                                 const Config& config);
/// The coins of a payment that is given up are the wallet's again, apart from those that another
/// one spends.
void free_inputs(PayoutStep& step, const Payment& payment);

Status payout_prepare(PayoutStep step);
Status payout_broadcast(PayoutStep step);
Status payout_settle(PayoutStep step, UnixMillis now);

}  // namespace adit
