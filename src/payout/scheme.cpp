// SPDX-License-Identifier: MIT
#include "adit/payout/scheme.h"

#include <map>

#include "adit/base/check.h"
#include "adit/payout/split.h"

namespace adit {
namespace {

constexpr std::uint32_t kBasis = 10'000;
constexpr Uint128 kMicro = 1'000'000;

class Solo final : public SchemeRule {
 public:
  explicit Solo(const SchemeOptions& options) : fee_(options.fee_basis_points) {}
  std::vector<PricedWork> slice_closed(const Slice&, const SlicePrice&) override { return {}; }
  Settlement block_found(const FoundReward& reward) override {
    if (reward.finder == AccountId{}) return {{}, reward.value};
    return settle_by_weights(reward.value, fee_, {{reward.finder, 1}});
  }

 private:
  std::uint32_t fee_;
};

class Proportional final : public SchemeRule {
 public:
  explicit Proportional(const SchemeOptions& options) : fee_(options.fee_basis_points) {}
  std::vector<PricedWork> slice_closed(const Slice& slice, const SlicePrice&) override {
    for (const AccountWork& entry : slice.entries()) {
      Uint128& sum = round_[entry.account];
      CHECK(!__builtin_add_overflow(sum, entry.work, &sum));
    }
    return {};
  }
  Settlement block_found(const FoundReward& reward) override {
    std::vector<AccountWork> weights;
    for (const auto& [account, work] : round_) weights.push_back({account, work});
    round_.clear();
    return settle_by_weights(reward.value, fee_, weights);
  }

 private:
  std::uint32_t fee_;
  std::map<AccountId, Uint128> round_;
};

class LastShares final : public SchemeRule {
 public:
  explicit LastShares(const SchemeOptions& options)
      : fee_(options.fee_basis_points), factor_(options.factor) {
    CHECK(factor_ > 0);
  }
  std::vector<PricedWork> slice_closed(const Slice& slice, const SlicePrice& price) override {
    // Widened before it forgets: a new difficulty counts from this slice on.
    window_.resize(window_of(price.network_work));
    window_.add(slice);
    return {};
  }
  Settlement block_found(const FoundReward& reward) override {
    window_.resize(window_of(reward.network_work));
    return settle_by_weights(reward.value, fee_, window_.weights());
  }

 private:
  Uint128 window_of(Uint128 network_work) const {
    Uint128 size = 0;
    CHECK(!__builtin_mul_overflow(network_work, Uint128{factor_}, &size));
    return size;
  }
  std::uint32_t fee_, factor_;
  Window window_{0};
};

class PayPerShare final : public SchemeRule {
 public:
  PayPerShare(const SchemeOptions& options, bool with_fees)
      : fee_(options.fee_basis_points), with_fees_(with_fees) {}
  std::vector<PricedWork> slice_closed(const Slice& slice, const SlicePrice& price) override {
    const Satoshi reward = with_fees_ ? price.subsidy + price.mean_fees : price.subsidy;
    std::vector<PricedWork> priced;
    for (const AccountWork& entry : slice.entries())
      priced.push_back({entry.account, price_of(entry.work, reward, price.network_work, fee_)});
    return priced;
  }
  Settlement block_found(const FoundReward& reward) override { return {{}, reward.value}; }

 private:
  std::uint32_t fee_;
  bool with_fees_;
};

}  // namespace

std::unique_ptr<SchemeRule> make_scheme(const SchemeOptions& options) {
  switch (options.kind) {
    case SchemeKind::Solo:
      return std::make_unique<Solo>(options);
    case SchemeKind::Pplns:
      return std::make_unique<LastShares>(options);
    case SchemeKind::Prop:
      return std::make_unique<Proportional>(options);
    case SchemeKind::Pps:
      return std::make_unique<PayPerShare>(options, false);
    case SchemeKind::Fpps:
      return std::make_unique<PayPerShare>(options, true);
  }
  UNREACHABLE();
}

Settlement settle_by_weights(Satoshi value, std::uint32_t fee_basis_points,
                             const std::vector<AccountWork>& weights) {
  if (weights.empty()) return {{}, value};
  Settlement settlement{{}, fee_of(value, fee_basis_points)};
  std::vector<Uint128> works;
  works.reserve(weights.size());
  for (const AccountWork& weight : weights) works.push_back(weight.work);
  const std::vector<Satoshi> amounts = split(value - settlement.fee, works);
  Satoshi given;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    given += amounts[i];
    if (amounts[i] > Satoshi{}) settlement.parts.push_back({weights[i].account, amounts[i]});
  }
  settlement.fee = value - given;
  return settlement;
}

MicroSatoshi price_of(Uint128 work, Satoshi reward, Uint128 network_work,
                      std::uint32_t fee_basis_points) {
  CHECK(reward >= Satoshi{} && fee_basis_points <= kBasis && network_work > 0);
  const Uint128 kept = kBasis - fee_basis_points;
  const Uint128 per_block = static_cast<Uint128>(reward.value()) * kMicro * kept;
  Uint128 divisor = 0;
  CHECK(!__builtin_mul_overflow(network_work, Uint128{kBasis}, &divisor));
  const Uint128 price = multiply_divide(work, per_block, divisor);
  CHECK(price <= static_cast<Uint128>(INT64_MAX));
  return MicroSatoshi(static_cast<std::int64_t>(price));
}

}  // namespace adit
