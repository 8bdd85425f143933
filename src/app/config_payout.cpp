// SPDX-License-Identifier: MIT
#include "app/config_payout.h"

#include <charconv>

#include "app/coinbase_sizes.h"

namespace adit {
namespace {

constexpr std::int64_t kDust = 546;
/// A coinbase output below it costs its owner more to spend than it is worth.
constexpr Satoshi kCoinbaseMinimum{1'048'576};

/// "1.5%" to 150 basis points; nullopt for anything else or above 100%.
std::optional<std::uint32_t> basis_points(std::string_view text) {
  if (text.empty() || text.back() != '%') return std::nullopt;
  text.remove_suffix(1);
  const std::size_t dot = text.find('.');
  const std::string_view whole = text.substr(0, dot);
  std::string decimals(dot == std::string_view::npos ? "" : text.substr(dot + 1));
  if (whole.empty() || whole.size() > 3 || decimals.size() > 2 ||
      (dot != std::string_view::npos && decimals.empty()))
    return std::nullopt;
  decimals.resize(2, '0');
  const std::string digits = std::string(whole) + decimals;
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size() || value > 10'000)
    return std::nullopt;
  return value;
}

}  // namespace

void read_scheme(TomlTable& table, PoolConfig& pool) {
  std::string scheme(scheme_name(pool.scheme)), fee = "0%";
  table.text("scheme", scheme);
  if (const auto kind = scheme_from(scheme))
    pool.scheme = *kind;
  else
    table.fail("scheme", "must be solo, pplns, prop, pps or fpps");
  table.text("fee", fee);
  if (const auto points = basis_points(fee))
    pool.fee_basis_points = *points;
  else
    table.fail("fee", "must be like \"1.5%\", at most 100% and two decimals");
}

void read_payout(TomlTable table, Config& config) {
  const PoolConfig& pool = config.pool;
  PayoutConfig& payout = config.payout;
  const bool priced = pool.scheme == SchemeKind::Pps || pool.scheme == SchemeKind::Fpps;
  if (pool.scheme == SchemeKind::Solo) payout.way = PayWay::Coinbase;
  std::string way(pay_way_name(payout.way));
  table.text("way", way);
  if (const auto found = pay_way_from(way))
    payout.way = *found;
  else
    table.fail("way", "must be wallet, coinbase or export");
  if (priced && payout.way == PayWay::Coinbase)
    table.fail("way", "pps and fpps pay for shares, not for blocks: wallet or export");
  if (payout.way == PayWay::Coinbase) payout.minimum = kCoinbaseMinimum;
  std::int64_t minimum = payout.minimum.value();
  table.integer("minimum", minimum, kDust, kMaxMoney.value());
  payout.minimum = Satoshi(minimum);
  table.integer("factor", payout.factor, 1, 1'000);
  table.integer("coinbase_weight", payout.coinbase_weight, 1'000, kCoinbaseWeightMax);
  config.v1.size.coinbase_weight = payout.coinbase_weight;
  read_agent_sizes(table, config);
  table.integer("max_outputs", payout.max_outputs, 1, 2'500);
  table.text("wallet", payout.wallet);
  for (const char c : payout.wallet)
    if (c <= 0x20 || c > 0x7e || c == '/' || c == '?' || c == '#' || c == '%')
      table.fail("wallet", "may not contain blanks, slashes or signs that a URL gives a meaning");
  table.integer("fee_rate_max", payout.fee_rate_max, 1, 10'000);
  table.finish();
}

PayoutTerms terms_of(const Config& config) {
  PayoutTerms terms;
  terms.scheme = {config.pool.scheme, config.pool.fee_basis_points, config.payout.factor};
  terms.way = config.payout.way;
  terms.threshold = config.payout.minimum;
  terms.coinbase_weight = config.payout.coinbase_weight;
  return terms;
}

}  // namespace adit
