// SPDX-License-Identifier: MIT
// PayoutSightings: what the wallet's node knows of a payment's transactions, of what conflicts with
// them, and of their parents. Each transaction is asked for once.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "adit/payout/verdict.h"
#include "app/wallet_rpc.h"

namespace adit {

class PayoutSightings {
 public:
  /// `payments`: all of them, whose bytes may be those of a parent. Both outlive it.
  PayoutSightings(WalletRpc& wallet, const std::vector<Payment>& payments)
      : wallet_(wallet), payments_(payments) {}

  /// A transaction and what the wallet says that conflicts with it. False: the node does not know
  /// it.
  Result<bool> look(const std::string& txid, const std::string& block = "");
  /// The parents that are not in the chain, theirs, and so on, and what conflicts with them.
  Status look_at_parents(const Payment& payment);
  /// Among those that were seen.
  const Sighting* find(const std::string& txid) const;
  const std::vector<Sighting>& all() const { return seen_; }

 private:
  Status ask(const std::string& txid, const std::string& block);
  /// Its bytes if it is not in the chain.
  Result<std::optional<Transaction>> look_at_parent(const Txid& txid);
  Status look_at_height(std::uint32_t height);
  const Payment* payment_of(const std::string& txid) const;

  WalletRpc& wallet_;
  const std::vector<Payment>& payments_;
  std::map<std::string, std::vector<std::string>> conflicts_;  ///< of what was asked for, by txid
  std::vector<Sighting> seen_;
};

}  // namespace adit
