// SPDX-License-Identifier: MIT
#include <algorithm>

#include "adit/ledger/reader.h"
#include "adit/payout/payments.h"

namespace adit {
namespace {

/// Way coinbase: what blocks cannot pay, by the newest plan.
class LeftToWallet {
 public:
  LeftToWallet(Ledger& ledger, Treasury& treasury) : ledger_(&ledger), treasury_(&treasury) {}

  Satoshi of(AccountId account) {
    const PlanPtr plan = treasury_->plan();
    if (plan != plan_) work_out(plan);
    const auto at = amounts_.find(account);
    return at == amounts_.end() ? Satoshi{} : at->second;
  }

 private:
  void work_out(const PlanPtr& plan) {
    plan_ = plan;
    amounts_.clear();
    const auto newest = newest_slice(ledger_->store());
    if (!plan || !newest || !*newest) return;
    // The subsidy, and as much again in fees.
    const Satoshi subsidy = (*newest)->network.subsidy;
    const std::vector<Satoshi> left = left_to_wallet(*plan, subsidy + subsidy);
    for (std::size_t i = 0; i < left.size(); ++i) amounts_[plan->accounts[i].account] = left[i];
  }

  Ledger* ledger_;
  Treasury* treasury_;
  PlanPtr plan_;
  std::map<AccountId, Satoshi> amounts_;
};

}  // namespace

Result<Payments> Payments::open(Ledger& ledger, Treasury& treasury) {
  const TreasuryOptions& options = treasury.options();
  PaymentSources sources;
  sources.journal = &treasury.journal();
  sources.payable = [&treasury](AccountId account) { return treasury.payable(account); };
  if (options.terms.way == PayWay::Coinbase)
    sources.payable = [&treasury,
                       left = LeftToWallet(ledger, treasury)](AccountId account) mutable {
      return std::min(treasury.payable(account), left.of(account));
    };
  sources.network = options.network;
  sources.least = std::max(options.terms.threshold, Satoshi(546));
  sources.pool_script = options.pool_script;
  return open(ledger, std::move(sources));
}

}  // namespace adit
