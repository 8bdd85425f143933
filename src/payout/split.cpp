// SPDX-License-Identifier: MIT
#include "adit/payout/split.h"

#include <algorithm>
#include <numeric>

#include "adit/base/check.h"

namespace adit {
namespace {

constexpr std::uint32_t kBasis = 10'000;

Uint128 low_half(const U256& v) {
  CHECK(v.limb[2] == 0 && v.limb[3] == 0);
  return Uint128{v.limb[1]} << 64 | v.limb[0];
}

struct Quotient {
  Uint128 whole, rest;
};

Quotient divided(Uint128 a, Uint128 b, Uint128 c) {
  // The usual case: a block's reward by the work of one account.
  Uint128 short_product = 0;
  if (!__builtin_mul_overflow(a, b, &short_product)) return {short_product / c, short_product % c};
  bool overflow = false;
  const U256 product = multiply(U256::from_u128(a), U256::from_u128(b), overflow);
  const U256 whole = divide(product, U256::from_u128(c));
  const U256 taken = multiply(whole, U256::from_u128(c), overflow);
  return {low_half(whole), low_half(product - taken)};
}

}  // namespace

Uint128 multiply_divide(Uint128 a, Uint128 b, Uint128 c) {
  CHECK(c != 0);
  return divided(a, b, c).whole;
}

std::vector<Uint128> split(Uint128 amount, std::span<const Uint128> weights) {
  Uint128 total = 0;
  for (const Uint128 weight : weights) CHECK(!__builtin_add_overflow(total, weight, &total));
  std::vector<Uint128> parts(weights.size(), 0);
  if (total == 0) return parts;
  std::vector<Uint128> fractions(weights.size());
  Uint128 left = amount;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const Quotient share = divided(amount, weights[i], total);
    parts[i] = share.whole;
    fractions[i] = share.rest;
    left -= share.whole;
  }
  if (left == 0) return parts;
  // Fewer units remain than there are fractions above zero.
  std::vector<std::uint32_t> order(weights.size());
  std::iota(order.begin(), order.end(), 0u);
  const auto first = [&](std::uint32_t a, std::uint32_t b) {
    return fractions[a] != fractions[b] ? fractions[a] > fractions[b] : a < b;
  };
  const auto count = static_cast<std::ptrdiff_t>(left);
  std::nth_element(order.begin(), order.begin() + count, order.end(), first);
  std::for_each(order.begin(), order.begin() + count, [&](std::uint32_t i) { ++parts[i]; });
  return parts;
}

std::vector<Satoshi> split(Satoshi amount, std::span<const Uint128> weights) {
  CHECK(amount >= Satoshi{});
  const std::vector<Uint128> parts = split(static_cast<Uint128>(amount.value()), weights);
  std::vector<Satoshi> money;
  money.reserve(parts.size());
  for (const Uint128 part : parts) money.emplace_back(static_cast<std::int64_t>(part));
  return money;
}

Satoshi fee_of(Satoshi amount, std::uint32_t basis_points) {
  CHECK(amount >= Satoshi{} && basis_points <= kBasis);
  return Satoshi(static_cast<std::int64_t>(
      multiply_divide(static_cast<Uint128>(amount.value()), basis_points, kBasis)));
}

}  // namespace adit
